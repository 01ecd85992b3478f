package dev.retort.cli;

import dev.retort.config.Suggestion;
import dev.retort.error.Printable;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.FileNames;
import dev.retort.torch.TorchError;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.InvalidPathException;
import java.util.Collection;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Says what went wrong in one sentence and chooses the exit code. */
final class Failure {
    /** Exit code of an error that is ours and that nobody translated. */
    static final int BUG = 1;

    private Failure() {}

    /** Reports what a command threw. */
    static int report(Exception thrown, CommandLine command, ParseResult parsed) {
        return tell(thrown, command, stacktraceAsked(parsed));
    }

    /** Says it on the command's writer, with the option to change, and returns the exit code. */
    static int tell(Throwable thrown, CommandLine command, boolean stacktrace) {
        PrintWriter err = command.getErr();
        RetortException known = translated(thrown);
        if (known == null) {
            String what = thrown.getMessage() == null ? "" : ": " + firstLine(thrown.getMessage());
            err.println("retort: internal error, " + thrown.getClass().getSimpleName() + what
                    + (stacktrace ? "" : "; run it again with --stacktrace and report what it prints"));
        } else {
            err.println("retort: " + OptionHint.sentence(known, command.getCommandSpec()));
        }
        if (stacktrace) {
            StringWriter trace = new StringWriter();
            thrown.printStackTrace(new PrintWriter(trace));
            err.print(Printable.lines(trace.toString()));
        }
        err.flush();
        return known == null ? BUG : known.kind().exitCode();
    }

    /** Says it where the results of a command that ended well could not be printed; returns the exit code. */
    static int ofOutput(Terminal terminal) {
        return terminal.out()
                .failure()
                .map(reason -> {
                    terminal.err()
                            .println("retort: standard output cannot be written (" + reason
                                    + "), so what was printed is missing or cut off; make room or send it elsewhere, and"
                                    + " run the same command again");
                    return Kind.WRITE.exitCode();
                })
                .orElse(0);
    }

    /** Reports a wrong command line. */
    static int usage(ParameterException wrong, String[] args) {
        CommandLine command = wrong.getCommandLine();
        String name = command.getCommandSpec().qualifiedName();
        PrintWriter err = command.getErr();
        String what = firstLine(wrong.getMessage());
        if (wrong instanceof UnmatchedArgumentException unmatched) {
            what = unknown(unmatched.getUnmatched().get(0), command);
        } else if (wrong.getCause() instanceof TypeConversionException refused && wrong.getArgSpec() != null) {
            what = name(wrong.getArgSpec()) + " is " + (wrong.getValue().isBlank() ? "empty" : wrong.getValue())
                    + ", expected " + refused.getMessage();
        }
        err.println(
                "retort: " + Printable.line(what) + (what.endsWith("?") ? " see '" : "; see '") + name + " --help'");
        err.flush();
        return Kind.USAGE.exitCode();
    }

    private static String name(ArgSpec argument) {
        return argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel();
    }

    /** What a word is not, and what it may have been meant to be. */
    private static String unknown(String word, CommandLine command) {
        String name = command.getCommandSpec().qualifiedName();
        boolean option = word.startsWith("-");
        Collection<String> known = option
                ? command.getCommandSpec().optionsMap().keySet()
                : command.getSubcommands().keySet();
        String near = Suggestion.nearest(word, known)
                .map(nearest -> "; did you mean '" + nearest + "'?")
                .orElse("");
        if (option) {
            return name + " has no option '" + word + "'" + near;
        }
        return (known.isEmpty() ? name + " takes no further word '" : "there is no command '") + word + "'" + near;
    }

    private static RetortException translated(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof RetortException known) {
                return known;
            }
            if (cause instanceof InvalidPathException wrong) {
                return FileNames.refusal(wrong);
            }
            if (TorchError.isOutOfMemory(cause)) {
                return new RetortException(
                        Kind.MEMORY,
                        "Memory is exhausted (" + TorchError.firstLine(cause)
                                + "); take a smaller batch or model, or free memory: 'retort doctor' shows what there is");
            }
            if (cause.getClass() == RuntimeException.class && cause.getCause() == null) {
                // what libtorch throws; a library call that knows what was being done has said it already
                RuntimeException said = TorchError.translate(
                        (RuntimeException) cause, "computing", "close other programs, or compute less at once");
                return said instanceof RetortException known ? known : null;
            }
            boolean io = cause instanceof IOException || cause instanceof UncheckedIOException;
            if (io && String.valueOf(cause.getMessage()).contains("No space left on device")) {
                return new RetortException(
                        Kind.WRITE,
                        "The disk is full (" + firstLine(cause.getMessage())
                                + "); free space and run the same command again");
            }
        }
        return null;
    }

    private static boolean stacktraceAsked(ParseResult parsed) {
        for (ParseResult at = parsed; at != null; at = at.subcommand()) {
            if (at.hasMatchedOption("--stacktrace")) {
                return true;
            }
        }
        return false;
    }

    private static String firstLine(String text) {
        return Printable.line(text.lines().findFirst().orElse(""));
    }
}
