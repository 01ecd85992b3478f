package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
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
        CommandLine root = new Commands(Terminal.ofProcess()).line();
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

    @Test
    void every_numeric_option_checks_its_range_before_the_command_begins() {
        Set<Class<?>> numbers = Set.of(int.class, Integer.class, long.class, Long.class, double.class, Double.class);
        CommandLine root = new CommandLine(new RetortCommand(), new Commands(Terminal.ofProcess()));
        root.getSubcommands().forEach((name, command) -> command.getCommandSpec().args().stream()
                .filter(argument -> numbers.contains(argument.type()))
                .forEach(argument -> {
                    String what = name + " " + argument.paramLabel() + " " + argument.description()[0];
                    assertThat(argument.converters()).as(what).hasSize(1);
                    for (String nonsense :
                            List.of("NaN", "Infinity", "-Infinity", "1e30", "", " ", "x", "2147483648000000000000")) {
                        assertThatThrownBy(() -> argument.converters()[0].convert(nonsense))
                                .as(what)
                                .isInstanceOf(CommandLine.TypeConversionException.class)
                                .hasMessageContaining("number");
                    }
                }));
    }

    @Test
    void every_default_is_a_value_that_a_user_could_give() {
        CommandLine root = new CommandLine(new RetortCommand(), new Commands(Terminal.ofProcess()));
        root.getSubcommands().forEach((name, command) -> command.getCommandSpec().options().stream()
                .filter(option -> option.defaultValue() != null)
                .forEach(option -> {
                    String what = name + " " + option.longestName();
                    assertThat(option.defaultValue()).as(what).isNotBlank();
                    for (CommandLine.ITypeConverter<?> converter : option.converters()) {
                        assertThatCode(() -> converter.convert(option.defaultValue()))
                                .as(what)
                                .doesNotThrowAnyException();
                    }
                }));
    }

    @Test
    void a_number_out_of_range_is_one_sentence_that_names_the_option() {
        Ran.retort("sample", "x", "--threads", "-1")
                .refused(2, "--threads is -1, expected a whole number from 1 to 1024");
        Ran.retort("evaluate", "x", "--samples", "1")
                .refused(2, "--samples is 1, expected a whole number of at least 2");
        Ran.retort("encode", "x", "--vae", "y", "--shard", "3000000000").refused(2, "and at most 2147483647");
        Ran.retort("sample", "x", "--out", "").refused(2, "--out is empty, expected a file or folder");
        Ran.retort("train", "x", "--run", " ").refused(2, "--run is empty, expected a file or folder");
        Ran.retort("evaluate", "x", "--data", "").refused(2, "--data is empty, expected a word");
        Ran.retort("sample", "").refused(2, "CHECKPOINT is empty, expected a word");
    }

    @Test
    void whole_numbers_are_written_as_in_configurations() throws Exception {
        assertThat(new Numbers.Count().convert("10_000")).isEqualTo(10_000);
        assertThat(new Numbers.Count().convert("1e4")).isEqualTo(10_000);
        assertThat(new Numbers.Seed().convert("-9223372036854775808")).isEqualTo(Long.MIN_VALUE);
        assertThatThrownBy(() -> new Numbers.Count().convert("1.5")).hasMessageContaining("whole number");
    }

    @Test
    void an_error_about_a_field_ends_with_the_option_that_the_command_has_for_it() {
        RetortException folder = new RetortException(Kind.DATA, "choose another folder").about("folder");
        assertThat(told("train", folder)).isEqualTo("6 retort: choose another folder (option --run)");
        assertThat(told("encode", folder)).isEqualTo("6 retort: choose another folder (option --out)");
        assertThat(told("doctor", folder)).isEqualTo("6 retort: choose another folder");
        assertThat(told(new RetortException(Kind.USAGE, "x").about("autoencoder")))
                .endsWith("x (option --vae)");
        RetortException heads = new RetortException(Kind.CHECKPOINT, "how many heads").about("hints.heads");
        assertThat(told("convert", heads)).endsWith("how many heads (option --heads)");
        assertThat(told("sample", heads)).endsWith("how many heads (option --heads of 'retort convert')");
    }

    @Test
    void results_that_could_not_be_printed_are_an_error() {
        OutputStream full = new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                throw new IOException("No space left on device");
            }
        };
        assertThat(printed(full, "presets")).startsWith("9 ").contains("No space left on device");
        assertThat(printed(full, "presets", "--json")).startsWith("9 ");
        assertThat(printed(full, "sample", "--help")).startsWith("9 ");
        assertThat(printed(full, "presets", "no-such-preset")).startsWith("3 ");
    }

    @Test
    void a_reader_that_wants_no_more_is_no_error() {
        OutputStream closed = new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                throw new IOException("Broken pipe");
            }
        };
        assertThat(printed(closed, "presets", "-q")).isEqualTo("0 ");
    }

    private static String printed(OutputStream out, String... args) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream said = new PrintStream(err, true, StandardCharsets.UTF_8);
        int exitCode = Main.run(new Terminal(DataStream.on(out), said, false, false), args);
        return exitCode + " " + err.toString(StandardCharsets.UTF_8).strip();
    }

    private static String told(Throwable thrown) {
        return told("sample", thrown);
    }

    private static String told(String name, Throwable thrown) {
        StringWriter said = new StringWriter();
        CommandLine command =
                new Commands(Terminal.ofProcess()).line(name).getSubcommands().get(name);
        int exitCode = Failure.tell(thrown, command.setErr(new PrintWriter(said)), false);
        return exitCode + " " + said.toString().strip();
    }
}
