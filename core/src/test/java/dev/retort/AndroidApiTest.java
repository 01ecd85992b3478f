package dev.retort;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.util.JavacTask;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitAccessTarget;
import com.tngtech.archunit.core.domain.AccessTarget.FieldAccessTarget;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.retort.diffusion.Plan;
import dev.retort.runtime.Student;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.lang.model.element.Element;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.element.TypeElement;
import javax.lang.model.util.Elements;
import javax.lang.model.util.Types;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** The runtime, and what it uses of the mathematics, need no more of the JDK than Android 8 (API level 26) has: Java 8 without its desktop. */
class AndroidApiTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .importUrls(Stream.of(Student.class, Plan.class)
                    .map(inside ->
                            inside.getProtectionDomain().getCodeSource().getLocation())
                    .toList());

    private static final Set<JavaClass> REACHED = reached();

    /** Later than Java 8, but put in place by Android's build (D8) whatever the device: records and these methods. */
    private static final Pattern PUT_IN_PLACE = Pattern.compile("java\\.lang\\.Record\\.<init>\\(\\)"
            + "|java\\.lang\\.String\\.(isBlank|repeat|strip)\\(.*"
            + "|java\\.util\\.(List|Set|Map)\\.(of|copyOf)\\(.*"
            + "|java\\.util\\.Objects\\.checkFromIndexSize\\(int, int, int\\)");

    /** The runtime's classes and those of ours that they use, whatever the way. */
    private static Set<JavaClass> reached() {
        Set<JavaClass> reached = new HashSet<>();
        Deque<JavaClass> next = new ArrayDeque<>();
        CLASSES.stream()
                .filter(type -> type.getPackageName().equals(Student.class.getPackageName()))
                .forEach(next::add);
        while (!next.isEmpty()) {
            JavaClass type = next.remove();
            if (reached.add(type)) {
                type.getDirectDependenciesFromSelf().stream()
                        .map(Dependency::getTargetClass)
                        .filter(target -> CLASSES.contain(target.getName()))
                        .forEach(next::add);
            }
        }
        return reached;
    }

    @Test
    void no_package_is_used_that_android_lacks() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "java.awt..",
                        "java.beans..",
                        "java.lang.foreign..",
                        "java.lang.instrument..",
                        "java.lang.management..",
                        "java.net.http..",
                        "java.rmi..",
                        "javax.imageio..",
                        "javax.management..",
                        "javax.naming..",
                        "javax.swing..",
                        "javax.tools..",
                        "jdk..",
                        "com.sun..",
                        "sun..")
                .check(CLASSES);
    }

    @Test
    void no_method_or_field_is_used_that_came_after_java_8() throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        JavacTask task = (JavacTask)
                compiler.getTask(null, null, null, List.of("--release", "8", "-proc:none"), null, List.of(nothing()));
        task.analyze();
        Set<String> later = new TreeSet<>();
        for (JavaClass type : REACHED) {
            for (JavaAccess<?> access : type.getAccessesFromSelf()) {
                String target = described(access);
                if (access.getTargetOwner().getFullName().startsWith("java.")
                        && !PUT_IN_PLACE.matcher(target).matches()
                        && !known(access, task.getElements(), task.getTypes())) {
                    later.add(target + " in " + type.getSimpleName());
                }
            }
        }
        assertThat(later).isEmpty();
    }

    private static JavaFileObject nothing() {
        return new SimpleJavaFileObject(URI.create("string:///Nothing.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return "class Nothing {}";
            }
        };
    }

    private static String described(JavaAccess<?> access) {
        String name = access.getTargetOwner().getFullName() + "." + access.getTarget().getName();
        return access.getTarget() instanceof CodeUnitAccessTarget method
                ? name + "(" + String.join(", ", parameters(method)) + ")"
                : name;
    }

    private static List<String> parameters(CodeUnitAccessTarget method) {
        return method.getRawParameterTypes().stream()
                .map(AndroidApiTest::name)
                .collect(Collectors.toList());
    }

    private static String name(JavaClass type) {
        return type.isArray() ? name(type.getComponentType()) + "[]" : type.getFullName().replace('$', '.');
    }

    private static boolean known(JavaAccess<?> access, Elements elements, Types types) {
        TypeElement owner = elements.getTypeElement(name(access.getTargetOwner()));
        if (owner == null) {
            return false;
        }
        for (Element member : elements.getAllMembers(owner)) {
            if (member.getSimpleName().contentEquals(access.getTarget().getName())
                    && (access.getTarget() instanceof FieldAccessTarget
                            || member instanceof ExecutableElement method
                                    && access.getTarget() instanceof CodeUnitAccessTarget target
                                    && erased(method, types).equals(parameters(target)))) {
                return true;
            }
        }
        return false;
    }

    private static List<String> erased(ExecutableElement method, Types types) {
        return method.getParameters().stream()
                .map(parameter -> types.erasure(parameter.asType()).toString())
                .collect(Collectors.toList());
    }
}
