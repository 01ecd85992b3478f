package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class MainTest {
    @Test
    void alone_it_prints_help_that_opens_with_examples() {
        Ran ran = Ran.retort();
        assertThat(ran.exitCode()).isZero();
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out().lines().limit(4)).contains("Examples:");
        assertThat(ran.out()).contains("Commands:");
    }

    @Test
    void every_command_opens_its_help_with_examples_that_name_it() {
        CommandLine root = new CommandLine(new RetortCommand(), new Commands(Terminal.ofProcess()));
        assertThat(root.getSubcommands()).isNotEmpty();
        root.getSubcommands().keySet().forEach(name -> {
            Ran ran = Ran.retort(name, "--help");
            assertThat(ran.exitCode()).as(name).isZero();
            assertThat(ran.out()).as(name).containsPattern("(?s)^.{10,120}\\R\\RExamples:\\R  retort " + name);
            assertThat(ran.out().lines()).as(name).allMatch(line -> line.length() <= 100);
        });
    }

    @Test
    void a_mistyped_command_is_a_usage_error_with_a_proposal() {
        Ran ran = Ran.retort("doctr");
        assertThat(ran.exitCode()).isEqualTo(2);
        assertThat(ran.out()).isEmpty();
        assertThat(ran.err())
                .isEqualTo("retort: there is no command 'doctr'; did you mean 'doctor'? see 'retort --help'\n");
    }

    @Test
    void a_mistyped_option_is_a_usage_error_with_a_proposal() {
        Ran ran = Ran.retort("doctor", "--jsn");
        assertThat(ran.exitCode()).isEqualTo(2);
        assertThat(ran.err())
                .isEqualTo(
                        "retort: retort doctor has no option '--jsn'; did you mean '--json'? see 'retort doctor --help'\n");
    }

    @Test
    void an_error_of_a_known_kind_is_one_sentence_and_the_exit_code_of_its_kind() {
        Ran ran = Ran.retort("presets", "no-such-preset");
        assertThat(ran.exitCode()).isEqualTo(Kind.CONFIG.exitCode());
        assertThat(ran.err().lines()).hasSize(1);
        assertThat(ran.err()).startsWith("retort: There is no preset 'no-such-preset'");
    }

    @Test
    void the_stack_trace_comes_when_asked_for() {
        assertThat(Ran.retort("presets", "no-such-preset", "--stacktrace").err())
                .contains("\tat dev.retort.cli.PresetsCommand");
    }

    @Test
    void exhausted_memory_and_a_full_disk_have_their_own_exit_codes() {
        assertThat(told(new RuntimeException(new OutOfMemoryError("Java heap space"))))
                .startsWith("5 ")
                .contains("smaller batch");
        assertThat(told(new UncheckedIOException(new IOException("a.bin: No space left on device"))))
                .startsWith("9 ")
                .contains("a.bin");
    }

    @Test
    void an_error_of_ours_says_how_to_report_it() {
        assertThat(told(new IllegalStateException("x")))
                .isEqualTo(
                        "1 retort: internal error, IllegalStateException: x; run it again with --stacktrace and report"
                                + " what it prints");
    }

    @Test
    void an_error_of_a_known_kind_is_found_below_what_wraps_it() {
        assertThat(told(new RuntimeException(new RetortException(Kind.DATA, "a.png is no image; remove it"))))
                .isEqualTo("6 retort: a.png is no image; remove it");
    }

    private static String told(Throwable thrown) {
        StringWriter said = new StringWriter();
        int exitCode = Failure.tell(thrown, new PrintWriter(said), false);
        return exitCode + " " + said.toString().strip();
    }
}
