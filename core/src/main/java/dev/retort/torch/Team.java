package dev.retort.torch;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/**
 * Threads that share out the parts of one product. libtorch offers none for that: its OpenMP threads cannot be reached
 * from Java, and OpenBLAS's own cut many shapes badly (two threads of an AVX2 EPYC, 512 x 192 x 768: 100 GFLOP/s by
 * OpenBLAS's cut, 168 by ours; docs/results.md). The caller works too. Which thread takes which part is left to chance,
 * so a neighbour that holds one core up does not hold up the rest; what a part computes does not depend on it.
 */
final class Team {
    /** How long a thread without work waits awake: products of one step follow each other within less. */
    private static final long AWAKE_NANOS = 60_000;
    /** Less is done before another thread has woken. */
    private static final double NANOS_WORTH_A_THREAD = 40_000;
    /** So that the others can take work off a thread that a neighbour holds up. */
    private static final int PARTS_A_THREAD = 2;

    private final ReentrantLock oneAtATime = new ReentrantLock();
    private final Worker[] workers;
    private volatile Job job;

    /** @param threads threads in all, the caller's among them */
    Team(int threads) {
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i);
            workers[i].start();
        }
    }

    int threads() {
        return workers.length + 1;
    }

    /** Into how many parts {@link #share} divides at most. */
    int mostParts() {
        return PARTS_A_THREAD * threads();
    }

    /**
     * Runs every unit once, on several threads where there is enough to do for them.
     *
     * @param nanos what all of it takes one thread, roughly
     * @param worker makes what runs units one after the other, with arrays of its own
     */
    void share(int units, double nanos, Supplier<IntConsumer> worker) {
        int parts = nanos < 2 * NANOS_WORTH_A_THREAD ? 1 : Math.min(units, mostParts());
        run(parts, part -> {
            IntConsumer unit = worker.get();
            int end = (int) ((part + 1L) * units / parts);
            for (int i = (int) ((long) part * units / parts); i < end; i++) {
                unit.accept(i);
            }
        });
    }

    /** Runs every part once and returns when all are done. A team that is busy lets the caller do all of it. */
    void run(int parts, IntConsumer part) {
        run(parts, part, AWAKE_NANOS);
    }

    /**
     * {@link #run(int, IntConsumer)}; a part that runs something itself, whose threads have enough to do, does it alone.
     *
     * @param awakeNanos how long threads wait awake for what comes next
     */
    void run(int parts, IntConsumer part, long awakeNanos) {
        if (parts == 1 || workers.length == 0 || oneAtATime.isHeldByCurrentThread() || !oneAtATime.tryLock()) {
            new Job(parts, part, awakeNanos).finish();
            return;
        }
        try {
            Job mine = new Job(parts, part, awakeNanos);
            job = mine;
            for (int i = 0; i < workers.length && i < parts - 1; i++) {
                workers[i].wake();
            }
            mine.finish();
        } finally {
            job = null;
            oneAtATime.unlock();
        }
    }

    /** Ends the threads; a run under way is finished by its caller. */
    void stop() {
        for (Worker worker : workers) {
            worker.stopped = true;
            LockSupport.unpark(worker);
        }
    }

    private static final class Job {
        private final int parts;
        private final IntConsumer part;
        private final long awakeNanos;
        private final AtomicInteger taken = new AtomicInteger();
        private final AtomicInteger done = new AtomicInteger();
        private final AtomicReference<Throwable> failure = new AtomicReference<>();

        Job(int parts, IntConsumer part, long awakeNanos) {
            this.parts = parts;
            this.part = part;
            this.awakeNanos = awakeNanos;
        }

        /** The caller's share of it: whatever is left, then waiting. */
        void finish() {
            work();
            await();
        }

        /** Parts, as long as there are any, with MKL on this thread alone; libtorch's own products may be on more. */
        void work() {
            int before = Mkl.threadsHere(1);
            for (int i = taken.getAndIncrement(); i < parts; i = taken.getAndIncrement()) {
                try {
                    part.accept(i);
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                } finally {
                    done.incrementAndGet();
                }
            }
            Mkl.threadsHere(before);
        }

        private void await() {
            while (done.get() < parts) {
                Thread.onSpinWait();
            }
            Throwable thrown = failure.get();
            if (thrown instanceof RuntimeException e) {
                throw e;
            } else if (thrown instanceof Error e) {
                throw e;
            }
        }
    }

    private final class Worker extends Thread {
        private volatile boolean stopped;
        private volatile boolean asleep;

        Worker(int index) {
            super("retort-product-" + (index + 1));
            setDaemon(true);
        }

        void wake() {
            if (asleep) {
                LockSupport.unpark(this);
            }
        }

        @Override
        public void run() {
            Job last = null;
            while (!stopped) {
                Job next = next(last);
                if (next != null) {
                    next.work();
                    last = next;
                }
            }
        }

        /** The next job, or null when there was none for a while. */
        private Job next(Job last) {
            long sleepAt = System.nanoTime() + (last == null ? AWAKE_NANOS : last.awakeNanos);
            while (System.nanoTime() < sleepAt) {
                Job now = job;
                if (now != null && now != last) {
                    return now;
                }
                Thread.onSpinWait();
            }
            asleep = true;
            Job now = job;
            if ((now == null || now == last) && !stopped) {
                LockSupport.park(this);
            }
            asleep = false;
            return null;
        }
    }
}
