package dev.retort.io;

import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;

/** What is wrong with a JSON text and where, in words for those who wrote the file, not for those who parse it. */
public final class JsonFault {
    private static final Pattern NO_NUMBER = Pattern.compile("[Nn]on-standard token '([^']*)'");

    private JsonFault() {}

    /** Such as {@code line 3, column 17: NaN is not a value in JSON, which has finite numbers and null}. */
    public static String of(JacksonException wrong) {
        String message = wrong.getOriginalMessage().lines().findFirst().orElse("");
        TokenStreamLocation at = wrong.getLocation();
        Matcher noNumber = NO_NUMBER.matcher(message);
        if (!noNumber.find()) {
            return at(at, 0) + message;
        }
        String token = noNumber.group(1);
        return at(at, token.length()) + token + " is not a value in JSON, which has finite numbers and null";
    }

    /** {@link #of(JacksonException)}, or why the file was not read at all. */
    public static String ofFile(Exception wrong) {
        return wrong instanceof JacksonException fault ? of(fault) : AtomicWrite.reason((IOException) wrong);
    }

    /** @param read letters between the fault and where the parser noticed it */
    private static String at(TokenStreamLocation at, int read) {
        return at == null || at.getLineNr() < 1
                ? ""
                : "line " + at.getLineNr() + ", column " + (at.getColumnNr() - read) + ": ";
    }
}
