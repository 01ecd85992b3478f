package dev.retort.train;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.GuidanceRange;
import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.SamplingPlan;
import dev.retort.card.TextCard;
import dev.retort.card.TrainedFor;
import dev.retort.data.Batch;
import dev.retort.data.ImageSource;
import dev.retort.diffusion.Heads;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.model.Weights;
import dev.retort.nn.FakeQuant;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Models;
import dev.retort.quantize.FakeQuantization;
import dev.retort.run.RunFolder;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Scope;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/** Training of a network that denoises: images are noised as an objective says, the result is a model with its card. */
public final class DiffusionTask implements Task {
    private static final int MOST_NAMED = 3;

    private final ImageSource source;
    private final Objective objective;
    private final String published;
    private final Predictor predictor;
    private final double dropout;
    private final Optional<GuidanceRange> scales;
    private final RunConfig config;
    private final Device device;
    private final ModelCard card;
    private final Optional<FakeQuantization> quantized;
    private ImageCodec codec;
    private Network averaged;
    private SampleGrid grid;
    private BestAtSteps best;
    private Optional<HeldOut> heldOut; // null before somebody asks for them

    /**
     * @param source the images
     * @param published name of the player that is the result
     * @param predictor how that player is asked; its conditioner makes of the images' prompts what all are told
     * @param dropout share of images of which they are told nothing
     * @param scales of guidance that they are told; empty where they are told none
     * @param teacher hash of the teacher's weights, empty where there is none
     * @param trainedFor the ways of sampling that it is trained for
     * @param text how the networks are told texts; empty where they are told none
     * @param provenance what stands in the result's card about where it was made
     * @param quantized how that player computes from some stage on, and so its result; empty where it never does
     */
    public DiffusionTask(
            ImageSource source,
            Objective objective,
            String published,
            Predictor predictor,
            double dropout,
            Optional<GuidanceRange> scales,
            RunConfig config,
            String teacher,
            TrainedFor trainedFor,
            Optional<TextCard> text,
            Map<String, String> provenance,
            Optional<FakeQuantization> quantized) {
        objective.requireFit(source);
        this.source = source;
        this.objective = objective;
        this.published = published;
        this.predictor = predictor;
        this.dropout = dropout;
        this.scales = scales;
        this.config = config;
        this.quantized = quantized;
        device = predictor.network().device();
        ModelCard ofPixels = ModelCard.of(
                        predictor.network().spec(),
                        objective.process(),
                        config.sampling(),
                        predictor.network().spec().classes() == 0 ? List.of() : source.classNames(),
                        source.name(),
                        0,
                        config.seed(),
                        teacher,
                        withAverage(provenance))
                .withTrainedFor(trainedFor)
                .withText(text.orElse(null));
        card = source.autoencoder().map(ofPixels::withAutoencoder).orElse(ofPixels);
        requirePlan(card);
        if (dropout > 0 && !card.network().condition().hasNone()) {
            throw new IllegalArgumentException("dropout is " + dropout
                    + ", expected 0: the network was not built to be asked without a condition");
        }
    }

    /** A result in floats. */
    public DiffusionTask(
            ImageSource source,
            Objective objective,
            String published,
            Predictor predictor,
            double dropout,
            Optional<GuidanceRange> scales,
            RunConfig config,
            String teacher,
            TrainedFor trainedFor,
            Optional<TextCard> text,
            Map<String, String> provenance) {
        this(
                source,
                objective,
                published,
                predictor,
                dropout,
                scales,
                config,
                teacher,
                trainedFor,
                text,
                provenance,
                Optional.empty());
    }

    /** What is exported is the first of the moving averages. */
    private Map<String, String> withAverage(Map<String, String> provenance) {
        Map<String, String> all = new LinkedHashMap<>(provenance);
        all.put(ModelCard.AVERAGE, String.valueOf(config.ema().decays().get(0)));
        return all;
    }

    /** Before hours of training: how the result is to be sampled must be possible. */
    private static void requirePlan(ModelCard card) {
        try {
            SamplingPlan.of(card, card.sampling());
        } catch (RetortException e) {
            throw new RetortException(
                    Kind.CONFIG, "run.sampling: " + e.getMessage() + "; choose another solver or number of steps", e);
        }
    }

    @Override
    public ImageSource source() {
        return source;
    }

    @Override
    public String published() {
        return published;
    }

    @Override
    public Pass pass(Batch batch, int from, int count, Pass.Context context) {
        return new NoisyPass(
                batch,
                from,
                count,
                context,
                objective.process().noiseSchedule(),
                objective.times(),
                predictor.conditioner(),
                dropout,
                scales,
                device);
    }

