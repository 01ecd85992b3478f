package dev.retort.runtime;

import ai.onnxruntime.OrtException;
import dev.retort.runtime.StudentException.Kind;
import java.util.List;
import java.util.TreeMap;

/** Draws batches of the queue until it closes: a thread of the platform, as a virtual one would be pinned by each native call. */
final class Worker implements Runnable {
    private final RequestQueue queue;
    private final List<Integer> batchSizes;
    private final Meter meter;
    private final TreeMap<Integer, BatchSampler> samplers = new TreeMap<>();
    private LoadedModel model;

    Worker(RequestQueue queue, List<Integer> batchSizes, Meter meter) {
        this.queue = queue;
        this.batchSizes = batchSizes;
        this.meter = meter;
    }

    @Override
    public void run() {
        try {
            int most = batchSizes.get(batchSizes.size() - 1);
            for (RequestQueue.Batch batch = queue.take(most); batch != null; batch = queue.take(most)) {
                work(batch);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // by nobody of ours: the thread ends as it was asked to
        } finally {
            forget();
        }
    }

    private void work(RequestQueue.Batch batch) {
        try (batch) {
            draw(batch);
        } catch (StudentException e) {
            fail(batch, e);
        } catch (OrtException e) {
            fail(batch, LoadFailure.ofRun(e));
        } catch (RuntimeException | Error e) { // the thread must live on: others wait for it
            fail(
                    batch,
                    new StudentException(
                            Kind.RUNTIME,
                            "the pictures could not be drawn (" + e
                                    + "); where memory was short, use smaller batchSizes",
                            e));
        }
    }

    private void fail(RequestQueue.Batch batch, StudentException failure) {
        for (Job job : batch.jobs()) {
            queue.remove(job);
            job.fail(failure);
        }
    }

    private void draw(RequestQueue.Batch batch) throws OrtException {
        long began = System.nanoTime();
        meter.batch();
        BatchSampler sampler = sampler(batch.model(), batch.size());
        long[] stepBegan = {began};
        int steps = batch.model().file().visibleSteps(batch.steps());
        float[] pixels = sampler.sample(samples(batch), batch.steps(), step -> {
            long now = System.nanoTime();
            meter.step(step, batch.size(), now - stepBegan[0]);
            stepBegan[0] = now;
            batch.jobs().forEach(job -> job.stepped(meter, steps));
            return !batch.over();
        });
        if (pixels != null) {
            hand(batch, pixels, began);
        }
    }

    private void hand(RequestQueue.Batch batch, float[] pixels, long began) {
        Shape shape = batch.model().pictures();
        for (int i = 0; i < batch.size(); i++) {
            Job job = batch.jobs().get(i);
            int picture = batch.pictures().get(i);
            int first = i * shape.values();
            if (finite(pixels, first, shape.values())) {
                meter.image(began - job.queuedAt(), System.nanoTime() - began);
                job.drawn(picture, Image.of(pixels, first, shape));
            } else {
                queue.remove(job);
                job.fail(new StudentException(
                        Kind.RUNTIME,
                        "picture " + picture + " has values that are no numbers; the weights of "
                                + batch.model().path() + " are damaged, so export it again"));
            }
        }
    }

    private static boolean finite(float[] values, int first, int count) {
        for (int i = first; i < first + count; i++) {
            if (!Float.isFinite(values[i])) {
                return false;
            }
        }
        return true;
    }

    private static BatchSampler.Samples samples(RequestQueue.Batch batch) {
        int[] labels = new int[batch.size()];
        long[] seeds = new long[batch.size()];
        long[] indices = new long[batch.size()];
        for (int i = 0; i < batch.size(); i++) {
            Job job = batch.jobs().get(i);
            indices[i] = batch.pictures().get(i);
            labels[i] = job.label(batch.pictures().get(i));
            seeds[i] = job.seed();
        }
        return new BatchSampler.Samples(batch.size(), labels, seeds, indices);
    }

    private BatchSampler sampler(LoadedModel wanted, int size) throws OrtException {
        if (model != wanted) {
            forget();
            model = wanted;
        }
        int batch = wanted.file().drawnAlone() ? 1 : filled(size);
        BatchSampler known = samplers.get(batch);
        if (known == null) {
            known = new BatchSampler(wanted, batch);
            samplers.put(batch, known);
        }
        return known;
    }

    private int filled(int size) {
        for (int batch : batchSizes) {
            if (batch >= size) {
                return batch;
            }
        }
        throw new IllegalStateException("a batch of " + size + " pictures among " + batchSizes);
    }

    /** The tensors lie over buffers of ours, so they may outlive their model's session. */
    private void forget() {
        samplers.values().forEach(BatchSampler::close);
        samplers.clear();
        model = null;
    }
}
