package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Names of files as text. Java reads and writes them in the charset of the locale; where that is ASCII, as in a container
 * that sets no locale, every other letter turns into {@link #LOST} and the file cannot be found by its text.
 */
public final class FileNames {
    /** What Java puts in the place of bytes that are not text in the locale's charset. */
    private static final char LOST = '\uFFFD';

    private FileNames() {}

    /**
     * The text of a path that was found in a folder.
     *
     * @throws RetortException of kind ENVIRONMENT where the locale's charset cannot say the name, DATA where the name is not
     *     written in UTF-8
     */
    public static String text(Path path) {
        String text = path.toString();
        if (!isLost(text) || says(path, text)) {
            return text;
        }
        throw isUnicode()
                ? new RetortException(
                        Kind.DATA,
                        "the name of " + plain(text)
                                + " is not written in UTF-8, so it cannot be read; rename it, as with"
                                + " convmv -f latin1 -t utf8 --notest")
                : locale("the name of " + text);
    }

    /** The path that a text says. Fails with ENVIRONMENT where the locale's charset cannot write it, else with CONFIG. */
    public static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw refusal(e);
        }
    }

    /** What to tell the user of a text that is no path: of kind ENVIRONMENT where the locale is to blame, else CONFIG. */
    public static RetortException refusal(InvalidPathException wrong) {
        String text = wrong.getInput();
        return isUnicode() || text.chars().allMatch(c -> c < 0x80)
                ? new RetortException(
                        Kind.CONFIG,
                        "'" + plain(text) + "' is not a path (" + wrong.getReason() + "); correct it",
                        wrong)
                : locale("'" + text + "'");
    }

    /**
     * Refuses a word of the command line, or of the environment, that reached Java in pieces.
     *
     * @throws RetortException of kind ENVIRONMENT
     */
    public static void requireReadable(String word) {
        if (!isUnicode() && isLost(word)) {
            throw locale("'" + word + "'");
        }
    }

    /** The charset of file names, by its name. */
    public static String charset() {
        return System.getProperty("sun.jnu.encoding", "UTF-8");
    }

    /** Whether file names may hold every letter. */
    public static boolean isUnicode() {
        return charset().equalsIgnoreCase("UTF-8");
    }

    private static boolean isLost(String text) {
        return text.indexOf(LOST) >= 0;
    }

    /** The replacement letter may stand in a name by right. */
    private static boolean says(Path path, String text) {
        try {
            return path.getFileSystem().getPath(text).equals(path);
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private static RetortException locale(String what) {
        return new RetortException(
                Kind.ENVIRONMENT,
                plain(what) + " cannot be used because the locale's charset for file names is " + charset()
                        + "; set LANG=C.UTF-8 and unset LC_ALL before Java starts");
    }

    private static String plain(String text) {
        return text.replaceAll("[\\p{Cntrl}\\x{80}-\\x{9f}]", "?");
    }
}
