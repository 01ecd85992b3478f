package dev.retort.hub;

import java.util.function.Consumer;

/** Told what the hub does while it does it. */
public interface DownloadListener {
    /** Hears nothing. */
    DownloadListener NONE = saying(sentence -> {});

    /** Passes the sentences on and shows no progress. */
    static DownloadListener saying(Consumer<String> notes) {
        return new DownloadListener() {
            @Override
            public void say(String sentence) {
                notes.accept(sentence);
            }

            @Override
            public void progress(long done, long total, String file) {}
        };
    }

    /** A sentence for a person: what will be fetched, what is left out, why it waits. */
    void say(String sentence);

    /**
     * How far a download has come; called often.
     *
     * @param done bytes here, those of earlier attempts included
     * @param total bytes in all, at least 1
     * @param file what is fetched now
     */
    void progress(long done, long total, String file);
}
