package dev.retort.evaluate;

import dev.retort.card.ImageShape;
import dev.retort.card.ModelCard;
import dev.retort.config.Require;
import dev.retort.data.DataConfig;
import dev.retort.data.DomainImages;
import dev.retort.data.ImageSource;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.evaluate.FeatureExtractor.Extraction;
import dev.retort.model.Network;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.ModelColumn;
import dev.retort.report.Progress;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.TorchError;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Judges models by some extractors against one set of real images: the test split, which no model was trained on. Training
 * images take a model's place for the floor. A set that has no test split is halved, which the notes tell.
 */
public final class Evaluator implements AutoCloseable {
    /** Real images on each side, where the set has as many. */
    private static final int REAL_IMAGES = 10_000;

    private static final int MOST_NAMED = 5;

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

    private final List<Scorer> judges;
    private final Settings settings;
    private final ImageSet test;
    private final boolean divided;
    private final List<String> leftOut;
    private final List<String> domain;
    private final Optional<PromptJudge> prompts;

    private Evaluator(
            List<Scorer> judges,
            Settings settings,
            ImageSet test,
            boolean divided,
            List<String> leftOut,
            List<String> domain,
            Optional<PromptJudge> prompts) {
        this.judges = judges;
        this.settings = settings;
        this.test = test;
        this.divided = divided;
        this.leftOut = leftOut;
        this.domain = domain;
        this.prompts = prompts;
    }

    /**
     * Reads the real images and their features.
     *
     * @param data the images; both splits, {@code test} and {@code train}, are read
     * @param extractors who judges, each as {@link Extractors#open} takes it; {@link Extractors#USUAL} by custom. The first gives all scores,
     *     others distance, precision and recall
     */
    public static Evaluator of(DataConfig data, List<String> extractors, FeatureCache cache, Settings settings) {
        return of(data, extractors, cache, settings, List.of());
    }

