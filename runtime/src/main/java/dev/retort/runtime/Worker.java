package dev.retort.runtime;

import ai.onnxruntime.OrtException;
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
        } catch (OrtException | RuntimeException | Error e) { // the thread must live on: others wait for it
            fail(batch, LoadFailure.ofDrawing(e));
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
            hand(batch, sampler, pixels, began);
        }
    }

    private void hand(RequestQueue.Batch batch, BatchSampler sampler, float[] pixels, long began) {
        for (int i = 0; i < batch.size(); i++) {
            Job job = batch.jobs().get(i);
            int picture = batch.pictures().get(i);
            Image image;
            try {
                image = sampler.image(pixels, i, picture);
            } catch (StudentException e) {
                queue.remove(job);
                job.fail(e);
                continue;
            }
            meter.image(began - job.queuedAt(), System.nanoTime() - began);
            job.drawn(picture, image);
        }
    }

    private static BatchSampler.Samples samples(RequestQueue.Batch batch) {
        Subject[] shown = new Subject[batch.size()];
        Subject[] none = new Subject[batch.size()];
        long[] seeds = new long[batch.size()];
        long[] indices = new long[batch.size()];
        for (int i = 0; i < batch.size(); i++) {
            Job job = batch.jobs().get(i);
            indices[i] = batch.pictures().get(i);
            shown[i] = job.subject(batch.pictures().get(i));
            none[i] = job.none();
            seeds[i] = job.seed();
        }
        return new BatchSampler.Samples(batch.size(), shown, none, seeds, indices);
    }

    private BatchSampler sampler(LoadedModel wanted, int size) throws OrtException {
        if (model != wanted) {
            forget();
            model = wanted;
        }
        for (int batch : batchSizes) {
            if (batch >= size) {
                BatchSampler known = samplers.get(batch);
                if (known == null) {
                    known = new BatchSampler(wanted, batch);
                    samplers.put(batch, known);
                }
                return known;
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
