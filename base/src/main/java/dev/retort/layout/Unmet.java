package dev.retort.layout;

import java.util.List;

/**
 * Collects the options of a scheduler's configuration that ours lacks: field, value and what is expected.
 *
 * @param config what sets them
 * @param missing takes them
 */
record Unmet(LibraryConfig config, List<String> missing) {
    /** Notes a field unless its value means what we do. */
    void unless(boolean ours, String field, String expected) {
        if (!ours) {
            missing.add(field + " " + config.shown(field) + " (expected " + expected + ")");
        }
    }

    /** Whose they are, in the words of an option of one line. */
    static String of(SchedulerClass kind, List<String> missing) {
        String all = missing.isEmpty() ? "" : " with " + String.join(" and ", missing);
        return (kind.className() + all).replace('=', ':');
    }
}
