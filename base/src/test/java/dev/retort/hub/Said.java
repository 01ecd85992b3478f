package dev.retort.hub;

import java.util.ArrayList;
import java.util.List;

/** Keeps what a hub says and how far it came. */
final class Said implements DownloadListener {
    final List<String> sentences = new ArrayList<>();
    final List<Long> progress = new ArrayList<>();
    long total;

    @Override
    public void say(String sentence) {
        sentences.add(sentence);
    }

    @Override
    public void progress(long done, long total, String file) {
        progress.add(done);
        this.total = total;
    }
}
