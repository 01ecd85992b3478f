package dev.retort.evaluate;

import dev.retort.card.ImageShape;
import dev.retort.config.Require;
import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.evaluate.FrechetDistance.SmallSamples;
import dev.retort.model.Denoiser;
import dev.retort.model.Network;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.ModelColumn;
import dev.retort.report.Progress;
import dev.retort.sample.SampleJob;
import dev.retort.sample.Sampler;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.TorchError;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Judges models by one extractor against one set of real images: the test split, which no model was trained on. Training
 * images take a model's place for the floor. A set that has no test split is halved, which the notes tell.
 */
public final class Evaluator implements AutoCloseable {
    /** Real images on each side, where the set has as many. */
    private static final int REAL_IMAGES = 10_000;

    /**
     * How models are sampled for judgement.
     *
     * @param samples images of each model: the n of the scores
     * @param seed seed of noise; class and noise of image {@code i} are the same for all models
     * @param batch images drawn together; changes none of them
     * @param device where the networks run
     * @param precision their arithmetic
     */
    public record Settings(int samples, long seed, int batch, Device device, Precision precision) {
        /** Validates. */
        public Settings {
            Require.atLeast("samples", samples, 2);
            Require.atLeast("batch", batch, 1);
        }
    }

    private final FeatureExtractor extractor;
    private final Settings settings;
    private final ImageSet test;
    private final Reference reference;
    private final FeatureSet other;
    private final double accuracy;
    private final boolean divided;
    private final List<String> leftOut;

    private Evaluator(
            FeatureExtractor extractor,
            Settings settings,
            ImageSet test,
            Reference reference,
            FeatureSet other,
            double accuracy,
            boolean divided,
            List<String> leftOut) {
        this.extractor = extractor;
        this.settings = settings;
        this.test = test;
        this.reference = reference;
        this.other = other;
        this.accuracy = accuracy;
        this.divided = divided;
        this.leftOut = leftOut;
    }

    /**
     * Reads the real images and their features.
     *
     * @param data the images; both splits, {@code test} and {@code train}, are read
     * @param extractor name or path as {@link Extractors#named} takes it, {@code pixels} for the untrained control, or
     *     {@code auto}: the one that suits the images, else {@code pixels}
     */
    public static Evaluator of(DataConfig data, String extractor, FeatureCache cache, Settings settings) {
        ImageSource training = data.withSplit("train").open();
        int most = Math.max(REAL_IMAGES, settings.samples());
        ImageSet test;
        ImageSet train;
        Set<String> leftOut = new LinkedHashSet<>(training.notes());
        if (training.hasTestSplit()) {
            train = ImageSet.subset(training, most);
            ImageSource tests = data.withSplit("test").open();
            leftOut.addAll(tests.notes());
            test = ImageSet.subset(tests, REAL_IMAGES);
        } else {
            ImageSet both = ImageSet.subset(training, REAL_IMAGES + most);
            int half = Math.min(REAL_IMAGES, both.size() / 2);
            test = both.part(0, half);
            train = both.part(half, both.size() - half);
        }
        leftOut.addAll(train.leftOut());
        leftOut.addAll(test.leftOut());
        FeatureExtractor opened = Extractors.open(extractor, test);
        try {
            requireEnough(settings.samples(), opened.space());
            test.requireMoreThan(opened.space().dimension(), "reference");
            train.requireMoreThan(opened.space().dimension(), "floor");
            FeatureExtractor.Extraction ofTest = cache.of(opened, test);
            FeatureExtractor.Extraction ofTrain = cache.of(opened, train);
            boolean classifies = ofTest.logits().length > 0
                    && ofTest.logits()[0].length == test.classNames().size();
            double accuracy = classifies
                    ? ClassAgreement.share(ClassAgreement.classes(FeatureMatrix.of(ofTest.logits())), test.labels())
                    : Double.NaN;
            return new Evaluator(
                    opened,
                    settings,
                    test,
                    Quality.reference(new FeatureSet(opened.space(), test.name(), FeatureMatrix.of(ofTest.features()))),
                    new FeatureSet(opened.space(), train.name(), FeatureMatrix.of(ofTrain.features())),
                    accuracy,
                    training.hasTestSplit(),
                    List.copyOf(leftOut));
        } catch (RuntimeException e) {
            close(opened);
            throw TorchError.translate(e, "looking at the real images", "judge fewer images at once", "batch");
        }
    }

    private static void requireEnough(int samples, FeatureSpace space) {
        if (samples <= space.dimension()) {
            throw new RetortException(
                            Kind.USAGE,
                            samples + " samples are too few for " + space.dimension() + " features of "
                                    + space.extractor() + "; take more than " + space.dimension())
                    .about("samples");
        }
    }

