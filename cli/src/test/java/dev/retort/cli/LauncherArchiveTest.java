package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher in a folder of its own, with a jar that greets, and a JDK that notes how it is called. */
class LauncherArchiveTest {
    /** What the jar runs. */
    static final class Greeting {
        private Greeting() {}

        public static void main(String[] args) {
            System.out.println("hello " + String.join(" ", args));
        }
    }

    @TempDir
    private Path folder;

    private Path launcher;
    private Path target;
    private Path jar;
    private Path jdk;

    @BeforeEach
    void build() throws IOException {
        launcher = folder.resolve("my house/retort");
        target = launcher.resolveSibling("cli/target");
        Files.createDirectories(target.resolve("lib"));
        Files.copy(Path.of("..", "retort"), launcher);
        jar = target.resolve("retort.jar");
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, Greeting.class.getName());
        String type = Greeting.class.getName().replace('.', '/') + ".class";
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file, manifest);
                InputStream bytes = Greeting.class.getClassLoader().getResourceAsStream(type)) {
            out.putNextEntry(new ZipEntry(type));
            bytes.transferTo(out);
        }
        Files.setLastModifiedTime(jar, FileTime.from(Instant.now().minusSeconds(60)));
        Files.setLastModifiedTime(
                target.resolve("lib"), FileTime.from(Instant.now().minusSeconds(60)));
        jdk = jdk("jdk", "17.0.9", "echo archive >\"${a#*=}\"");
    }

    /** A JDK that notes its arguments in the file {@code calls}, and on being asked for an archive does as told. */
    private Path jdk(String name, String version, String archive) throws IOException {
        Path home = folder.resolve(name);
        Path java = home.resolve("bin/java");
        Files.createDirectories(java.getParent());
        Files.writeString(
                home.resolve("release"),
                "IMPLEMENTOR=\"N/A\"\nJAVA_RUNTIME_VERSION=\"" + version + "+9-" + name + "\"\nJAVA_VERSION=\""
                        + version + "\"\n");
        Files.writeString(
                java,
                "#!/bin/sh\necho \"$@\" >>'" + home.resolve("calls") + "'\nfor a; do case $a in"
                        + " -XX:ArchiveClassesAtExit=*) " + archive + " ;;"
                        + " -version) echo 'openjdk version \"" + version + "\"' >&2 ;; esac; done\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
        return home;
    }

    private Ran retort(Path javaHome, String... args) throws Exception {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder process = new ProcessBuilder(Stream.concat(Stream.of("sh", launcher.toString()), Stream.of(args))
                .toList());
        process.environment().put("JAVA_HOME", javaHome.toString());
        process.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
        int exitCode = process.redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start()
                .waitFor();
        return new Ran(exitCode, Files.readString(out), Files.readString(err));
    }

    /** The calls of a JDK since this was last asked. */
    private static List<String> calls(Path jdk) throws IOException {
        Path file = jdk.resolve("calls");
        List<String> calls = Files.readAllLines(file);
        Files.delete(file);
        return calls;
    }

    private List<Path> archives() throws IOException {
        try (Stream<Path> files = Files.list(target)) {
            return files.filter(file -> file.toString().endsWith(".jsa")).toList();
        }
    }

    @Test
    void classes_are_archived_once_for_each_build_and_jdk() throws Exception {
        retort(jdk, "sample", "a b").good();
        List<String> first = calls(jdk);
        assertThat(first).hasSize(2);
        assertThat(first.get(0)).contains("-XX:ArchiveClassesAtExit=", "dev.retort.cli.Rehearsal");
        assertThat(first.get(1))
                .contains("-XX:SharedArchiveFile=" + archives().get(0))
                .endsWith("-jar " + jar + " sample a b");
        assertThat(target).isDirectoryNotContaining(file -> file.toString().contains("rehearsal"));

        Ran again = retort(jdk, "doctor");
        assertThat(calls(jdk)).hasSize(1).allMatch(call -> call.endsWith("retort.jar doctor"));
        assertThat(again.err()).isEmpty();

        Path other = jdk("other", "21.0.1", "echo archive >\"${a#*=}\"");
        retort(other).good();
        assertThat(calls(other)).hasSize(2);
        assertThat(archives()).hasSize(2);

        Files.setLastModifiedTime(jar, FileTime.from(Instant.now().plusSeconds(5)));
        retort(jdk).good();
        assertThat(calls(jdk)).as("after a build").hasSize(2);
    }

    @Test
    void where_no_archive_can_be_made_it_starts_without_one_and_does_not_try_again() throws Exception {
        Path poor = jdk("poor", "17.0.9", "echo oh no >&2; exit 1");
        Ran ran = retort(poor, "doctor").good();
        assertThat(ran.err()).isEmpty();
        assertThat(calls(poor)).hasSize(2).last().asString().doesNotContain("SharedArchiveFile");
        retort(poor, "doctor").good();
        assertThat(calls(poor)).hasSize(1);
    }

    @Test
    void a_rehearsal_that_was_killed_is_tried_again() throws Exception {
        Path unlucky = jdk("unlucky", "17.0.9", "kill -9 $$");
        assertThat(retort(unlucky, "doctor").good().err()).isEmpty();
        assertThat(calls(unlucky)).hasSize(2);
        retort(unlucky, "doctor").good();
        assertThat(calls(unlucky)).hasSize(2);
        assertThat(archives()).isEmpty();
    }

    @Test
    void a_user_in_no_password_file_has_the_same_home_in_the_rehearsal() throws Exception {
        Path id = Files.createDirectories(folder.resolve("programs")).resolve("id");
        Files.writeString(id, "#!/bin/sh\nexit 1\n");
        Files.setPosixFilePermissions(id, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(
                launcher, Files.readString(launcher).replace("set -eu", "set -eu; PATH=" + id.getParent() + ":$PATH"));
        retort(jdk, "doctor").good();
        assertThat(calls(jdk)).hasSize(2).allMatch(call -> call.contains("-Duser.home=" + System.getenv("HOME")));
    }

    @Test
    void an_archive_that_does_not_fit_is_passed_over_without_a_word() throws Exception {
        Path real = Path.of(System.getProperty("java.home"));
        assertThat(retort(real, "you").good()).isEqualTo(new Ran(0, "hello you\n", ""));
        for (Path archive : archives()) {
            Files.deleteIfExists(archive);
            Files.writeString(archive, "no archive".repeat(10_000));
        }
        assertThat(retort(real, "you").good()).isEqualTo(new Ran(0, "hello you\n", ""));
    }

    @Test
    void an_old_jdk_is_refused_by_its_release_file_or_by_what_it_says() throws Exception {
        Path old = jdk("old", "11.0.2", ":");
        assertThat(retort(old).exitCode()).isEqualTo(4);
        assertThat(old.resolve("calls")).doesNotExist();
        Files.delete(old.resolve("release"));
        Ran ran = retort(old);
        assertThat(ran.exitCode()).isEqualTo(4);
        assertThat(ran.err()).contains("bin/java is version 11; install a JDK of version 17 or later");
        assertThat(calls(old)).containsExactly("-version");
    }
}
