package dev.retort.cli;

import dev.retort.error.RetortException;
import dev.retort.io.FileNames;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;

/** Starts the command line; the only place that ends the process. */
public final class Main {
    private Main() {}

    /** Runs one command and ends the process with its exit code. */
    public static void main(String[] args) {
        // Digits and letters of files, JSON and sentences are the same on every machine, those of libraries too.
        Locale.setDefault(Locale.ROOT);
        int exitCode = run(Terminal.ofProcess(), args);
        Interrupt.finished();
        System.exit(exitCode);
    }

    /** Runs one command; returns 0 or the exit code of the error's kind. */
    static int run(Terminal terminal, String... args) {
        CommandLine command = new Commands(terminal)
                .line(args)
                .setOut(writer(terminal.out()))
                .setErr(writer(terminal.err()))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setAbbreviatedOptionsAllowed(false)
                .setUsageHelpAutoWidth(false)
                .setUsageHelpWidth(100)
                .setUsageHelpLongOptionsMaxWidth(28)
                .registerConverter(Path.class, new Place())
                .registerConverter(String.class, new Word())
                .setColorScheme(CommandLine.Help.defaultColorScheme(terminal.ansi()))
                .setExecutionExceptionHandler(Failure::report)
                .setParameterExceptionHandler(Failure::usage);
        try {
            List.of(args).forEach(FileNames::requireReadable);
        } catch (RetortException e) {
            return Failure.tell(e, command, false);
        }
        int exitCode = executed(command, args);
        return exitCode == 0 ? Failure.ofOutput(terminal) : exitCode;
    }

    /** Picocli hands over exceptions; memory that runs out, or a stack, is an error. */
    private static int executed(CommandLine command, String... args) {
        try {
            return command.execute(args);
        } catch (Error e) {
            return Failure.tell(e, command, List.of(args).contains("--stacktrace"));
        }
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(stream, true, StandardCharsets.UTF_8);
    }
}
