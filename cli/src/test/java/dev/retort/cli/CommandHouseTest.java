package dev.retort.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class CommandHouseTest {
    private static final JavaClasses HOUSE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.retort");

    @Test
    void only_main_ends_the_process() {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName(Main.class.getName())
                .should()
                .callMethod(System.class, "exit", int.class)
                .check(HOUSE);
    }

    @Test
    void nothing_below_knows_the_command_line() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.retort.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.retort.cli..", "picocli..", "me.tongfei..")
                .check(HOUSE);
    }

    @Test
    void the_command_line_leaves_tensors_to_the_library() {
        noClasses()
                .that()
                .resideInAPackage("dev.retort.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.bytedeco..")
                .check(HOUSE);
    }
}