    /** Draws a candidate's images and judges them. */
    public Evaluation evaluate(Candidate candidate, Progress progress) {
        requireImagesLike(candidate);
        try {
            return evaluated(candidate, progress);
        } catch (RuntimeException e) {
            throw TorchError.translate(e, "judging " + candidate.name(), "judge fewer images at once", "batch");
        }
    }

    private Evaluation evaluated(Candidate candidate, Progress progress) {
        SampleSet samples = SampleSet.of(
                asked(candidate), settings.samples(), candidate.card().images());
        FeatureExtractor.Extraction extraction;
        try (Pipeline<Denoiser> model = Models.open(candidate.model(), settings.device(), settings.precision());
                ImageCodec codec = ImageCodec.of(model.card(), candidate.autoencoder(), settings.device())) {
            Sampler sampler =
                    Sampling.sampler(model.network(), candidate.card(), candidate.sampling(), settings.precision());
            SampleJob job = new SampleJob(sampler, codec, settings.seed(), settings.batch());
            extraction = extractor.extract(new SampleStream(job, samples, progress));
        }
        FeatureSet features =
                new FeatureSet(extractor.space(), candidate.name(), FeatureMatrix.of(extraction.features()));
        boolean classifies = !Double.isNaN(accuracy)
                && samples.classes().size() == test.classNames().size();
        FeatureMatrix logits = FeatureMatrix.of(classifies ? extraction.logits() : new float[0][]);
        return new Evaluation(candidate, samples, Quality.of(reference, features, SmallSamples.REFUSE), logits);
    }

    /** What a model is asked for: its classes, or where it knows none those of the real images, by name. */
    private List<String> asked(Candidate candidate) {
        List<String> own = candidate.card().classes();
        return own.isEmpty() ? test.classNames() : own;
    }

    /** The floor: as many training images as there are samples of a model, or all there are, judged in a model's place. */
    public Quality floor() {
        int n = Math.min(settings.samples(), other.size());
        return Quality.floor(reference, other, n, settings.seed(), SmallSamples.REFUSE);
    }

    /** The floor as a column of a report. */
    ModelColumn floorColumn() {
        return new ModelColumn(
                "real images", ModelColumn.Role.REAL, "training images in a model's place", floor().measures());
    }

    /** Mean squared difference in ε between a network and the teacher, by time, on real images as the codec encodes them. */
    TimeBins agreement(Pipeline<Network> teacher, Pipeline<Network> student, ImageCodec codec) {
        try {
            return Agreement.between(teacher, student, codec, test, settings.seed(), settings.precision());
        } catch (RuntimeException e) {
            throw TorchError.translate(e, "comparing two networks", "judge fewer images at once", "batch");
        }
    }

    /** Loads a candidate's network where the evaluator's settings say. */
    Pipeline<Network> load(Candidate candidate) {
        return Models.load(candidate.model(), settings.device());
    }

    /** The settings. */
    public Settings settings() {
        return settings;
    }

    /** What a reader of the scores must know. */
    public List<String> notes() {
        FeatureSpace space = extractor.space();
        String recognises = Double.isNaN(accuracy)
                ? ""
                : String.format(
                        Locale.ROOT,
                        " It recognises %.2f %% of the %d real images of %s.",
                        100 * accuracy,
                        test.size(),
                        test.name());
        String fitted = extractor instanceof PixelPca
                ? " It was fitted to the reference images, in which no picture that is judged has a part."
                : "";
        List<String> notes = new ArrayList<>(List.of(
                "Extractor " + space.extractor() + ": " + space.dimension() + " features, preprocessing "
                        + space.preprocessing() + ", weights sha256 " + space.weightsSha256() + "." + fitted
                        + recognises,
                settings.samples() + " images of each model, classes in turn, seed " + settings.seed()
                        + ", quantised to bytes, against " + test.size() + " images of " + test.name()
                        + ". The floor is as many images of " + other.dataset() + " in a model's place.",
                "A score compares only with scores of the same extractor, reference and number of images."));
        if (!divided) {
            notes.add(test.name() + " has no test split: one half of its images is the reference, the other the floor,"
                    + " and models were trained on both, so scores look better than on images they have not seen.");
        }
        leftOut.forEach(sentence -> notes.add("Real images " + sentence + "."));
        return notes;
    }

    /** Refuses a model that draws images of another shape than the real ones. */
    void requireImagesLike(Candidate candidate) {
        ImageShape drawn = candidate.card().images();
        ImageShape real = test.shape();
        if (!drawn.equals(real)) {
            throw new RetortException(
                            Kind.DATA,
                            candidate.name() + " draws images of " + drawn + ", those of " + test.name() + " are "
                                    + real + "; give images of its shape, or compare it with models of theirs")
                    .about("data");
        }
    }

    @Override
    public void close() {
        close(extractor);
    }

    private static void close(FeatureExtractor extractor) {
        if (extractor instanceof ClassifierExtractor classifier) {
            classifier.close();
        }
    }
}
