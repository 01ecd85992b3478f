package dev.retort.cli;

import dev.retort.error.Printable;
import dev.retort.report.Progress;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What every command says and how: data as text or JSON, talk or silence, stack traces on demand. */
final class Output {
    private final Terminal terminal;

    @Option(names = "--json", description = "Print the result as JSON.")
    private boolean json;

    @Option(
            names = {"-q", "--quiet"},
            description = "Say nothing but results and errors.")
    private boolean quiet;

    @Option(names = "--stacktrace", description = "On an error, print the stack trace too.")
    private boolean stacktrace;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    Output(Terminal terminal) {
        this.terminal = terminal;
    }

    boolean json() {
        return json;
    }

    boolean stacktrace() {
        return stacktrace;
    }

    Terminal terminal() {
        return terminal;
    }

    /** A sentence to the person, on the talk stream; it may name what files hold. */
    void say(String sentence) {
        show(Printable.lines(sentence));
    }

    private void show(String text) {
        if (!quiet) {
            terminal.err().println(text);
        }
    }

    /** The command line as it was given. */
    String command() {
        return "retort "
                + String.join(" ", command.root().commandLine().getParseResult().originalArgs());
    }

    /** The last line of a command: what to try now. */
    void next(String command) {
        show("Next: " + terminal.styled("bold", Printable.line(command)));
    }

    /** A bar on a terminal, a line now and then elsewhere, nothing when quiet. */
    Bar bar(String task, String unit) {
        return bar(task, unit, 0);
    }

    /** The same for a task that was predicted to take so many seconds. */
    Bar bar(String task, String unit, double predicted) {
        return quiet ? new Bar(Progress.NONE, () -> {}) : Bar.on(terminal, task, unit, predicted);
    }
}
