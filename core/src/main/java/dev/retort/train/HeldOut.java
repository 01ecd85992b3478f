package dev.retort.train;

import dev.retort.card.GuidanceRange;
import dev.retort.data.Batch;
import dev.retort.data.DataConfig;
import dev.retort.data.DomainImages;
import dev.retort.data.ImageSource;
import dev.retort.data.PairedImages;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.TimeSampler;
import dev.retort.error.RetortException;
import dev.retort.model.Predictor;
import dev.retort.report.TrainingMetric;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * Losses on images of the test split, with the same noise and times in every run, evenly over all times: what a training loss, drawn
 * anew at every step, hides in its spread. Nothing of the training depends on them.
 */
public final class HeldOut {
    private static final int IMAGES = 256;
    private static final int QUARTERS = 4;
    private static final long SEED = 1L << 40; // of no run, so that its noise is not met in training

    /** Where weights and gaps are ramped, losses of different times are compared as they are at the ramp's end. */
    private static final Clock END = new Clock(0, 0, 1, 1);

    private final Batch batch;
    private final NoiseSchedule schedule;
    private final Predictor result;
    private final Optional<GuidanceRange> scales;

    private HeldOut(Batch batch, NoiseSchedule schedule, Predictor result, Optional<GuidanceRange> scales) {
        this.batch = batch;
        this.schedule = schedule;
        this.result = result;
        this.scales = scales;
    }

    /**
     * Opens the images.
     *
     * @param data those that are learned
     * @param learned the same, open
     * @param result how the result is asked; its weights are replaced at every measurement
     * @param scales of guidance that it is told; empty where it is told none
     * @return empty where the data keep no test split apart, such as caches of latents, or are it
     */
    static Optional<HeldOut> of(
            DataConfig data,
            ImageSource learned,
            NoiseSchedule schedule,
            Predictor result,
            Optional<GuidanceRange> scales) {
        DataConfig test = data.withSplit("test");
        if (learned.autoencoder().isPresent() || data.equals(test)) {
            return Optional.empty();
        }
        try {
            ImageSource images = test.open();
            if (!images.hasTestSplit()) {
                return Optional.empty();
            }
            ImageSource paired = learned.paired()
                    .<ImageSource>map(other -> new PairedImages(
                            images, test.withSize(other.height()).open()))
                    .orElse(images);
            Optional<ImageSource> seen =
                    learned instanceof DomainImages domain ? domain.among(paired) : Optional.of(paired);
            return seen.filter(some -> some.pixels() == learned.pixels()
                            && some.classNames().equals(learned.classNames()))
                    .map(some -> new HeldOut(Batch.drawn(some, IMAGES, SEED), schedule, result, scales));
        } catch (RetortException e) {
            return Optional.empty(); // a training needs no test images
        }
    }

    /**
     * The losses of a phase, by names of the log; of its first loss also by quarter of time, where it asks the usual question.
     *
     * @param weights of the phase's player
     * @param part images at a time
     */
    Map<String, Object> losses(
            Phase phase,
            TermNames terms,
            Map<String, Player> players,
            Map<String, Tensor> weights,
            int part,
            Precision precision) {
        result.network().load(weights);
        Map<String, Player> asked = new LinkedHashMap<>(players);
        asked.computeIfPresent(phase.player(), (name, player) -> new Player(name, result, player.role()));
        Pass.Context context = new Pass.Context(phase.player(), asked, phase.taps(), SEED, END);
        Device device = result.network().device();
        Map<String, double[]> sums = new LinkedHashMap<>(); // sum and count
        for (int from = 0; from < IMAGES; from += part) {
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on();
                    Autocast autocast = Autocast.to(precision, device)) {
                int count = Math.min(part, IMAGES - from);
                Pass pass = new NoisyPass(
                        batch,
                        from,
                        count,
                        context,
                        schedule,
                        TimeSampler.UNIFORM,
                        result.conditioner(),
                        0,
                        scales,
                        device);
                add(pass, phase, terms, sums);
            }
        }
        Map<String, Object> means = new LinkedHashMap<>();
        sums.forEach((name, sum) -> means.put(name, sum[0] / sum[1]));
        return means;
    }

    private static void add(Pass pass, Phase phase, TermNames terms, Map<String, double[]> sums) {
        for (Weighted weighted : phase.losses()) {
            Loss loss = weighted.loss();
            if (loss.asksAboutImages()) {
                float[] values = Tensors.floats(loss.perSample(pass));
                double[] places = pass.places().orElse(new double[0]);
                boolean first = weighted == phase.losses().get(0);
                for (int i = 0; i < values.length; i++) {
                    add(sums, TrainingMetric.heldOut(terms.of(loss)), values[i]);
                    if (first && i < places.length) {
                        int quarter = Math.min(QUARTERS - 1, (int) (places[i] * QUARTERS));
                        add(sums, TrainingMetric.heldOutByTime(quarter), values[i]);
                    }
                }
            }
        }
    }

    private static void add(Map<String, double[]> sums, String name, double value) {
        double[] sum = sums.computeIfAbsent(name, key -> new double[2]);
        sum[0] += value;
        sum[1]++;
    }
}
