package dev.retort.cli;

import dev.retort.hub.ByteSize;
import dev.retort.hub.DownloadListener;

/** Says what the hub does; a bar appears once something is fetched. */
final class DownloadBar implements DownloadListener, AutoCloseable {
    private final Output output;
    private Bar bar;
    private long startDone;
    private long startNanos;

    DownloadBar(Output output) {
        this.output = output;
    }

    @Override
    public void say(String sentence) {
        output.say(sentence);
    }

    @Override
    public void progress(long done, long total, String file) {
        if (bar == null) {
            bar = output.bar("fetch", "");
            startDone = done;
            startNanos = System.nanoTime();
        }
        double seconds = (System.nanoTime() - startNanos) / 1e9;
        String speed = done > startDone && seconds > 1
                ? ", " + ByteSize.text(Math.round((done - startDone) / seconds)) + "/s"
                : "";
        bar.update(done, total, ByteSize.text(done) + " of " + ByteSize.text(total) + speed + ", " + file);
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
