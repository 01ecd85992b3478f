package dev.retort;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import dev.retort.model.classifier.Classifier;
import dev.retort.model.vae.Autoencoder;
import dev.retort.model.vae.Posterior;
import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorBase;
import org.junit.jupiter.api.Test;

/** The rules of docs/architecture.md. */
class HouseTest {
    /** Bottom-up: a package may use only those before it. */
    private static final List<String> ORDER = List.of(
            "text",
            "error",
            "io",
            "tokenizer",
            "hub",
            "config",
            "report",
            "graph",
            "onnx",
            "card",
            "layout",
            "data",
            "run",
            "runtime",
            "torch",
            "nn",
            "model",
            "pipeline",
            "sample",
            "quantize",
            "cut",
            "export",
            "evaluate",
            "train",
            "distill");

    /** What networks may call of a tensor: its other methods compute, which no {@code Recorder} would see. */
    private static final Set<String> ASKS = Set.of(
            "size",
            "dim",
            "numel",
            "is_cuda",
            "is_floating_point",
            "requires_grad",
            "set_requires_grad",
            "copy_",
            "retainReference",
            "close");

    /** What autoencoders and classifiers are asked, whichever they are: neither is a {@code Network}, whose contract is in model. */
    private static final Class<?>[] CONTRACTS = {Autoencoder.class, Posterior.class, Classifier.class};

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages("dev.retort");

    @Test
    void a_package_uses_only_the_packages_below_it() {
        for (int i = 0; i < ORDER.size() - 1; i++) {
            String[] above = packages(ORDER.subList(i + 1, ORDER.size()));
            noClasses()
                    .that()
                    .resideInAPackage("dev.retort." + ORDER.get(i) + "..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(above)
                    .allowEmptyShould(true)
                    .check(CLASSES);
        }
    }

    @Test
    void every_class_is_in_a_package_of_the_plan() {
        List<String> names =
                Stream.concat(ORDER.stream(), Stream.of("diffusion")).toList();
        classes().should().resideInAnyPackage(packages(names)).check(CLASSES);
    }

    @Test
    void packages_form_no_cycles_nor_do_those_inside_them() {
        slices().matching("dev.retort.(*)..").should().beFreeOfCycles().check(CLASSES);
        for (String parent : List.of("model", "distill")) {
            slices().assignedFrom(packagesIn("dev.retort." + parent))
                    .should()
                    .beFreeOfCycles()
                    .check(CLASSES);
        }
    }

    /** Every package below one as a slice, and that one. */
    private static SliceAssignment packagesIn(String parent) {
        return new SliceAssignment() {
            @Override
            public String getDescription() {
                return "packages of " + parent;
            }

            @Override
            public SliceIdentifier getIdentifierOf(JavaClass type) {
                String name = type.getPackageName();
                return name.equals(parent) || name.startsWith(parent + ".")
                        ? SliceIdentifier.of(name)
                        : SliceIdentifier.ignore();
            }
        };
    }

    @Test
    void only_the_pipeline_package_knows_which_architectures_there_are() {
        for (String architecture : List.of("dit", "unet", "clip", "vae", "classifier")) {
            String inside = "dev.retort.model." + architecture + "..";
            noClasses()
                    .that()
                    .resideOutsideOfPackages(inside, "dev.retort.pipeline..")
                    .should()
                    .dependOnClassesThat(resideInAPackage(inside).and(not(belongToAnyOf(CONTRACTS))))
                    .check(CLASSES);
        }
        noClasses()
                .that()
                .resideInAPackage("dev.retort.model")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.retort.model.*..")
                .check(CLASSES);
    }

    @Test
    void the_mathematics_and_the_byte_pairs_of_texts_depend_on_the_jdk_alone() {
        for (String alone : List.of("dev.retort.diffusion..", "dev.retort.text..")) {
            classes()
                    .that()
                    .resideInAPackage(alone)
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage("java..", alone)
                    .check(CLASSES);
        }
    }

    @Test
    void the_runtime_depends_on_the_mathematics_the_byte_pairs_and_onnx_runtime_alone() {
        classes()
                .that()
                .resideInAPackage("dev.retort.runtime..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "java..",
                        "ai.onnxruntime..",
                        "dev.retort.diffusion..",
                        "dev.retort.text..",
                        "dev.retort.runtime..")
                .allowEmptyShould(true)
                .check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackages("dev.retort.runtime..", "dev.retort.export..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("ai.onnxruntime..")
                .check(CLASSES);
    }

    @Test
    void only_the_torch_package_touches_the_presets_and_elsewhere_a_tensor_is_all_one_sees() {
        classes()
                .that()
                .resideOutsideOfPackage("dev.retort.torch..")
                .should(seeOnlyTensors())
                .check(CLASSES);
    }

    private static ArchCondition<JavaClass> seeOnlyTensors() {
        return new ArchCondition<>("see no native type but Tensor") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                type.getDirectDependenciesFromSelf().stream()
                        .filter(dependency ->
                                dependency.getTargetClass().getPackageName().startsWith("org.bytedeco"))
                        .filter(dependency -> !dependency
                                .getTargetClass()
                                .getBaseComponentType()
                                .getSimpleName()
                                .equals("Tensor"))
                        // the compiler writes Tensor::numel as a reference to the class that declares numel
                        .filter(dependency -> !(dependency.getDescription().contains(" references method ")
                                && dependency.getTargetClass().isAssignableFrom(Tensor.class)))
                        .forEach(dependency ->
                                events.add(SimpleConditionEvent.violated(dependency, dependency.getDescription())));
            }
        };
    }

