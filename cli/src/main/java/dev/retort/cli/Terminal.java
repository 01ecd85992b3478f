package dev.retort.cli;

import dev.retort.config.CardFile;
import dev.retort.error.Printable;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.Help.Ansi;

/**
 * The two streams of a command.
 *
 * @param out data, for people and programs
 * @param err talk: progress, warnings, what to do next
 * @param interactive whether a person watches {@code err} on a terminal
 * @param colour whether colours are wanted there
 */
record Terminal(DataStream out, PrintStream err, boolean interactive, boolean colour) {
    /** The streams of this process, in UTF-8 whatever the locale says. */
    static Terminal ofProcess() {
        boolean interactive = watched();
        boolean colour = interactive
                && System.getenv().getOrDefault("NO_COLOR", "").isEmpty()
                && !"dumb".equals(System.getenv("TERM"));
        PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        return new Terminal(DataStream.on(new FileOutputStream(FileDescriptor.out)), err, interactive, colour);
    }

    /** The launcher knows exactly ({@code test -t 2}); without it the console is the best evidence there is. */
    private static boolean watched() {
        String told = System.getProperty("retort.terminal");
        if (told != null) {
            return Boolean.parseBoolean(told);
        }
        Console console = System.console();
        if (console == null || Runtime.version().feature() < 22) {
            return console != null;
        }
        try {
            // since 22 a console exists without a terminal too
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }

    Ansi ansi() {
        return colour ? Ansi.ON : Ansi.OFF;
    }

    /** Columns of the terminal, as the launcher measured them; 80 where nobody did. */
    int columns() {
        String columns = System.getenv().getOrDefault("COLUMNS", "");
        return columns.matches("\\d{2,4}") ? Integer.parseInt(columns) : 80;
    }

    /** Writes a value as JSON on the data stream; the control characters that JSON allows in texts are escaped, too. */
    void json(Object value) {
        out.println(Printable.lines(CardFile.text(value)));
    }

    /** The text in a picocli style, {@code bold} or {@code green}, where colours are wanted. */
    String styled(String style, String text) {
        return colour ? Ansi.ON.string("@|" + style + " " + text + "|@") : text;
    }
}
