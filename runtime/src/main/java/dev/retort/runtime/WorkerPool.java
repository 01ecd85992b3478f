package dev.retort.runtime;

import dev.retort.runtime.StudentException.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** The queue of a student, the threads that draw what waits in it, and the clock that ends what waits too long. */
final class WorkerPool implements AutoCloseable {
    private final RequestQueue queue;
    private final Meter meter;
    private final List<Thread> workers = new ArrayList<>();
    private final ScheduledThreadPoolExecutor clock;

    WorkerPool(int threads, StudentOptions options, Meter meter) {
        this.meter = meter;
        queue = new RequestQueue(options.queueCapacity());
        clock = new ScheduledThreadPoolExecutor(1, work -> thread(work, "retort-deadlines"));
        clock.setRemoveOnCancelPolicy(true);
        clock.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy()); // closed: the queue fails the job
        try {
            for (int i = 0; i < threads; i++) {
                Thread worker = thread(new Worker(queue, options.batchSizes(), meter), "retort-student-" + i);
                worker.start();
                workers.add(worker);
            }
        } catch (RuntimeException | Error e) { // the system has no thread more
            close();
            throw e;
        }
    }

    private static Thread thread(Runnable work, String name) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        return thread;
    }

    /** Requests that wait. */
    int waiting() {
        return queue.size();
    }

    /**
     * Lines a job up; whatever becomes of it, it lets go of its model.
     *
     * @param deadline from now; {@code null} for none
     * @throws StudentException of kind QUEUE_FULL or CLOSED
     */
    CompletableFuture<List<Image>> submit(Job job, Duration deadline) {
        CompletableFuture<List<Image>> result = job.result();
        try {
            meter.queued(queue.add(job));
        } catch (StudentException e) {
            job.fail(e);
            throw meter.failure(e);
        }
        if (deadline != null) {
            ScheduledFuture<?> late = clock.schedule(() -> late(job, deadline), nanos(deadline), TimeUnit.NANOSECONDS);
            result.whenComplete((images, failure) -> late.cancel(false));
        }
        result.whenComplete((images, failure) -> {
            queue.remove(job);
            if (failure instanceof StudentException e) {
                meter.failure(e);
            }
        });
        return result;
    }

    /**
     * Has each thread draw a job of its own, beside the queue; whatever becomes of one, it lets go of its model.
     *
     * @throws StudentException of kind CLOSED
     */
    List<CompletableFuture<List<Image>>> each(Supplier<Job> jobs) {
        List<CompletableFuture<List<Image>>> results = new ArrayList<>();
        for (Thread worker : workers) {
            Job job = jobs.get();
            try {
                queue.add(worker, job);
            } catch (StudentException e) {
                job.fail(e);
                throw e;
            }
            results.add(job.result());
        }
        return results;
    }

    /** @throws IllegalStateException on a thread that draws, which cannot wait for what is drawn */
    void requireOtherThread() {
        if (workers.contains(Thread.currentThread())) {
            throw new IllegalStateException(
                    "a thread that draws for this student would wait for itself; use submit, or go on"
                            + " from its future by a method with Async in its name");
        }
    }

    /** What was drawn, waited for. */
    static List<Image> await(CompletableFuture<List<Image>> result) {
        try {
            return result.get();
        } catch (InterruptedException e) {
            result.cancel(true);
            Thread.currentThread().interrupt();
            throw new StudentException(Kind.CANCELLED, "the waiting thread was interrupted; ask again", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof StudentException failure) {
                throw new StudentException(failure.kind(), failure.getMessage(), failure);
            }
            throw new StudentException(Kind.RUNTIME, "the pictures could not be drawn (" + e.getCause() + ")", e);
        }
    }

    private static void late(Job job, Duration deadline) {
        job.fail(new StudentException(
                Kind.DEADLINE,
                "the pictures were not there within " + deadline + "; ask for fewer, or allow more time"));
    }

    private static long nanos(Duration deadline) {
        return deadline.compareTo(Duration.ofDays(365)) > 0 ? TimeUnit.DAYS.toNanos(365) : deadline.toNanos();
    }

    /** Fails what waits, and returns once the batches in work are finished, but for that of the thread that calls. */
    @Override
    public void close() {
        queue.close();
        clock.shutdownNow();
        boolean interrupted = false;
        for (Thread worker : workers) {
            while (worker.isAlive() && worker != Thread.currentThread()) {
                try {
                    worker.join();
                } catch (InterruptedException e) {
                    interrupted =
                            true; // the sessions cannot be closed under a worker, so it is waited for all the same
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
