package dev.retort.runtime;

import java.util.ArrayList;
import java.util.List;

/**
 * How a student serves.
 *
 * @param mode what it is quick at
 * @param threads cores to use; 0 for all that this process may (a container's limit, not the host's), one per core however many
 *     hardware threads it has
 * @param queueCapacity most requests that wait; one more is refused with {@link StudentException.Kind#QUEUE_FULL}
 * @param batchSizes pictures that are drawn at once, rising. A batch is filled up to the next of these, so that ONNX Runtime sees
 *     few shapes (each keeps memory) and a picture does not depend on how many others wait, but for rounding where a size has kernels of its own; with
 *     one size alone it is the same to the last bit
 * @param maxImages most pictures of one request; more are refused with {@link StudentException.Kind#TOO_LARGE}
 * @param anyCpu whether to open files for CPUs with 8-bit dot products on others, where sums may saturate
 * @param listener is told what happens
 */
public record StudentOptions(
        Mode mode,
        int threads,
        int queueCapacity,
        List<Integer> batchSizes,
        int maxImages,
        boolean anyCpu,
        StudentListener listener) {
    private static final List<Integer> USUAL_SIZES = List.of(1, 4, 16);

    /** What a student is quick at. */
    public enum Mode {
        /** One batch at a time on all threads, which spin while they wait for work: soonest a picture, and busy cores in between. */
        LATENCY,
        /** A batch on each thread, none of which spins: most pictures a second, and idle cores when nobody asks. */
        THROUGHPUT
    }

    /** Validates. */
    public StudentOptions {
        batchSizes = List.copyOf(batchSizes);
        require(threads >= 0, "threads", threads, "0 for all, or more");
        require(queueCapacity >= 1, "queueCapacity", queueCapacity, "at least 1");
        require(maxImages >= 1, "maxImages", maxImages, "at least 1");
        require(!batchSizes.isEmpty(), "batchSizes", batchSizes, "at least one");
        int last = 0;
        for (int size : batchSizes) {
            require(size > last, "batchSizes", batchSizes, "rising numbers of at least 1");
            last = size;
        }
    }

    private static void require(boolean right, String field, Object value, String expected) {
        if (!right) {
            throw new IllegalArgumentException(field + " is " + value + "; expected " + expected);
        }
    }

    /** For a person or a program that waits for one picture. */
    public static StudentOptions latency() {
        return new StudentOptions(Mode.LATENCY, 0, 64, USUAL_SIZES, 256, false, StudentListener.NONE);
    }

    /** For a service whose callers are many. */
    public static StudentOptions throughput() {
        return new StudentOptions(Mode.THROUGHPUT, 0, 64, USUAL_SIZES, 256, false, StudentListener.NONE);
    }

    /** The same on so many cores. */
    public StudentOptions threads(int threads) {
        return new StudentOptions(mode, threads, queueCapacity, batchSizes, maxImages, anyCpu, listener);
    }

    /** The same with room for so many waiting requests. */
    public StudentOptions queueCapacity(int queueCapacity) {
        return new StudentOptions(mode, threads, queueCapacity, batchSizes, maxImages, anyCpu, listener);
    }

    /** The same with batches of other sizes. */
    public StudentOptions batchSizes(int... batchSizes) {
        List<Integer> sizes = new ArrayList<>();
        for (int size : batchSizes) {
            sizes.add(size);
        }
        return new StudentOptions(mode, threads, queueCapacity, sizes, maxImages, anyCpu, listener);
    }

    /** The same with requests of at most so many pictures. */
    public StudentOptions maxImages(int maxImages) {
        return new StudentOptions(mode, threads, queueCapacity, batchSizes, maxImages, anyCpu, listener);
    }

    /** The same, opening files for other CPUs, too. */
    public StudentOptions anyCpu(boolean anyCpu) {
        return new StudentOptions(mode, threads, queueCapacity, batchSizes, maxImages, anyCpu, listener);
    }

    /** The same with another listener. */
    public StudentOptions listener(StudentListener listener) {
        return new StudentOptions(mode, threads, queueCapacity, batchSizes, maxImages, anyCpu, listener);
    }
}
