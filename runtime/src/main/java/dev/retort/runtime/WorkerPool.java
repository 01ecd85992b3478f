package dev.retort.runtime;

import dev.retort.runtime.StudentException.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

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
        for (int i = 0; i < threads; i++) {
            Thread worker = thread(new Worker(queue, options.batchSizes(), meter), "retort-student-" + i);
            workers.add(worker);
            worker.start();
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

    private static void late(Job job, Duration deadline) {
        job.fail(new StudentException(
                Kind.DEADLINE,
                "the pictures were not there within " + deadline + "; ask for fewer, or allow more time"));
    }

    private static long nanos(Duration deadline) {
        return deadline.compareTo(Duration.ofDays(365)) > 0 ? TimeUnit.DAYS.toNanos(365) : deadline.toNanos();
    }

    /** Fails what waits, and returns once the batches in work are finished. */
    @Override
    public void close() {
        queue.close();
        clock.shutdownNow();
        boolean interrupted = false;
        for (Thread worker : workers) {
            while (worker.isAlive()) {
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
