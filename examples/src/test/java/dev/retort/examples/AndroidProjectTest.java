package dev.retort.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.diffusion.Plan;
import dev.retort.runtime.Image;
import dev.retort.runtime.Request;
import dev.retort.runtime.Student;
import dev.retort.runtime.TestStudents;
import java.io.File;
import java.io.InputStream;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sources of {@code examples/android} compile, and what is not Android's own draws. Nothing is run on Android. */
class AndroidProjectTest {
    private static final Path SOURCES = Path.of("android", "app", "src", "main", "java");

    @TempDir
    private Path folder;

    private Path compiled() throws Exception {
        List<String> libraries = new ArrayList<>();
        for (Class<?> inside : List.of(
                Student.class,
                Plan.class,
                Class.forName("android.app.Activity", false, getClass().getClassLoader()))) {
            libraries.add(Path.of(inside.getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString());
        }
        Path classes = Files.createDirectories(folder.resolve("classes"));
        List<String> options = List.of(
                "--release",
                "17",
                "-proc:none",
                "-Xlint:all",
                "-Xlint:-classfile",
                "-Werror",
                "-d",
                classes.toString(),
                "-cp",
                String.join(File.pathSeparator, libraries));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null);
                Stream<Path> sources = Files.walk(SOURCES)) {
            List<Path> java =
                    sources.filter(path -> path.toString().endsWith(".java")).toList();
            assertThat(java).hasSize(2);
            boolean right = compiler.getTask(said, files, null, options, null, files.getJavaFileObjectsFromPaths(java))
                    .call();
            assertThat(right).as(said.toString()).isTrue();
        }
        return classes;
    }

    @Test
    void the_sources_compile_and_the_half_without_android_draws_what_the_student_draws() throws Exception {
        Path file = TestStudents.usual(folder);
        URL[] classes = {compiled().toUri().toURL()};
        try (URLClassLoader loader = new URLClassLoader(classes, getClass().getClassLoader());
                InputStream asset = Files.newInputStream(file);
                Student student = Student.open(file)) {
            Class<?> type = loader.loadClass("dev.retort.android.Pictures");
            Method open = type.getDeclaredMethod("open", InputStream.class, File.class);
            Method draw = type.getDeclaredMethod("draw", long.class);
            open.setAccessible(true);
            draw.setAccessible(true);
            try (AutoCloseable pictures = (AutoCloseable)
                    open.invoke(null, asset, folder.resolve("unpacked.onnx").toFile())) {
                Image drawn = (Image) draw.invoke(pictures, 7L);
                assertThat(drawn.png())
                        .isEqualTo(student.sample(Request.of(0).seed(7)).get(0).png());
                assertThat(drawn.toArgb()).hasSize(drawn.width() * drawn.height());
            }
        }
    }

    @Test
    void the_project_takes_the_runtime_of_the_reactor_and_androids_own_onnx_runtime() throws Exception {
        String gradle = Files.readString(Path.of("android", "app", "build.gradle"));
        String reactor = Files.readString(Path.of("..", "pom.xml"));
        String onnx = reactor.replaceAll("(?s).*<onnxruntime.version>(.*?)</onnxruntime.version>.*", "$1");
        String version = reactor.replaceAll("(?s).*?<version>(.*?)</version>.*", "$1");
        assertThat(gradle)
                .contains("'dev.retort:runtime:" + version + "'", "onnxruntime-android:" + onnx + "'", "minSdk 26");
    }
}
