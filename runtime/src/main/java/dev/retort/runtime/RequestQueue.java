package dev.retort.runtime;

import dev.retort.runtime.StudentException.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Requests that wait, first come first served, and the batches made of them. For several threads. */
final class RequestQueue {
    /** Pictures of one model and number of steps that are drawn together; the model is retained until {@link #close}. */
    record Batch(List<Job> jobs, List<Integer> pictures) implements AutoCloseable {
        int size() {
            return jobs.size();
        }

        LoadedModel model() {
            return jobs.get(0).model();
        }

        int steps() {
            return jobs.get(0).steps();
        }

        /** Whether nobody waits for any of it. */
        boolean over() {
            for (Job job : jobs) {
                if (!job.over()) {
                    return false;
                }
            }
            return true;
        }

        @Override
        public void close() {
            model().release();
        }
    }

    private final int capacity;
    private final ArrayDeque<Job> waiting = new ArrayDeque<>();
    private int idle;
    private boolean closed;

    RequestQueue(int capacity) {
        this.capacity = capacity;
    }

    /**
     * Lines a job up.
     *
     * @return how many wait now
     * @throws StudentException of kind QUEUE_FULL or CLOSED
     */
    synchronized int add(Job job) {
        if (closed) {
            throw closed();
        }
        if (waiting.size() >= capacity) {
            throw new StudentException(
                    Kind.QUEUE_FULL,
                    capacity
                            + " requests wait already, as many as queueCapacity allows; try again later, or allow more");
        }
        waiting.add(job);
        notify();
        return waiting.size();
    }

    static StudentException closed() {
        return new StudentException(Kind.CLOSED, "the student is closed; open it again");
    }

    /** Takes a job out, if it still waits: the place is free at once. */
    synchronized void remove(Job job) {
        waiting.remove(job);
    }

    synchronized int size() {
        return waiting.size();
    }

    /**
     * The next batch, once there is one: of the first who waits, and of others that go with it. Where other threads are idle, they are left
     * their share.
     *
     * @param most pictures in it
     * @return {@code null} once the queue is closed
     */
    synchronized Batch take(int most) throws InterruptedException {
        idle++;
        try {
            while (true) {
                while (waiting.isEmpty() && !closed) {
                    wait();
                }
                if (closed) {
                    return null;
                }
                if (waiting.peek().model().retain()) {
                    return batch(most);
                }
                waiting.remove(); // given up, and its model closed, between two locks
            }
        } finally {
            idle--;
        }
    }

    private Batch batch(int most) {
        Job first = waiting.peek();
        int together = 0;
        for (Job job : waiting) {
            together += job.goesWith(first) ? job.left() : 0;
        }
        int size = first.model().file().drawnAlone() ? 1 : Math.min(most, (together + idle - 1) / idle);
        List<Job> jobs = new ArrayList<>(size);
        List<Integer> pictures = new ArrayList<>(size);
        Iterator<Job> all = waiting.iterator();
        while (jobs.size() < size && all.hasNext()) {
            Job job = all.next();
            if (job.goesWith(first)) {
                while (jobs.size() < size && job.left() > 0) {
                    jobs.add(job);
                    pictures.add(job.take());
                }
                if (job.left() == 0) {
                    all.remove();
                }
            }
        }
        if (!waiting.isEmpty()) {
            notify();
        }
        return new Batch(jobs, pictures);
    }

    /** Lets nobody in any more. */
    void close() {
        List<Job> left;
        synchronized (this) {
            closed = true;
            left = new ArrayList<>(waiting);
            waiting.clear();
            notifyAll();
        }
        left.forEach(job -> job.fail(closed()));
    }
}
