package dev.retort.runtime;

import dev.retort.runtime.StudentException.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
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

    /** A job that one thread alone is to draw, in one batch. */
    private record Own(Thread worker, Job job) {}

    private final int capacity;
    private final ArrayDeque<Job> waiting = new ArrayDeque<>();
    private final List<Own> own = new ArrayList<>();
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

    /**
     * Gives a thread a job of its own, before all that wait: whole, and beside the capacity.
     *
     * @throws StudentException of kind CLOSED
     */
    synchronized void add(Thread worker, Job job) {
        if (closed) {
            throw closed();
        }
        own.add(new Own(worker, job));
        notifyAll();
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
     * The next batch, once there is one: a job of this thread's own, else of the first who waits, and of others that go with it. Where other
     * threads are idle, they are left their share.
     *
     * @param most pictures in it
     * @return {@code null} once the queue is closed
     */
    synchronized Batch take(int most) throws InterruptedException {
        idle++;
        try {
            while (true) {
                Job mine = own();
                while (mine == null && waiting.isEmpty() && !closed) {
                    wait();
                    mine = own();
                }
                if (closed) {
                    return null;
                }
                if (mine != null) {
                    if (mine.model().retain()) {
                        return whole(mine);
                    }
                } else if (waiting.peek().model().retain()) {
                    return batch(most);
                } else {
                    waiting.remove(); // given up, and its model closed, between two locks
                }
            }
        } finally {
            idle--;
        }
    }

    private Job own() {
        for (Own each : own) {
            if (each.worker == Thread.currentThread()) {
                own.remove(each);
                return each.job;
            }
        }
        return null;
    }

    private Batch whole(Job job) {
        List<Integer> pictures = new ArrayList<>();
        while (job.left() > 0) {
            pictures.add(job.take());
        }
        if (!waiting.isEmpty()) {
            notify(); // this thread may have been woken for what waits
        }
        return new Batch(Collections.nCopies(pictures.size(), job), pictures);
    }

    private Batch batch(int most) {
        Job first = waiting.peek();
        int together = 0;
        for (Job job : waiting) {
            together += job.goesWith(first) ? job.left() : 0;
        }
        int size = Math.min(most, (together + idle - 1) / idle);
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
            own.forEach(each -> left.add(each.job));
            waiting.clear();
            own.clear();
            notifyAll();
        }
        left.forEach(job -> job.fail(closed()));
    }
}
