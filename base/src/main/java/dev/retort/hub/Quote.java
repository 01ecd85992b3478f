package dev.retort.hub;

/** Texts that others wrote, as they may stand in a message: short, and without what would steer a terminal. */
final class Quote {
    private static final int LONGEST = 80;

    private Quote() {}

    static String of(String text) {
        String plain = text.replaceAll("[\\p{Cntrl}\\x{80}-\\x{9f}]", "?");
        return plain.length() > LONGEST ? plain.substring(0, LONGEST) + "…" : plain;
    }
}
