package dev.retort.error;

import java.util.Locale;

/**
 * Text of files and other strangers, as it may be shown: a terminal obeys control characters, which can rewrite what stands
 * on it, its title, or what is typed next.
 */
public final class Printable {
    private Printable() {}

    /** One line: every control character, line ends included, as its escape, such as {@code \n} or {@code \u005cu001b}. */
    public static String line(String text) {
        return escaped(text, "");
    }

    /** Several lines: line ends and tabs stay. */
    public static String lines(String text) {
        return escaped(text, "\n\r\t");
    }

    private static String escaped(String text, String kept) {
        if (text.codePoints().noneMatch(Printable::obeyed)) {
            return text;
        }
        StringBuilder shown = new StringBuilder();
        text.codePoints().forEach(point -> {
            if (!obeyed(point) || kept.indexOf(point) >= 0) {
                shown.appendCodePoint(point);
            } else {
                shown.append(escape(point));
            }
        });
        return shown.toString();
    }

    private static String escape(int point) {
        return switch (point) {
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> String.format(Locale.ROOT, "\\u%04x", point);
        };
    }

    /** Control characters of both kinds, other line ends, halves of characters, and what turns the direction of writing. */
    private static boolean obeyed(int point) {
        boolean turns = point >= 0x202a && point <= 0x202e
                || point >= 0x2066 && point <= 0x2069
                || point == 0x200e
                || point == 0x200f
                || point == 0x061c;
        return turns
                || switch (Character.getType(point)) {
                    case Character.CONTROL,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SURROGATE -> true;
                    default -> false;
                };
    }
}
