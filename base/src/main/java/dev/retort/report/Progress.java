package dev.retort.report;

/** Told how far a long piece of work has come; called often, so an implementation decides what it shows. */
@FunctionalInterface
public interface Progress {
    /** Shows nothing. */
    Progress NONE = (done, total, text) -> {};

    /**
     * @param done units done, never above {@code total}
     * @param total units in all, at least 1
     * @param text what is known now, in a few words ({@code "loss 0.12"}); may be empty
     */
    void update(long done, long total, String text);
}