    @Override
    public Optional<String> otherRun(Path checkpoint) {
        ModelCard saved = Models.card(checkpoint);
        List<String> classes = ClassNames.differences(saved.classes(), card.classes());
        if (!classes.isEmpty()) {
            return Optional.of("was trained with other classes than the data have now: "
                    + FirstFew.of(classes, MOST_NAMED) + "; restore the data's names to resume");
        }
        if (!saved.teacher().equals(card.teacher())) {
            return Optional.of("learned from a teacher with other weights; give the teacher it began with to resume");
        }
        String start = saved.provenance().getOrDefault(InitialWeights.KEY, "random weights");
        String asked = card.provenance().getOrDefault(InitialWeights.KEY, start);
        if (!asked.equals(start)) {
            return Optional.of("belongs to a run that started from " + start + ", not from " + asked
                    + ", and goes on from its own weights; leave initFrom out to resume");
        }
        AutoencoderCard before = saved.autoencoder();
        AutoencoderCard now = card.autoencoder();
        if (before == null || now == null ? before != now : !before.sameLatents(now)) {
            return Optional.of("was trained on latents of another autoencoder; give the data it began with to resume");
        }
        return Optional.empty();
    }

    /** In floats, also where they are trained to be quantised: the result alone is. */
    @Override
    public void write(Path checkpoint, Map<String, Tensor> weights, long imagesSeen) {
        Map<String, Tensor> floats = new LinkedHashMap<>(weights);
        floats.keySet().removeIf(FakeQuant::owns);
        ModelFiles.write(checkpoint, card.withImagesSeen(imagesSeen), Weights.writer(floats, Dtype.F32));
    }

    /** Heads that the samplers of the result only ever read in one sum become one, and layers trained for it are quantised. */
    @Override
    public Path publish(RunFolder run, Map<String, Tensor> weights, long imagesSeen) {
        long looks = config.log().sampleImages();
        if (looks > 0 && !LogConfig.isDue(looks, imagesSeen - config.batch(), imagesSeen)) {
            keepBest(run, weights, imagesSeen);
        }
        save(run.model(), card.withImagesSeen(imagesSeen), weights);
        return run.model();
    }

    private void save(Path folder, ModelCard seen, Map<String, Tensor> weights) {
        List<Heads> heads = SamplingPlan.fusedHeads(seen);
        NetworkSpec many = seen.network();
        NetworkSpec few = many.withOutputs(heads.size());
        try (Scope scope = Scope.open()) {
            Map<String, Tensor> fused = few.equals(many)
                    ? weights
                    : Architectures.surgery(many, few).fused(many, weights, heads);
            ModelCard of = seen.withNetwork(few);
            if (FakeQuantization.isIn(fused)) {
                FakeQuantization how = quantized.orElseThrow();
                ModelFiles.save(folder, quantized(of, how), how.writer(fused));
            } else {
                ModelFiles.save(folder, of, Weights.writer(fused, Dtype.F32));
            }
        }
    }

    /** What was measured was measured of these weights as they are rounded. */
    private static ModelCard quantized(ModelCard measured, FakeQuantization how) {
        ModelCard card = measured.withQuantization(how.spec());
        for (Map.Entry<String, Double> metric : measured.metrics().entrySet()) {
            card = card.withMetric(metric.getKey(), metric.getValue());
        }
        return card;
    }

    @Override
    public Map<String, Object> keepBest(RunFolder run, Map<String, Tensor> weights, long imagesSeen) {
        List<Integer> counts = BestAtSteps.counts(card, config.log().bestSteps());
        if (counts.isEmpty()) {
            return Map.of();
        }
        Network network = averaged(weights);
        if (best == null) {
            best = new BestAtSteps(network, card, source, predictor.precision(), counts);
        }
        return best.measure(run, weights, imagesSeen, (folder, seen) -> save(folder, seen, weights));
    }

    /** Refuses an autoencoder that is not there before anything is trained, and measures what the cache saves. */
    @Override
    public Optional<EncodingCost> encoding() {
        return card.autoencoder() == null
                ? Optional.empty()
                : Optional.of(EncodingCost.measure(codec(), config.batch(), predictor.precision(), device));
    }

    private ImageCodec codec() {
        if (codec == null) {
            codec = ImageCodec.of(card, device);
        }
        return codec;
    }

    @Override
    public Optional<Preview> preview() {
        if (grid == null) {
            grid = new SampleGrid(
                    averaged(),
                    card,
                    codec(),
                    source,
                    predictor.precision(),
                    config.log().samplesPerClass());
        }
        return Optional.of(weights -> {
            averaged(weights);
            return grid.at(weights);
        });
    }

    /** Computes as the weights did that {@link #preview} was shown last. */
    @Override
    public Optional<HeldOut> heldOut() {
        if (heldOut == null) {
            heldOut = HeldOut.of(
                    config.data(), source, objective.process().noiseSchedule(), predictor.with(averaged()), scales);
        }
        return heldOut;
    }

    /** A network for whatever weights the result has, one for all looks at it. */
    private Network averaged() {
        if (averaged == null) {
            try (Scope scope = Scope.open()) {
                averaged = Architectures.build(card.network(), Init.blank(device));
            }
            averaged.freeze();
        }
        return averaged;
    }

    /** The same, computing as the result does that these weights are of. */
    private Network averaged(Map<String, Tensor> weights) {
        Network network = averaged();
        if (FakeQuantization.isIn(weights) && !FakeQuantization.isIn(network.state())) {
            quantized.orElseThrow().attach(network);
            network.freeze();
        }
        return network;
    }

    @Override
    public long macs() {
        return card.network().macs();
    }

    @Override
    public void close() {
        if (averaged != null) {
            averaged.close();
        }
        if (codec != null) {
            codec.close();
        }
    }
}
