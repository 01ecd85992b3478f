package dev.retort.hub;

import java.util.Arrays;

/** What a path inside a repository may be, so that it stays inside a folder that it is resolved in. */
final class SafePath {
    private static final int LONGEST_NAME = 255;
    private static final int LONGEST = 2048;

    private SafePath() {}

    /** Whether it is relative, of plain names without {@code .} and {@code ..}, in characters that every system takes. */
    static boolean is(String path) {
        return !path.isEmpty()
                && path.length() <= LONGEST
                && path.chars().noneMatch(c -> Character.isISOControl(c) || c == '\\')
                && Arrays.stream(path.split("/", -1)).allMatch(SafePath::isName);
    }

    private static boolean isName(String name) {
        return !name.isBlank() && name.length() <= LONGEST_NAME && !name.equals(".") && !name.equals("..");
    }
}
