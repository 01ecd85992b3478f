package dev.retort.evaluate;

import dev.retort.report.Progress;

/** One progress over pieces of work of known relative size, so that the time left is right from the start. */
public final class Portions {
    private static final long TOTAL = 1000;

    private final Progress whole;
    private final double all;
    private double done;

    /** @param all size of all pieces together, in any unit */
    public Portions(Progress whole, double all) {
        this.whole = whole;
        this.all = all;
    }

    /** The progress of the next piece; a piece counts as done when the one after it is asked for. */
    public Progress next(double size, String name) {
        double before = done;
        done += size;
        return (part, parts, text) -> whole.update(
                Math.round(TOTAL * Math.min(1, (before + size * part / parts) / all)),
                TOTAL,
                name + (text.isEmpty() ? "" : ", " + text));
    }
}
