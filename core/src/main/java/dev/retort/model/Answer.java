package dev.retort.model;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * What a network said to a {@link Question}: its output, read as any prediction of the noisy images. Whoever asks a network
 * reads its answer here and nowhere else. The tensors live in the scope in which the question was asked.
 */
public final class Answer {
    private final Tensor output;
    private final Map<String, Tensor> taps;
    private final Tensor tangent;
    private final Reading reading;

    /** How an output is to be read: where it was asked, what it predicts there, and how many times over. */
    record Reading(Tensor x, double[] times, NoiseSchedule schedule, Prediction prediction, int outputs) {}

    /** @param tangent derivative of the output along the question's direction; null where none was asked for */
    Answer(Tensor output, Map<String, Tensor> taps, Tensor tangent, Reading reading) {
        this.output = output;
        this.taps = taps;
        this.tangent = tangent;
        this.reading = reading;
    }

    /** What a network says that predicts nothing of noisy images, such as a classifier: (N, …) and intermediates. */
    public static Answer of(Tensor output, Map<String, Tensor> taps) {
        return new Answer(output, taps, null, null);
    }

    /** What the network returned, as it is: (N, C, H, W) of a denoiser, 2C with a variance, K·C of K heads; fp32. */
    public Tensor output() {
        return output;
    }

    /**
     * What one head of a network says.
     *
     * @param index from 0, below the network's number of outputs
     */
    public Answer head(int index) {
        requireReading();
        if (reading.outputs == 1 && index == 0) {
            return this;
        }
        long c = reading.x.size(1);
        return new Answer(
                Ops.narrow(output, 1, index * c, c),
                taps,
                tangent == null ? null : Ops.narrow(tangent, 1, index * c, c),
                new Reading(reading.x, reading.times, reading.schedule, reading.prediction, 1));
    }

    /**
     * The prediction as one of another kind at the same noisy images, (N, C, H, W); each is linear in both.
     *
     * @throws IllegalArgumentException where it cannot be known, such as x0 from the noise where no signal is left
     * @throws IllegalStateException of a network of several heads, see {@link #head}
     */
    public Tensor as(Prediction wanted) {
        requireReading();
        if (reading.outputs > 1) {
            throw new IllegalStateException("this network has " + reading.outputs
                    + " outputs, each for its own part of the way; ask one head of the answer");
        }
        Tensor predicted = Ops.narrow(output, 1, 0, reading.x.size(1));
        if (wanted == reading.prediction) {
            return predicted;
        }
        int n = reading.times.length;
        double[] ofState = new double[n];
        double[] ofOutput = new double[n];
        for (int i = 0; i < n; i++) {
            double alpha = reading.schedule.alpha(reading.times[i]);
            double sigma = reading.schedule.sigma(reading.times[i]);
            ofState[i] = wanted.fromState(reading.prediction, alpha, sigma);
            ofOutput[i] = wanted.fromOutput(reading.prediction, alpha, sigma);
        }
        return Ops.add(
                Ops.mul(reading.x, Tensors.column(ofState, output)),
                Ops.mul(predicted, Tensors.column(ofOutput, output)));
    }

    /** Whether it carries variance channels behind the prediction. */
    public boolean hasVariance() {
        return reading != null && reading.outputs == 1 && output.size(1) >= 2 * reading.x.size(1);
    }

    /**
     * Where the learned log-variance of a reverse transition lies between that of the posterior (0) and that of the forward
     * step (1), (N, C, H, W): v channels of -1..1 as (v + 1)/2 (Nichol and Dhariwal 2021).
     *
     * @throws IllegalStateException where the network learned no variance
     */
    public Tensor variance() {
        requireReading();
        if (!hasVariance()) {
            throw new IllegalStateException("this network learned no variance: its output has " + output.size(1)
                    + " channels for images of " + reading.x.size(1));
        }
        long c = reading.x.size(1);
        return Ops.mul(Ops.add(Ops.narrow(output, 1, c, c), 1), 0.5);
    }

    /** An intermediate that was asked for. */
    public Tensor tap(String name) {
        Tensor tensor = taps.get(name);
        if (tensor == null) {
            throw new IllegalStateException("tap " + name + " was not asked for; there are " + taps.keySet());
        }
        return tensor;
    }

    /** The derivative of {@link #output} along the direction asked for, of its shape, without graph. */
    public Tensor tangent() {
        if (tangent == null) {
            throw new IllegalStateException("no direction was asked for; ask with Question.along");
        }
        return tangent;
    }

    private void requireReading() {
        if (reading == null) {
            throw new IllegalStateException(
                    "this network predicts nothing of noisy images: only its output can be read");
        }
    }
}
