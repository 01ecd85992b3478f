package dev.retort.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the launcher says of a Java that cannot be used, in a checkout where nothing is built yet. */
class LauncherTest {
    @TempDir
    private Path folder;

    private Path launcher;

    @BeforeEach
    void copy() throws IOException {
        launcher = Files.createDirectories(folder.resolve("checkout")).resolve("retort");
        Files.copy(Path.of("..", "retort"), launcher);
    }

    private Path javaHome(String script) throws IOException {
        Path java = Files.createDirectories(folder.resolve("java home/bin")).resolve("java");
        Files.writeString(java, "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
        return java.getParent().getParent();
    }

    private void refused(Path javaHome, String... words) throws Exception {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(List.of("sh", launcher.toString(), "doctor"))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().put("JAVA_HOME", javaHome.toString());
        Process process = builder.start();
        process.waitFor(4, TimeUnit.MINUTES);
        new Ran(process.exitValue(), Files.readString(out), Files.readString(err)).refused(4, words);
    }

    @Test
    void a_home_without_java_is_named() throws Exception {
        refused(folder, "JAVA_HOME is " + folder, "which holds no bin/java");
    }

    @Test
    void an_old_java_is_named() throws Exception {
        refused(javaHome("echo 'openjdk version \"11.0.2\" 2019-01-15' >&2"), "is version 11", "17 or later");
    }

    @Test
    void a_java_that_does_not_start_is_told_in_its_own_words() throws Exception {
        refused(
                javaHome(
                        "echo 'Picked up JAVA_TOOL_OPTIONS: -Xmx9z' >&2; echo 'Invalid maximum heap size' >&2; exit 1"),
                "does not start (Invalid maximum heap size)",
                "JAVA_TOOL_OPTIONS");
    }

    @Test
    void a_jre_cannot_build_and_is_told_from_a_jdk() throws Exception {
        refused(javaHome("echo 'openjdk version \"21.0.1\" 2023-10-17' >&2"), "there is no javac", "install a JDK");
    }

    @Test
    void a_checkout_that_cannot_be_written_is_named() throws Exception {
        Path home = javaHome("echo 'openjdk version \"21.0.1\" 2023-10-17' >&2");
        Files.createFile(home.resolve("bin/javac"));
        Files.setPosixFilePermissions(home.resolve("bin/javac"), PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(launcher.resolveSibling("cli"), "a file in the way of the folder");
        Files.writeString(launcher, Files.readString(launcher).replace("command -v mvn >/dev/null ||", "true ||"));
        refused(home, launcher.getParent() + "/cli/target cannot be written");
    }
}
