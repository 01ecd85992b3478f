package dev.retort.runtime;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** An accepted request: drawn picture by picture, by several batches perhaps, from the model that served when it came. */
final class Job {
    private final LoadedModel model;
    private final Subject[] subjects;
    private final Subject none;
    private final long seed;
    private final int steps;
    private final ProgressListener progress;
    private final long queuedAt = System.nanoTime();
    private final Image[] images;
    private final AtomicInteger missing;
    private final AtomicLong stepsDone = new AtomicLong();
    private final CompletableFuture<List<Image>> result = new CompletableFuture<>();
    private int next;

    /**
     * Holds the model until the result is there.
     *
     * @param model retained by the caller for this job
     * @param subjects one of each picture
     * @param none what is told where guidance asks for nothing
     */
    Job(LoadedModel model, Subject[] subjects, Subject none, long seed, int steps, ProgressListener progress) {
        this.model = model;
        this.subjects = subjects;
        this.none = none;
        this.seed = seed;
        this.steps = steps;
        this.progress = progress;
        images = new Image[subjects.length];
        missing = new AtomicInteger(subjects.length);
        result.whenComplete((drawn, failure) -> model.release());
    }

    LoadedModel model() {
        return model;
    }

    int steps() {
        return steps;
    }

    Subject subject(int picture) {
        return subjects[picture];
    }

    Subject none() {
        return none;
    }

    long seed() {
        return seed;
    }

    long queuedAt() {
        return queuedAt;
    }

    CompletableFuture<List<Image>> result() {
        return result;
    }

    /** Whether nobody waits for it any more. */
    boolean over() {
        return result.isDone();
    }

    /** Whether a batch can be shared with another. */
    boolean goesWith(Job other) {
        return model == other.model && steps == other.steps;
    }

    /** Pictures that no batch has taken; for the queue alone, under its lock. */
    int left() {
        return subjects.length - next;
    }

    /** The next picture; for the queue alone, under its lock. */
    int take() {
        return next++;
    }

    /** A step of one of its pictures was computed. */
    void stepped(Meter meter, int stepsOfEach) {
        long done = stepsDone.incrementAndGet();
        meter.told(() -> progress.onProgress(done, (long) subjects.length * stepsOfEach));
    }

    /** A picture is there; the last one ends the job. */
    void drawn(int picture, Image image) {
        images[picture] = image;
        if (missing.decrementAndGet() == 0) {
            result.complete(Collections.unmodifiableList(Arrays.asList(images)));
        }
    }

    /** Ends without pictures, unless it is over already. */
    void fail(StudentException failure) {
        result.completeExceptionally(failure);
    }
}
