package dev.retort.cli.doctor;

/**
 * One thing looked at.
 *
 * @param subject what was looked at
 * @param state how it is
 * @param found what was found
 * @param fix what to do about it; empty where nothing needs doing
 */
public record Check(String subject, State state, String found, String fix) {
    /** How a thing is. */
    public enum State {
        /** As it should be. */
        GOOD("✓", "green"),
        /** It works, but could do better. */
        WARNING("!", "yellow"),
        /** Retort does not run, or not as asked, until this is fixed. */
        BAD("✗", "red");

        private final String mark;
        private final String style;

        State(String mark, String style) {
            this.mark = mark;
            this.style = style;
        }

        /** A tick, an exclamation mark or a cross. */
        public String mark() {
            return mark;
        }

        /** The colour it is shown in. */
        public String style() {
            return style;
        }
    }

    static Check good(String subject, String found) {
        return new Check(subject, State.GOOD, found, "");
    }

    static Check warning(String subject, String found, String fix) {
        return new Check(subject, State.WARNING, found, fix);
    }

    static Check bad(String subject, String found, String fix) {
        return new Check(subject, State.BAD, found, fix);
    }
}
