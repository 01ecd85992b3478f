package dev.retort;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.util.JavacTask;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitAccessTarget;
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
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.lang.model.element.Element;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.element.TypeElement;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** The runtime, and what it uses of the mathematics, need no more of the JDK than Android 8 (API level 26) has: Java 8 without its desktop. */
class AndroidApiTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .importUrls(Stream.of(Student.class, Plan.class)
                    .map(inside -> inside.getProtectionDomain().getCodeSource().getLocation())
                    .toList());

    private static final Set<JavaClass> REACHED = reached();

    /** Later than Java 8, but put in place by Android's build (D8) whatever the device: records and these methods. */
    private static final Pattern PUT_IN_PLACE = Pattern.compile("java\\.lang\\.Record\\.<init>\\(\\)"
            + "|java\\.lang\\.String\\.(isBlank|repeat|strip)\\(.*"
            + "|java\\.util\\.(List|Set|Map)\\.(of|copyOf)\\(.*"
            + "|java\\.util\\.Objects\\.checkFromIndexSize\\(int,int,int\\)");

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
        Map<String, Set<String>> java8 = new HashMap<>();
        Set<String> later = new TreeSet<>();
        for (JavaClass type : REACHED) {
            for (JavaAccess<?> access : type.getAccessesFromSelf()) {
                String owner = name(access.getTargetOwner());
                String member = member(access);
                if (owner.startsWith("java.")
                        && !PUT_IN_PLACE.matcher(owner + "." + member).matches()
                        && !java8.computeIfAbsent(owner, name -> members(name, task))
                                .contains(member)) {
                    later.add(owner + "." + member + " in " + type.getSimpleName());
                }
            }
        }
        assertThat(java8.get("java.util.List")).contains("add(java.lang.Object)");
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

    /** A field's name, or a method's with its erased parameters. */
    private static String member(JavaAccess<?> access) {
        return access.getTarget() instanceof CodeUnitAccessTarget method
                ? method.getName()
                        + method.getRawParameterTypes().stream()
                                .map(AndroidApiTest::name)
                                .collect(Collectors.joining(",", "(", ")"))
                : access.getTarget().getName();
    }

    private static String name(JavaClass type) {
        return type.isArray()
                ? name(type.getComponentType()) + "[]"
                : type.getFullName().replace('$', '.');
    }

    private static Set<String> members(String type, JavacTask task) {
        TypeElement owner = task.getElements().getTypeElement(type);
        Set<String> members = new HashSet<>();
        if (owner != null) {
            for (Element member : task.getElements().getAllMembers(owner)) {
                String parameters = member instanceof ExecutableElement method
                        ? method.getParameters().stream()
                                .map(parameter -> task.getTypes()
                                        .erasure(parameter.asType())
                                        .toString())
                                .collect(Collectors.joining(",", "(", ")"))
                        : "";
                members.add(member.getSimpleName() + parameters);
            }
        }
        return members;
    }
}