    /**
     * The same for models of which some were distilled for some classes alone: all are judged on these, by real images of no others.
     *
     * @param judged the models that will be judged beside each other
     * @throws RetortException of kind USAGE where they were distilled for different classes
     */
    public static Evaluator of(
            DataConfig data, List<String> extractors, FeatureCache cache, Settings settings, List<Candidate> judged) {
        Optional<Candidate> narrow = narrow(judged);
        ImageSource training = among(data.withSplit("train").open(), narrow);
        int most = Math.max(REAL_IMAGES, settings.samples());
        ImageSet test;
        ImageSet train;
        Set<String> leftOut = new LinkedHashSet<>(training.notes());
        if (training.hasTestSplit()) {
            train = ImageSet.subset(training, most);
            ImageSource tests = among(data.withSplit("test").open(), narrow);
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
        List<FeatureExtractor> opened = Extractors.open(extractors, test);
        try {
            opened.forEach(one -> Scorer.requireEnough(settings.samples(), one.space()));
            List<Scorer> judges = opened.stream()
                    .map(one -> Scorer.of(one, test, train, cache))
                    .toList();
            return new Evaluator(
                    judges,
                    settings,
                    test,
                    training.hasTestSplit(),
                    List.copyOf(leftOut),
                    narrow.map(Candidate::domain).orElse(List.of()),
                    PromptJudge.of(data, test.shape().height()));
        } catch (RuntimeException e) {
            opened.forEach(FeatureExtractor::close);
            throw TorchError.translate(e, "looking at the real images", "judge fewer images at once", "batch");
        }
    }

    /** A model that was distilled for some classes alone, where there is one; the others that were must be for the same. */
    private static Optional<Candidate> narrow(List<Candidate> judged) {
        List<Candidate> narrow = judged.stream()
                .filter(candidate -> !candidate.domain().isEmpty())
                .toList();
        for (Candidate other : narrow) {
            Candidate first = narrow.get(0);
            if (!Set.copyOf(other.domain()).equals(Set.copyOf(first.domain()))) {
                throw new RetortException(
                        Kind.USAGE,
                        first.name() + " was distilled for " + few(first.domain()) + " alone and " + other.name()
                                + " for " + few(other.domain())
                                + ", so there are no images that both are judged by; compare students of one domain");
            }
        }
        return narrow.stream().findFirst();
    }

    private static String few(List<String> names) {
        return FirstFew.of(names, MOST_NAMED);
    }

    /** Of real images those of the classes of a model: by name, by place where the data name none, all where they know one class only. */
    private static ImageSource among(ImageSource source, Optional<Candidate> narrow) {
        List<String> names = source.classNames();
        if (narrow.isEmpty() || names.size() == 1 && narrow.get().domain().size() == 1) {
            return source;
        }
        ModelCard card = narrow.get().card();
        boolean byPlace =
                names.size() == card.classes().size() && names.stream().allMatch(name -> name.matches("\\d+"));
        int[] labels = new int[names.size()];
        Arrays.fill(labels, -1);
        for (int known : card.trainedFor().classes()) {
            String name = card.classes().get(known);
            int label = byPlace ? known : names.indexOf(name);
            if (label < 0) {
                throw new RetortException(
                                Kind.DATA,
                                source.name() + " has no class " + name + ", for which "
                                        + narrow.get().name() + " was distilled; its classes are " + few(names)
                                        + "; give pictures in folders of the model's names")
                        .about("data");
            }
            labels[label] = label;
        }
        return new DomainImages(source, names, false, labels);
    }

    /** Draws a candidate's images and judges them. */
    public Evaluation evaluate(Candidate candidate, Progress progress) {
        requireImagesLike(candidate); // before it is loaded
        try {
            return evaluated(candidate, progress);
        } catch (RuntimeException e) {
            throw TorchError.translate(e, "judging " + candidate.name(), "judge fewer images at once", "batch");
        }
    }

    private Evaluation evaluated(Candidate candidate, Progress progress) {
        try (ImageGenerator generator = TorchGenerator.open(
                candidate, settings.seed(), settings.batch(), settings.device(), settings.precision())) {
            return evaluate(candidate, generator, progress);
        }
    }

    /** The same of images that something else than the candidate's own network may draw. */
    Evaluation evaluate(Candidate candidate, ImageGenerator generator, Progress progress) {
        requireImagesLike(candidate);
        List<String> classes = classes(candidate);
        SampleSet samples = SampleSet.of(
                classes,
                domain.isEmpty()
                        ? IntStream.range(0, classes.size()).boxed().toList()
                        : domain.stream().map(classes::indexOf).toList(),
                settings.samples(),
                candidate.card().images());
        Optional<PromptScore.Counting> counting =
                judge(candidate).map(judge -> new PromptScore.Counting(judge, samples.labels()));
        List<Function<PixelBatch, Extraction>> looks = new ArrayList<>();
        judges.forEach(judge -> looks.add(judge.extractor()::extract));
        counting.ifPresent(prompt -> looks.set(0, prompt.before(looks.get(0))));
        List<Extraction> found = Extraction.of(generator.draw(samples, progress), looks);
        boolean ofClasses = samples.classes().size() == test.classNames().size();
        List<Quality> qualities = new ArrayList<>();
        Optional<Memorisation> memorisation = Optional.empty();
        Optional<FeatureSpace> classifier = Optional.empty();
        FeatureMatrix logits = FeatureMatrix.of(new float[0][]);
        for (int i = 0; i < judges.size(); i++) {
            Scorer judge = judges.get(i);
            FeatureMatrix features = FeatureMatrix.of(found.get(i).features());
            qualities.add(judge.quality(candidate.name(), features));
            if (memorisation.isEmpty() && !judge.extractor().trained()) {
                memorisation = Optional.of(judge.memorisation(features));
            }
            if (classifier.isEmpty() && ofClasses && judge.classifies()) {
                classifier = Optional.of(judge.extractor().space());
                logits = FeatureMatrix.of(found.get(i).logits());
            }
        }
        return new Evaluation(
                candidate,
                samples,
                List.copyOf(qualities),
                memorisation,
                classifier,
                logits,
                counting.map(PromptScore.Counting::score));
    }

    /** Who sees whether a model that is told texts draws what they say. */
    private Optional<PromptJudge> judge(Candidate candidate) {
        return candidate.card().text() == null ? Optional.empty() : prompts;
    }

    /** What a model can be asked for: texts that can be judged, else its classes or example texts, or where it knows none the classes of the real images, by name. */
    private List<String> classes(Candidate candidate) {
        if (judge(candidate).isPresent()) {
            return judge(candidate).get().prompts();
        }
        List<String> own = candidate.card().subjects();
        return own.isEmpty() ? test.classNames() : own;
    }

    /** The floor as a column of a report: as many training images as there are samples of a model, or all there are, in a model's place. */
    public ModelColumn floor() {
        List<Quality> floors = judges.stream()
                .map(judge -> judge.floor(settings.samples(), settings.seed()))
                .toList();
        return new ModelColumn(
                domain.isEmpty() ? "real images" : "real images of " + few(domain),
                ModelColumn.Role.REAL,
                "training images in a model's place",
                Quality.measures(floors));
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
        List<String> notes = new ArrayList<>();
        if (!domain.isEmpty()) {
            notes.add("Judged on " + few(domain)
                    + " alone: all models draw no other classes, and real images are of no others.");
        }
        judges.forEach(judge -> notes.add(judge.note()));
        notes.addAll(List.of(
                settings.samples() + " images of each model, classes or texts in turn, seed " + settings.seed()
                        + ", quantised to bytes, against " + test.size() + " images of " + test.name()
                        + ". The floor is as many images of "
                        + judges.get(0).training().dataset() + " in a model's place.",
                "A score compares only with scores of the same extractor, reference and number of images."));
        if (!divided) {
            notes.add(test.name() + " has no test split: one half of its images is the reference, the other the floor,"
                    + " and models were trained on both, so scores look better than on images they have not seen.");
        }
        leftOut.forEach(sentence -> notes.add("Real images " + sentence + "."));
        return notes;
    }

    /** Refuses a model that draws images of another shape than the real ones, or was distilled for other classes than they are of. */
    void requireImagesLike(Candidate candidate) {
        List<String> own = candidate.domain();
        if (!own.isEmpty() && !Set.copyOf(own).equals(Set.copyOf(domain))) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    candidate.name() + " was distilled for " + few(own) + " alone, but models are judged on "
                            + (domain.isEmpty() ? "all classes" : few(domain)) + "; judge it on its own");
        }
        List<String> unknown = domain.stream()
                .filter(name -> !classes(candidate).contains(name))
                .toList();
        if (!unknown.isEmpty()) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    candidate.name() + " knows no class " + few(unknown)
                            + ", on which models are judged; leave it out");
        }
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
        judges.forEach(judge -> judge.extractor().close());
    }
}
