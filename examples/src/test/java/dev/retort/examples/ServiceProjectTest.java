package dev.retort.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.retort.diffusion.Plan;
import dev.retort.runtime.Request;
import dev.retort.runtime.Student;
import dev.retort.runtime.TestStudents;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The project in {@code examples/service} is built outside the reactor, from the coordinates that we publish, by a Maven of its own. */
@Timeout(180)
class ServiceProjectTest {
    private static final Path PROJECT = Path.of("service");
    private static final String VERSION = "0.1.0-SNAPSHOT";

    @TempDir
    private Path folder;

    @Test
    void a_project_outside_the_reactor_draws_by_the_published_coordinates() throws Exception {
        assumeTrue(onPath("mvn"), "mvn is not on the path");
        Path known =
                Path.of(System.getProperty("retort.repository", System.getProperty("user.home") + "/.m2/repository"));
        assumeTrue(
                Files.isDirectory(known.resolve("com/microsoft/onnxruntime/onnxruntime"))
                        && Files.isDirectory(known.resolve("org/apache/maven/plugins/maven-dependency-plugin/3.9.0")),
                () -> known + " has not all that it takes: build Retort by mvn -DskipTests package once");
        Path repository = Files.createDirectory(folder.resolve("repository"));
        link(known, repository);
        install("retort", Path.of("..", "pom.xml"), repository, null);
        install("diffusion", Path.of("..", "diffusion", "pom.xml"), repository, Plan.class);
        install("runtime", Path.of("..", "runtime", "pom.xml"), repository, Student.class);
        Path project = copied();
        try {
            run(project, "mvn", "-o", "-q", "-B", "-Dmaven.repo.local=" + repository, "package");
        } finally {
            unlink(repository); // or JUnit warns of each as it clears up
        }

        Path student = TestStudents.usual(folder);
        Path png = folder.resolve("square.png");
        String jar = project.resolve("target/picture-service.jar").toString();
        run(folder, java(), "-jar", jar, student.toString(), "square", png.toString());
        try (Student here = Student.open(student)) {
            assertThat(Files.readAllBytes(png))
                    .isEqualTo(here.sample(Request.of(1).seed(7)).get(0).png());
        }
    }

    @Test
    void the_program_has_ten_lines_and_the_version_of_the_reactor() throws IOException {
        assertThat(Files.readString(Path.of("..", "pom.xml"))).contains("<version>" + VERSION + "</version>");
        assertThat(Files.readString(PROJECT.resolve("pom.xml"))).contains("<version>" + VERSION + "</version>");
        assertThat(Files.readAllLines(PROJECT.resolve("src/main/java/DrawPicture.java")).stream()
                        .filter(line -> !line.isBlank() && !line.startsWith("/**") && !line.startsWith("import")))
                .hasSizeLessThanOrEqualTo(10);
    }

    private static boolean onPath(String command) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, command)));
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** All that this build has loaded already, but for what is ours, so that neither network nor copies are needed. */
    private static void link(Path known, Path repository) throws IOException {
        Files.createDirectories(repository.resolve("dev"));
        for (Path from : List.of(known, known.resolve("dev"))) {
            if (Files.isDirectory(from)) {
                try (Stream<Path> entries = Files.list(from)) {
                    for (Path entry : entries.filter(Files::isDirectory).toList()) {
                        Path to = repository.resolve(known.relativize(entry));
                        if (!entry.endsWith("dev") && !entry.endsWith("retort")) {
                            Files.createSymbolicLink(to, entry);
                        }
                    }
                }
            }
        }
    }

    private static void unlink(Path repository) throws IOException {
        try (Stream<Path> entries = Files.walk(repository, 2)) {
            for (Path link : entries.filter(Files::isSymbolicLink).toList()) {
                Files.delete(link);
            }
        }
    }

    /** Lays down what {@code mvn install} would. */
    private static void install(String artifact, Path pom, Path repository, Class<?> inside)
            throws IOException, URISyntaxException {
        Path place = Files.createDirectories(
                repository.resolve("dev/retort").resolve(artifact).resolve(VERSION));
        Files.copy(pom, place.resolve(artifact + "-" + VERSION + ".pom"));
        if (inside != null) {
            Path classes = Path.of(
                    inside.getProtectionDomain().getCodeSource().getLocation().toURI());
            Path jar = place.resolve(artifact + "-" + VERSION + ".jar");
            if (Files.isDirectory(classes)) {
                pack(classes, jar);
            } else {
                Files.copy(classes, jar);
            }
        }
    }

    private static void pack(Path classes, Path jar) throws IOException {
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out);
                Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                entries.putNextEntry(
                        new JarEntry(classes.relativize(file).toString().replace(File.separatorChar, '/')));
                Files.copy(file, entries);
            }
        }
    }

    private Path copied() throws IOException {
        Path project = folder.resolve("project");
        for (String file : List.of("pom.xml", "src/main/java/DrawPicture.java")) {
            Files.createDirectories(project.resolve(file).getParent());
            Files.copy(PROJECT.resolve(file), project.resolve(file));
        }
        return project;
    }

    private void run(Path in, String... command) throws IOException, InterruptedException {
        Path said = folder.resolve("said.txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(in.toFile())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile());
        builder.environment().put("MAVEN_OPTS", "-XX:TieredStopAtLevel=1");
        builder.environment().keySet().removeIf(name -> name.equals("MAVEN_CONFIG") || name.equals("MAVEN_ARGS"));
        Process process = builder.start();
        if (!process.waitFor(2, TimeUnit.MINUTES)) {
            process.destroyForcibly();
        }
        assertThat(process.waitFor()).as("%s", Files.readString(said)).isZero();
    }
}
