package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An endless stream of batches, decoded and mirrored by background threads a bounded number of batches ahead. What is
 * in a batch depends on the seed and the images seen only, not on threads, prefetch or batch size. One thread may call
 * {@link #next}.
 */
public final class Loader implements AutoCloseable {
    private final ImageSource source;
    /** The same pictures at another size; null where there are none. */
    private final ImageSource paired;

    private final int batch;
    private final boolean flip;
    private final Order order;
    private final ExecutorService workers;
    private final Deque<Future<Batch>> ahead = new ArrayDeque<>();
    private final DamagedPictures damaged;
    private long nextImage;
    private long waitedNanos;
    private long clockStart = System.nanoTime();

    /**
     * Starts to load.
     *
     * @param source where the pictures come from
     * @param batch pictures per batch, at least 1
     * @param seed decides order and mirroring
     * @param imagesSeen clock at which to start: 0, or what a resumed run has seen
     * @param flip whether half of the pictures are mirrored left to right
     * @param threads background threads, at least 1
     * @param prefetch batches kept ready or in the making, at least 1
     */
    public Loader(ImageSource source, int batch, long seed, long imagesSeen, boolean flip, int threads, int prefetch) {
        atLeast("batch", batch, 1);
        atLeast("imagesSeen", imagesSeen, 0);
        atLeast("threads", threads, 1);
        atLeast("prefetch", prefetch, 1);
        requireIndexable(source, batch);
        source.paired().ifPresent(other -> requireIndexable(other, batch));
        this.source = source;
        this.paired = source.paired().orElse(null);
        this.batch = batch;
        this.flip = flip;
        this.damaged = new DamagedPictures(source);
        this.order = new Order(source.size(), seed);
        this.nextImage = imagesSeen;
        AtomicInteger number = new AtomicInteger();
        this.workers = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "retort-data-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        for (int i = 0; i < prefetch; i++) {
            order();
        }
    }

    /**
     * The next batch; waits for it where the background threads are behind.
     *
     * @throws RetortException of kind DATA when too many pictures are damaged
     */
    public Batch next() {
        if (workers.isShutdown()) {
            throw new IllegalStateException("the loader is closed");
        }
        order();
        long start = System.nanoTime();
        try {
            return ahead.removeFirst().get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RetortException known) {
                throw known;
            }
            throw new IllegalStateException("loading " + source.name() + " failed", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RetortException(Kind.INTERRUPTED, "interrupted while waiting for data", e);
        } finally {
            waitedNanos += System.nanoTime() - start;
        }
    }

    /** Share of the time since the start or the last {@link #resetWait} that {@link #next} spent waiting, 0 to 1. */
    public double waitShare() {
        long elapsed = System.nanoTime() - clockStart;
        return elapsed <= 0 ? 0 : Math.min(1, (double) waitedNanos / elapsed);
    }

    /** Starts a new measurement of {@link #waitShare}. */
    public void resetWait() {
        waitedNanos = 0;
        clockStart = System.nanoTime();
    }

    /** Why each damaged picture met so far was left out, in the order of the source. */
    public List<String> skipped() {
        return damaged.messages();
    }

    /** A sentence for each damaged picture that was met since the last call. */
    public List<String> newlySkipped() {
        return damaged.news();
    }

    /** Stops the background threads; batches under way are dropped. */
    @Override
    public void close() {
        workers.shutdownNow();
        ahead.clear();
    }

    private void order() {
        long first = nextImage;
        nextImage += batch;
        ahead.addLast(workers.submit(() -> load(first)));
    }

    private Batch load(long first) {
        float[] values = new float[batch * source.pixels()];
        float[] pairedValues = new float[paired == null ? 0 : batch * paired.pixels()];
        List<Note> notes = new ArrayList<>(batch);
        for (int i = 0; i < batch; i++) {
            if (Thread.currentThread().isInterrupted()) {
                throw new RetortException(Kind.INTERRUPTED, "loading " + source.name() + " was stopped");
            }
            notes.add(read(first + i, i, values, pairedValues).oneCaption(order.caption(first + i)));
        }
        Prompts prompts = Prompts.of(notes);
        return Batch.of(
                source,
                values,
                prompts,
                first,
                paired == null ? null : Batch.of(paired, pairedValues, prompts, first, null));
    }

    private Note read(long k, int place, float[] values, float[] pairedValues) {
        long index = order.index(k);
        boolean mirrored = flip && order.mirrored(k);
        for (int attempt = 1; ; attempt++) {
            if (!damaged.contains(index)) {
                try {
                    if (paired != null) {
                        paired.readAugmented(index, mirrored, order.chance(k), pairedValues, place * paired.pixels());
                    }
                    return source.readAugmented(index, mirrored, order.chance(k), values, place * source.pixels());
                } catch (RetortException e) {
                    damaged.leaveOut(index, e);
                }
            }
            index = order.replacement(k, attempt);
        }
    }

    private static void requireIndexable(ImageSource source, int batch) {
        if ((long) batch * source.pixels() > Integer.MAX_VALUE) {
            throw new RetortException(
                    Kind.MEMORY,
                    "memory ran out: a batch of " + batch + " images of " + source.pixels()
                            + " values each is more than an array can hold (" + Integer.MAX_VALUE
                            + " values); lower the batch");
        }
    }

    private static void atLeast(String field, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(field + " is " + value + ", expected at least " + least);
        }
    }
}
