package dev.retort.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CommandHouseTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages("dev.retort");

    @Test
    void only_main_ends_the_process() {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName(Main.class.getName())
                .should()
                .callMethod(System.class, "exit", int.class)
                .check(CLASSES);
    }

    @Test
    void digits_and_letters_are_the_same_in_every_locale() {
        noClasses()
                .should()
                .callMethodWhere(usesTheLocaleOfTheProcess())
                .because("files, JSON and sentences would have the digits of the machine's locale; give Locale.ROOT")
                .check(CLASSES);
    }

    private static DescribedPredicate<JavaMethodCall> usesTheLocaleOfTheProcess() {
        Set<String> always = Set.of("formatted");
        Set<String> withoutLocale = Set.of("format", "printf", "toLowerCase", "toUpperCase", "ofPattern");
        Set<Class<?>> types = Set.of(String.class, PrintStream.class, PrintWriter.class, DateTimeFormatter.class);
        return DescribedPredicate.describe("use the locale of the process", call -> {
            boolean ofThese = types.stream().anyMatch(call.getTargetOwner()::isAssignableTo);
            boolean locale = call.getTarget().getRawParameterTypes().stream()
                    .anyMatch(type -> type.isEquivalentTo(Locale.class));
            return ofThese && (always.contains(call.getName()) || withoutLocale.contains(call.getName()) && !locale);
        });
    }

    @Test
    void nothing_below_knows_the_command_line() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.retort.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.retort.cli..", "picocli..", "me.tongfei..")
                .check(CLASSES);
    }

    @Test
    void the_command_line_leaves_tensors_to_the_library() {
        noClasses()
                .that()
                .resideInAPackage("dev.retort.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.bytedeco..")
                .check(CLASSES);
    }
}
