package dev.retort.runtime;

import ai.onnxruntime.OrtException;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.runtime.StudentException.Kind;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Draws batches of one size from one model, in buffers that it keeps. For one thread. */
final class BatchSampler implements AutoCloseable {
    /**
     * What each sample of a batch is.
     *
     * @param count how many there are
     * @param shown what each shows
     * @param none what is told of each where guidance asks for nothing
     * @param seeds of its noise
     * @param indices of its noise under the seed
     */
    record Samples(int count, Subject[] shown, Subject[] none, long[] seeds, long[] indices) {}

    private final LoadedModel model;
    private final StudentFile file;
    private final Lane lane;
    private final int size;
    private final float[] noise;
    private final float[] output;
    private final float[] unguided;
    private final Map<Integer, FloatExecutor> executors = new HashMap<>();

    BatchSampler(LoadedModel model, int batch) throws OrtException {
        this.model = model;
        file = model.file();
        size = file.values().values();
        lane = new Lane(model, batch);
        try {
            noise = new float[batch * size];
            output = new float[batch * lane.outputSize()];
            unguided = new float[output.length];
        } catch (RuntimeException | Error e) { // memory is short
            lane.close();
            throw e;
        }
    }

    /**
     * Draws a picture of a model that does not serve yet, on this thread.
     *
     * @throws StudentException of kind RUNTIME where it draws none
     */
    static void tryOut(LoadedModel model) {
        StudentFile file = model.file();
        Subject[] told = RequestCheck.first(model);
        Samples first = new Samples(1, new Subject[] {told[0]}, new Subject[] {told[1]}, new long[1], new long[1]);
        try (BatchSampler sampler = new BatchSampler(model, 1)) {
            sampler.image(sampler.sample(first, file.steps().get(0), step -> true), 0, 0);
        } catch (OrtException | RuntimeException | Error e) {
            throw LoadFailure.ofDrawing(e);
        }
    }

    /**
     * Draws.
     *
     * @param samples at most as many as a batch has
     * @param watcher is asked after each step whether to go on
     * @return pixels in [-1, 1] up to an overshoot, (batch, C, H, W), until the next call; {@code null} where the watcher ended it
     */
    float[] sample(Samples samples, int steps, FloatExecutor.Watcher watcher) {
        if (file.form() == StudentFile.Form.UNROLLED) {
            return unrolled(samples, watcher);
        }
        GuidedPlan guided = file.plans().get(steps);
        Plan plan = guided.plan();
        FloatExecutor executor =
                executors.computeIfAbsent(steps, key -> new FloatExecutor(plan, lane.batch(), size, lane.outputSize()));
        fill(samples, Purpose.SAMPLE_START, 0, noise);
        return executor.run(
                noise,
                (step, input) -> output(samples, guided, step, input),
                (step, fresh) -> fill(samples, Purpose.SAMPLE_STEP, step, fresh),
                watcher);
    }

    /**
     * A sample of what {@link #sample} returned, as a picture.
     *
     * @param picture its place in the request, for the error
     * @throws StudentException of kind RUNTIME where it has values that are no numbers
     */
    Image image(float[] pixels, int sample, int picture) {
        Shape shape = model.pictures();
        int first = sample * shape.values();
        for (int i = first; i < first + shape.values(); i++) {
            if (!Float.isFinite(pixels[i])) {
                throw new StudentException(
                        Kind.RUNTIME,
                        "picture " + picture + " has values that are no numbers; the weights of " + model.path()
                                + " are damaged, so export it again");
            }
        }
        return Image.of(pixels, first, shape);
    }

    private float[] unrolled(Samples samples, FloatExecutor.Watcher watcher) {
        for (String input : model.inputs().keySet()) {
            if (input.startsWith("noise")) {
                boolean first = input.equals("noise");
                fill(
                        samples,
                        first ? Purpose.SAMPLE_START : Purpose.SAMPLE_STEP,
                        first ? 0 : Integer.parseInt(input.substring("noise.".length())),
                        noise);
                lane.set(input, noise);
            }
        }
        tell(samples.shown);
        lane.run(output);
        return watcher.after(0) ? output : null;
    }

    private float[] output(Samples samples, GuidedPlan guided, int step, float[] input) {
        Plan.Call call = guided.plan().steps().get(step).call();
        double scale = guided.scales().get(step);
        lane.set("x", input);
        if (lane.has("time")) {
            lane.fill("time", (float) call.time());
        }
        if (lane.has("end_time")) {
            lane.fill("end_time", (float) (Double.isNaN(call.until()) ? call.time() : call.until()));
        }
        if (lane.has("guidance")) {
            lane.fill("guidance", (float) scale);
        }
        ask(samples.shown, call, output);
        if (guided.asksTwice(step) && !lane.has("guidance")) {
            ask(samples.none, call, unguided);
            guide((float) scale, guided.guidedChannels(file.values().channels(), channels()));
        }
        return output;
    }

    private int channels() {
        return lane.outputSize() / (file.values().height() * file.values().width());
    }

    /** u + g (c - u) on the first channels; those behind, which carry variance, stay those of c. */
    private void guide(float scale, int channels) {
        int guided = channels * file.values().height() * file.values().width();
        for (int first = 0; first < output.length; first += lane.outputSize()) {
            for (int i = first; i < first + guided; i++) {
                output[i] = unguided[i] + scale * (output[i] - unguided[i]);
            }
        }
    }

    private void ask(Subject[] told, Plan.Call call, float[] answer) {
        if (lane.has("row")) {
            for (int i = 0; i < lane.batch(); i++) {
                lane.set("row", i, file.table().row(call, known(told, i).label()));
            }
        } else {
            tell(told);
        }
        lane.run(answer);
    }

    private void tell(Subject[] told) {
        for (int i = 0; i < lane.batch(); i++) {
            if (lane.has("label")) {
                lane.set("label", i, known(told, i).label());
            }
            if (lane.has("tokens")) {
                lane.set("tokens", i, known(told, i).tokens());
            }
        }
    }

    /** A batch that is not full is filled up with what its first sample is told, and with zeros for noise. */
    private static Subject known(Subject[] told, int i) {
        return told[i < told.length ? i : 0];
    }

    private void fill(Samples samples, Purpose purpose, int step, float[] values) {
        for (int i = 0; i < samples.count; i++) {
            Rng.at(samples.seeds[i], purpose, step, samples.indices[i]).fillGaussian(values, i * size, size);
        }
        Arrays.fill(values, samples.count * size, values.length, 0);
    }

    @Override
    public void close() {
        lane.close();
    }
}