    @Test
    void networks_compute_by_ops_alone() {
        classes()
                .that()
                .resideInAnyPackage("dev.retort.nn..", "dev.retort.model..")
                .should(onlyAskTensors())
                .check(CLASSES);
    }

    private static ArchCondition<JavaClass> onlyAskTensors() {
        return new ArchCondition<>("call no method of Tensor that computes or views") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                type.getAccessesFromSelf().stream()
                        .filter(access -> access.getTargetOwner().isAssignableTo(TensorBase.class))
                        .filter(access -> !ASKS.contains(access.getTarget().getName()))
                        .forEach(access -> events.add(SimpleConditionEvent.violated(access, access.getDescription())));
            }
        };
    }

    @Test
    void a_library_neither_ends_the_process_nor_prints() {
        noClasses().should().callMethod(System.class, "exit", int.class).check(CLASSES);
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName("dev.retort.evaluate.CostProbe") // answers the process that started it
                .should()
                .accessField(System.class, "out")
                .check(CLASSES);
        noClasses().should().accessField(System.class, "err").check(CLASSES);
        noClasses().should().accessField(FileDescriptor.class, "out").check(CLASSES);
        noClasses().should().accessField(FileDescriptor.class, "err").check(CLASSES);
        noClasses().should().callMethod(Throwable.class, "printStackTrace").check(CLASSES);
    }

    @Test
    void only_the_hub_package_uses_the_network() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.retort.hub..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("java.net.http..")
                .orShould()
                .dependOnClassesThat()
                .haveNameMatching("java\\.net\\.(Socket|ServerSocket|URLConnection|HttpURLConnection)")
                .check(CLASSES);
    }

    @Test
    void state_of_the_process_is_kept_in_the_torch_package_alone() {
        fields().that()
                .areStatic()
                .and()
                .areDeclaredInClassesThat()
                .resideOutsideOfPackage("dev.retort.torch..")
                .should()
                .beFinal()
                .check(CLASSES);
    }

    @Test
    void names_say_what_a_thing_is() {
        noClasses()
                .should()
                .haveSimpleNameEndingWith("Manager")
                .orShould()
                .haveSimpleNameEndingWith("Helper")
                .orShould()
                .haveSimpleNameEndingWith("Impl")
                .orShould()
                .haveSimpleNameEndingWith("Utils")
                .check(CLASSES);
    }

    @Test
    void every_package_says_in_a_sentence_what_it_is() throws IOException {
        for (Path module : modules()) {
            for (Path folder : foldersWithSources(module.resolve("src/main/java"))) {
                Path info = folder.resolve("package-info.java");
                assertThat(info).exists();
                assertThat(Files.readString(info)).as(info.toString()).containsPattern("(?s)^/\\*\\*.{20,}\\.\\s*\\*/");
            }
        }
    }

    @Test
    void nobody_imports_the_presets_by_star() throws IOException {
        for (Path module : modules()) {
            for (Path folder : List.of(module.resolve("src/main/java"), module.resolve("src/test/java"))) {
                for (Path source : sources(folder)) {
                    assertThat(Files.readAllLines(source))
                            .as(source.toString())
                            .noneMatch(line -> line.matches("import (static )?org\\.bytedeco\\..*\\*;"));
                }
            }
        }
    }

    @Test
    void a_library_names_fields_and_leaves_options_to_the_command() throws IOException {
        for (String module : List.of("diffusion", "base", "core")) {
            for (Path source : sources(Path.of("..", module, "src/main/java"))) {
                assertThat(Files.readAllLines(source))
                        .as(source.toString())
                        // convmv is another program, whose option stands in the command that mends a file name
                        .noneMatch(line -> line.matches(".*\"[^\"]*--[a-z].*") && !line.contains(" convmv "));
            }
        }
    }

    private static String[] packages(List<String> names) {
        return names.stream().map(name -> "dev.retort." + name + "..").toArray(String[]::new);
    }

    static List<Path> modules() throws IOException {
        try (Stream<Path> folders = Files.list(Path.of("..").toAbsolutePath().normalize())) {
            return folders.filter(folder -> Files.exists(folder.resolve("pom.xml")))
                    .toList();
        }
    }

    private static List<Path> foldersWithSources(Path root) throws IOException {
        return sources(root).stream().map(Path::getParent).distinct().toList();
    }

    static List<Path> sources(Path root) throws IOException {
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        }
    }
}
