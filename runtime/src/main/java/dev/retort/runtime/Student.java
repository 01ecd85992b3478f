package dev.retort.runtime;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * An exported student that draws pictures. For any number of threads, virtual ones too: the work is done on threads of its own.
 *
 * <pre>{@code
 * try (Student student = Student.open(Path.of("fashion.onnx"))) {
 *     List<Image> images = student.sample(Request.ofClasses("bag").seed(7).count(4));
 *     Files.write(Path.of("bag.png"), images.get(0).png());
 * }
 * }</pre>
 *
 * <p>A picture is a function of the file, its seed, its place in the request, its class or prompt and the number of steps; requests that wait are drawn
 * together, which changes nothing in them ({@link StudentOptions}).
 */
public final class Student implements AutoCloseable {
    private final StudentOptions options;
    private final boolean latency;
    private final int threads;
    private final Meter meter;
    private final WorkerPool workers;
    private LoadedModel model;
    private boolean closed;

    private Student(Path path, StudentOptions options) {
        this.options = options;
        latency = options.mode() == StudentOptions.Mode.LATENCY;
        threads = options.threads() == 0
                ? Cpu.current().threads(Runtime.getRuntime().availableProcessors())
                : options.threads();
        meter = new Meter(options.listener());
        model = load(path);
        try {
            workers = new WorkerPool(latency ? 1 : threads, options, meter);
        } catch (RuntimeException | Error e) {
            model.release();
            throw e;
        }
    }

    /** Opens a file for one who waits ({@link StudentOptions#latency}). */
    public static Student open(Path path) {
        return open(path, StudentOptions.latency());
    }

    /**
     * Opens a file.
     *
     * @throws StudentException of kind BAD_FILE, UNSUPPORTED_VERSION, UNSUPPORTED_CPU, or RUNTIME where ONNX Runtime itself cannot be loaded
     */
    public static Student open(Path path, StudentOptions options) {
        return new Student(path, options);
    }

    private LoadedModel load(Path path) {
        LoadedModel loaded = LoadedModel.open(path, latency ? threads : 1, latency && threads > 1);
        try {
            EightBitCheck.of(loaded, Cpu.current(), options, meter);
        } catch (StudentException e) {
            loaded.release();
            throw e;
        }
        return loaded;
    }

    /** Names of the classes, by label. */
    public List<String> classes() {
        return file().classes();
    }

    /** The labels that it was made for. */
    public List<Integer> labels() {
        return file().labels();
    }

    /** Whether it draws what a text says; else a class, or pictures of one kind. */
    public boolean takesPrompts() {
        return file().texts().taken();
    }

    /** Some texts of the kind that it was trained on; none where it takes no prompts, or where nobody knows any. */
    public List<String> prompts() {
        return file().texts().examples();
    }

    /** What of a prompt would be left out, as there are more tokens than it reads; empty where all fits. A listener is warned of it. */
    public String cut(String prompt) {
        return file().texts().cut(prompt);
    }

    /** The numbers of steps that it may draw in, its own first. */
    public List<Integer> steps() {
        return file().steps();
    }

    /** Of its pictures. */
    public synchronized Shape shape() {
        return model.pictures();
    }

    /**
     * The label of a class by its name: one called exactly so, else one called so but for upper case, else one with such a synonym among names
     * with commas between.
     *
     * @throws StudentException of kind BAD_REQUEST where there is none, or several
     */
    public int label(String name) {
        return ClassNames.label(name, file().classes());
    }

    private synchronized StudentFile file() {
        return model.file();
    }

    /**
     * Draws, and waits for it.
     *
     * @return pictures in the request's order
     * @throws IllegalStateException on a thread of this student's, which would wait for itself
     * @throws StudentException of the kinds of {@link #submit(Request, Duration, ProgressListener)}, or CANCELLED where this thread is interrupted
     */
    public List<Image> sample(Request request) {
        workers.requireOtherThread();
        return WorkerPool.await(submit(request));
    }

    /** The same, but for no longer than that. */
    public List<Image> sample(Request request, Duration deadline) {
        workers.requireOtherThread();
        return WorkerPool.await(submit(request, deadline));
    }

    /** Asks for pictures, whenever they are there. */
    public CompletableFuture<List<Image>> submit(Request request) {
        return submit(request, null, (done, total) -> {});
    }

    /** Asks for pictures within a time from now. */
    public CompletableFuture<List<Image>> submit(Request request, Duration deadline) {
        return submit(request, deadline, (done, total) -> {});
    }

    /**
     * Asks for pictures within a time from now.
     *
     * @param progress is told of each step of each picture
     * @return the pictures, in the request's order; to cancel it ends the work after the step that is being computed. It ends with a
     *     {@link StudentException} of kind DEADLINE, CLOSED or RUNTIME; what follows by a method without {@code Async} runs on the thread that draws
     * @throws StudentException at once, of kind BAD_REQUEST, TOO_LARGE, QUEUE_FULL or CLOSED
     */
    public CompletableFuture<List<Image>> submit(Request request, Duration deadline, ProgressListener progress) {
        Job job;
        try {
            job = job(request, options.maxImages(), progress);
        } catch (StudentException e) {
            throw meter.failure(e);
        }
        return workers.submit(job, deadline);
    }

    private Job job(Request request, int maxImages, ProgressListener progress) {
        LoadedModel serving;
        synchronized (this) {
            requireOpen();
            serving = model;
            serving.retain();
        }
        try {
            return RequestCheck.job(request, serving, maxImages, progress, meter);
        } catch (StudentException e) {
            serving.release();
            throw e;
        }
    }

    /**
     * Has each of its threads draw a batch of each size, so that no request pays for first times; then it {@link #isReady}. Beside the queue:
     * these are no requests.
     *
     * @throws IllegalStateException on a thread of this student's, which would wait for itself
     * @throws StudentException of kind CLOSED, RUNTIME, or CANCELLED where this thread is interrupted
     */
    public void warmUp() {
        workers.requireOtherThread();
        for (int batch : options.batchSizes()) {
            Request request = file().first().count(batch);
            workers.each(() -> job(request, batch, (done, total) -> {})).forEach(WorkerPool::await);
        }
    }

    /** Whether it has drawn a picture, and is not closed: what a health check asks. */
    public synchronized boolean isReady() {
        return !closed && metrics().images() > 0;
    }

    /**
     * Replaces the file: requests that came before are drawn from the old one, which is closed with the last of them; those that come after, from the new
     * one. Where the new one cannot be opened or draws no picture, the old one serves on. That picture is drawn on this thread, beside the queue.
     *
     * @throws StudentException as {@link #open(Path, StudentOptions)} does, or of kind CLOSED
     */
    public void reload(Path path) {
        requireOpen();
        LoadedModel fresh = load(path);
        LoadedModel old = fresh;
        try {
            BatchSampler.tryOut(fresh);
            synchronized (this) {
                requireOpen();
                old = model;
                model = fresh;
            }
        } finally {
            old.release();
        }
        meter.reload(path);
    }

    private synchronized void requireOpen() {
        if (closed) {
            throw RequestQueue.closed();
        }
    }

    /** What it has done. */
    public StudentMetrics metrics() {
        return meter.read(workers.waiting());
    }

    /**
     * Ends: who waits gets a {@link StudentException} of kind CLOSED, batches in work are finished before this returns, but for that of a thread of
     * this student's that calls it.
     */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        workers.close();
        model.release();
    }
}
