package dev.retort.sample;

import dev.retort.card.ImageShape;
import dev.retort.card.ModelCard;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TrainedFor;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.TimeGrid;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.ImageGrid;
import dev.retort.model.Denoiser;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.ImageCodec;
import dev.retort.torch.Precision;
import java.util.List;
import java.util.Optional;

/** Samples pictures from a model as its card says, or otherwise where asked. */
public final class Sampling {
    private static final int GRID_BATCH = 64;

    private Sampling() {}

    /**
     * A sampler for a network under its card, of pictures of the card's size ({@link ModelCard#atSize}).
     *
     * @throws RetortException of kind USAGE where the card says that it was trained for other ways of sampling than this; a card
     *     {@link ModelCard#withTrainedFor} of any of them lets it be tried
     */
    public static Sampler sampler(Denoiser network, ModelCard card, SamplingSpec spec, Precision precision) {
        return sampler(network, card, spec, precision, Optional.empty());
    }

    /**
     * The same begun at a picture.
     *
     * @param start the picture, and how many of the last steps are done; empty for noise alone
     */
    public static Sampler sampler(
            Denoiser network, ModelCard card, SamplingSpec spec, Precision precision, Optional<Start> start) {
        Process process = card.process().process();
        if (spec.guidanceScale() != 1 && !network.spec().guidable()) {
            throw new RetortException(
                            Kind.CHECKPOINT,
                            "guidance " + spec.guidanceScale()
                                    + " was asked of a network trained without label dropout; use guidance 1")
                    .about("guidance");
        }
        if (spec.guidanceChannels() > network.spec().channels()) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "guidance on " + spec.guidanceChannels() + " channels was asked of a network of "
                            + network.spec().channels() + "; correct sampling.guidanceChannels in the model's card");
        }
        if (spec.guidanceChannels() > 0 && network.spec().scalars().guidance()) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "guidance on " + spec.guidanceChannels()
                            + " channels was asked of a network that computes guidance by itself, on all; leave the"
                            + " channels out");
        }
        if (spec.guidanceChannels() > 0 && network.spec().outputs() > 1) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "guidance on " + spec.guidanceChannels() + " channels was asked of a network of "
                            + network.spec().outputs() + " outputs, which are guided whole; leave the channels out");
        }
        if (spec.guidanceRescale() > 0
                && (network.spec().scalars().guidance() || network.spec().outputs() > 1)) {
            throw new RetortException(
                            Kind.USAGE,
                            "guidanceRescale is " + spec.guidanceRescale() + ", but "
                                    + network.spec().name()
                                    + (network.spec().outputs() > 1
                                            ? " has several outputs, whose contrast is not one"
                                            : " computes guidance by itself, and its unguided output is not known")
                                    + "; leave it at 0")
                    .about("guidanceRescale");
        }
        Plan plan = SamplingPlan.of(card, spec, start.map(Start::strength).orElse(1.0));
        card.trainedFor().requireFit(process.schedule(), spec);
        return new Sampler(
                network,
                Architectures.conditioner(network.spec(), card.text(), card.images()),
                plan,
                spec.guidance(process.schedule().noisiestTime()),
                precision,
                card.network().shape(),
                Randomness.ADDRESSED,
                start);
    }

    /** How a model is sampled by its card: in each number of steps that it was trained for, or as it says where any will do. */
    public static List<SamplingSpec> ways(ModelCard card) {
        TrainedFor trained = card.trainedFor();
        return trained.atAllTimes()
                ? List.of(card.sampling())
                : trained.steps().stream()
                        .map(steps -> card.sampling().with(trained.solver()).with(steps, trained.grid()))
                        .toList();
    }

    /**
     * Refuses a model that was itself distilled to few steps, where its ODE is to be walked outside them.
     *
     * @param name what the error calls it
     */
    static void requireOde(ModelCard card, TimeGrid grid, String name) {
        double[] times =
                grid.points().stream().mapToDouble(TimeGrid.Point::time).toArray();
        if (!card.trainedFor().followsOde(card.process(), times)) {
            throw new RetortException(
                    Kind.USAGE,
                    name + " was itself distilled, to " + card.trainedFor().text()
                            + ", and has no ODE that could be walked; take the model that it was distilled from");
        }
    }

    /** A grid with a row for each class or example text, the first that the card names, from seed 0, as the model's card says to sample. */
    public static ImageGrid classGrid(
            Denoiser network, ModelCard card, Precision precision, int rows, int samplesPerRow) {
        try (ImageCodec codec = ImageCodec.of(card, network.device())) {
            return classGrid(network, card, codec, precision, rows, samplesPerRow);
        }
    }

    /**
     * The same with a decoder that is open already.
     *
     * @param codec from the network's samples to pictures
     */
    public static ImageGrid classGrid(
            Denoiser network, ModelCard card, ImageCodec codec, Precision precision, int rows, int samplesPerRow) {
        int count = rows * samplesPerRow;
        ImageShape shape = card.images();
        int size = shape.values();
        float[] all = new float[count * size];
        new SampleJob(sampler(network, card, card.sampling(), precision), codec, 0, GRID_BATCH)
                .sample(
                        Prompts.rows(card, rows, samplesPerRow),
                        (d, t, x) -> {},
                        (first, pixels, n) -> System.arraycopy(pixels, 0, all, first * size, n * size));
        return ImageGrid.of(all, count, shape.channels(), shape.height(), shape.width(), samplesPerRow);
    }
}
