package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command in a container, where nobody set a locale; names in bytes come from the shell. */
class LocaleTest {
    @TempDir
    private Path folder;

    private Ran shell(String script) throws Exception {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(List.of("sh", "-c", script))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().put("LC_ALL", "POSIX");
        builder.environment()
                .put(
                        "JAVA",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString());
        builder.environment().put("CP", System.getProperty("java.class.path"));
        Process process = builder.start();
        assertThat(process.waitFor(4, TimeUnit.MINUTES)).isTrue();
        return new Ran(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    @Test
    void a_word_that_the_locale_cannot_say_is_refused_with_what_to_set() throws Exception {
        Ran ran = shell("exec \"$JAVA\" -cp \"$CP\" dev.retort.cli.Main inspect \"$(printf 'na\\303\\257ve.pt')\"");
        ran.refused(4, "charset for file names is ANSI_X3.4-1968", "set LANG=C.UTF-8");
        assertThat(ran.err()).doesNotContain("Exception");
    }

    @Test
    void the_doctor_warns_of_such_a_locale() throws Exception {
        Ran ran = shell("exec \"$JAVA\" -cp \"$CP\" dev.retort.cli.Main doctor");
        assertThat(ran.out()).contains("! File names", "ANSI_X3.4-1968", "fix: set LANG=C.UTF-8");
    }

    /** The launcher's first lines, which choose the locale, with another end. */
    private Ran launcher(String environment) throws Exception {
        Path launcher = Path.of("..", "retort").toAbsolutePath();
        Path copy = folder.resolve("launcher");
        Files.writeString(
                copy,
                Files.readString(launcher).replaceFirst("(?s)\nif \\[ -n \"\\$\\{JAVA_HOME.*", "\nlocale charmap\n"));
        return shell("unset LC_ALL LC_CTYPE LANG; " + environment + " sh " + copy);
    }

    @Test
    void the_launcher_sets_a_locale_that_has_all_letters_and_leaves_one_that_has_them() throws Exception {
        for (String environment : List.of("", "LANG=C", "LC_ALL=POSIX", "LANG=xx_YY.UTF-8", "LC_CTYPE=C")) {
            assertThat(launcher(environment).good().out()).as(environment).isEqualTo("UTF-8\n");
        }
        assertThat(launcher("LANG=C.UTF-8").good().out()).isEqualTo("UTF-8\n");
    }
}
