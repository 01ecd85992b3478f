package dev.retort.train;

import dev.retort.card.ConditionSpec;
import dev.retort.card.ImageShape;
import dev.retort.data.Batch;
import dev.retort.data.ImageSource;
import dev.retort.data.Prompts;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Answer;
import dev.retort.model.Condition;
import dev.retort.model.Conditioner;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.model.Respondent;
import dev.retort.model.Weights;
import dev.retort.model.classifier.Classifier;
import dev.retort.run.RunFolder;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/** Training of a network that says what is in an image. */
public final class ClassificationTask implements Task {
    private final ImageSource source;
    private final String published;
    private final int shift;
    private final long seed;
    private final Conditioner conditioner;
    private final Device device;

    /**
     * @param source the images
     * @param published name of the player that is the result
     * @param shift images are moved by up to this many pixels each way
     * @param seed decides how far
     */
    public ClassificationTask(ImageSource source, String published, int shift, long seed, Device device) {
        this.source = source;
        this.published = published;
        this.shift = shift;
        this.seed = seed;
        this.device = device;
        conditioner =
                new LabelConditioner(ConditionSpec.ofClasses(source.classNames().size(), false));
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
    public Batch prepared(Batch batch) {
        return RandomTranslation.of(batch, shift, seed);
    }

    @Override
    public Pass pass(Batch batch, int from, int count, Pass.Context context) {
        return new ImagesPass(batch, from, count, context);
    }

    @Override
    public Optional<String> otherRun(Path checkpoint) {
        return Optional.empty(); // its configuration says all of it
    }

    @Override
    public void write(Path checkpoint, Map<String, Tensor> weights, long imagesSeen) {
        Weights.writer(weights, Dtype.F32).write(checkpoint.resolve(ModelFiles.WEIGHTS));
    }

    /** The weights stay with who trains: what becomes of them needs more than they tell. */
    @Override
    public Path publish(RunFolder run, Map<String, Tensor> weights, long imagesSeen) {
        return run.path();
    }

    /** Images as they are, and their classes. */
    private final class ImagesPass extends Pass {
        private final Batch batch;
        private final int from;

        ImagesPass(Batch batch, int from, int count, Context context) {
            super(context, batch.firstImage() + from, count);
            this.batch = batch;
            this.from = from;
        }

        @Override
        public Question usual(String player, Gradient gradient) {
            return Question.ofImages(clean(), gradient);
        }

        @Override
        public NoisyBatch noisy(String player) {
            throw new IllegalStateException("classifiers are trained on images without noise; ask about clean()");
        }

        @Override
        public NoisyBatch noisy(double[] times) {
            return noisy(player());
        }

        /** Pixels in [0, 1], (N, C, H, W). */
        @Override
        public Tensor clean() {
            return once("clean", () -> Ops.add(Ops.mul(NoisyBatch.clean(batch, from, count(), device), 0.5), 0.5));
        }

        @Override
        public Condition condition() {
            Prompts prompts = batch.prompts().slice(from, count());
            return once("condition", () -> conditioner.of(prompts, device));
        }

        @Override
        public Condition none() {
            return conditioner.none(count(), device);
        }

        @Override
        public Condition condition(Prompts other) {
            return conditioner.of(other, device);
        }
    }

    /**
     * How a classifier is asked: it answers logits (N, classes), and hands out the pooled features as {@code features}. Where
     * it is trained, batch norms use the batch and learn from it.
     *
     * @param network the classifier
     * @param precision its arithmetic
     */
    public record Asked(Classifier network, Precision precision) implements Respondent {
        /** Name of the features among the taps. */
        public static final String FEATURES = "features";

        @Override
        public ImageShape images() {
            return new ImageShape(
                    network.shape().channels(),
                    network.shape().height(),
                    network.shape().width());
        }

        @Override
        public Answer ask(Question question, Set<String> taps) {
            if (question.gradient() == Gradient.NONE) {
                try (NoGrad off = NoGrad.on();
                        Autocast apart = Autocast.apart(precision, network.device())) {
                    return answer(network.forward(question.x(), false), taps);
                }
            }
            try (Autocast autocast = Autocast.to(precision, network.device())) {
                return answer(network.forward(question.x(), question.gradient() == Gradient.PARAMETERS), taps);
            }
        }

        private static Answer answer(Classifier.Output output, Set<String> taps) {
            Map<String, Tensor> features = new LinkedHashMap<>();
            if (taps.contains(FEATURES)) {
                features.put(FEATURES, output.features());
            }
            return Answer.of(output.logits(), features);
        }

        /** It has no blocks to run again. */
        @Override
        public void recompute(boolean on) {}
    }
}
