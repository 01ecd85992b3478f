package dev.retort.card;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.retort.config.Require;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * What a checkpoint is and how it may be used; stands beside the weights as {@code model.json}.
 *
 * @param format version of this file's layout
 * @param network the network's shape
 * @param process how its data were noised and what it returns
 * @param scheduleHash hash of the schedule's values, checked on loading
 * @param sampling how to sample it when nothing else is asked for
 * @param trainedFor the ways of sampling that it was trained for
 * @param classes what each label means
 * @param data the data set it was trained on
 * @param imagesSeen training images seen
 * @param seed seed of the run
 * @param teacher hash of the teacher's weights, empty where there was none
 * @param provenance where, when and by which command it was made
 * @param metrics what was measured of it, by metric name
 * @param autoencoder what encoded its data and decodes its samples; null for a model of pixels
 * @param text how it is told texts; null, and not written, for a model that takes none
 * @param quantization how its layers are kept in fewer bits; null, and not written, for a model of floats
 */
public record ModelCard(
        int format,
        NetworkSpec network,
        ProcessSpec process,
        String scheduleHash,
        SamplingSpec sampling,
        TrainedFor trainedFor,
        List<String> classes,
        String data,
        long imagesSeen,
        long seed,
        String teacher,
        Map<String, String> provenance,
        Map<String, Double> metrics,
        AutoencoderCard autoencoder,
        @JsonInclude(JsonInclude.Include.NON_NULL) TextCard text,
        @JsonInclude(JsonInclude.Include.NON_NULL) QuantizationSpec quantization) {
    /** The version this program writes. */
    public static final int FORMAT = 4;

    /** Name in the provenance of the decay of that moving average which the weights are. */
    public static final String AVERAGE = "average";

    /** Name in the provenance of the adapters that were merged into the weights. */
    public static final String ADAPTERS = "adapters";

    /** Validates. */
    public ModelCard {
        requireThere("network", network);
        requireThere("process", process);
        requireThere("scheduleHash", scheduleHash);
        requireThere("sampling", sampling);
        requireThere("trainedFor", trainedFor);
        requireThere("classes", classes);
        requireThere("data", data);
        requireThere("teacher", teacher);
        requireThere("provenance", provenance);
        requireThere("metrics", metrics);
        Require.that(
                classes.size() == network.classes() && classes.stream().noneMatch(Objects::isNull),
                "classes",
                classes,
                network.classes() + " names, one for each label of the network");
        Require.that(
                trainedFor.classes().stream().allMatch(label -> label >= 0 && label < network.classes()),
                "trainedFor.classes",
                trainedFor.classes(),
                "labels from 0 to " + (network.classes() - 1));
        Require.that(
                text == null || network.condition().parts().containsKey(Part.TOKENS),
                "text",
                "there",
                "nothing: the network " + network.name() + " is told no text");
    }

    private static void requireThere(String field, Object value) {
        Require.that(value != null, field, "null", "a value");
    }

    /** A card in the current format, its schedule hash computed, of a model that is sampled in any way. */
    public static ModelCard of(
            NetworkSpec network,
            ProcessSpec process,
            SamplingSpec sampling,
            List<String> classes,
            String data,
            long imagesSeen,
            long seed,
            String teacher,
            Map<String, String> provenance) {
        return new ModelCard(
                FORMAT,
                network,
                process,
                process.noiseSchedule().hash(),
                sampling,
                TrainedFor.ANY,
                classes,
                data,
                imagesSeen,
                seed,
                teacher,
                provenance,
                Map.of(),
                null,
                null,
                null);
    }

    /** The same for a model of latents. */
    public ModelCard withAutoencoder(AutoencoderCard encoder) {
        return with(network, trainedFor, sampling, imagesSeen, metrics, encoder, text, quantization);
    }

    /** The same for a model that is told texts. */
    public ModelCard withText(TextCard texts) {
        return with(network, trainedFor, sampling, imagesSeen, metrics, autoencoder, texts, quantization);
    }

    /** The same after that many training images. */
    public ModelCard withImagesSeen(long images) {
        return with(network, trainedFor, sampling, images, metrics, autoencoder, text, quantization);
    }

    /** The same of another network. */
    public ModelCard withNetwork(NetworkSpec other) {
        return with(other, trainedFor, sampling, imagesSeen, metrics, autoencoder, text, quantization);
    }

    /** The same trained for other ways of sampling; for any of them it is sampled as one likes. */
    public ModelCard withTrainedFor(TrainedFor ways) {
        return with(network, ways, sampling, imagesSeen, metrics, autoencoder, text, quantization);
    }

    /** The labels that it is sampled for: those of its domain where it was distilled for one, else all. */
    public List<Integer> labels() {
        List<Integer> domain = trainedFor.classes();
        return domain.isEmpty() ? IntStream.range(0, classes.size()).boxed().toList() : domain;
    }

    /** Names of what it can be asked to show: its classes, or example texts of one that is told texts; none where nobody knows any. */
    public List<String> subjects() {
        return text == null ? classes : text.prompts();
    }

    /** The same sampled otherwise by default. */
    public ModelCard withSampling(SamplingSpec other) {
        return with(network, trainedFor, other, imagesSeen, metrics, autoencoder, text, quantization);
    }

    /** The same with something that was measured of it. */
    public ModelCard withMetric(String name, double value) {
        Map<String, Double> all = new LinkedHashMap<>(metrics);
        all.put(name, value);
        return with(network, trainedFor, sampling, imagesSeen, all, autoencoder, text, quantization);
    }

    /** The same of weights in fewer bits; what was measured of the others is not said of these. */
    public ModelCard withQuantization(QuantizationSpec spec) {
        return with(network, trainedFor, sampling, imagesSeen, Map.of(), autoencoder, text, spec);
    }

    /**
     * The same of weights into which adapters were merged; what was measured of the others is not said of these.
     *
     * @param merged what each is called and how strongly it was merged
     */
    public ModelCard withAdapters(List<String> merged) {
        Map<String, String> origin = new LinkedHashMap<>(provenance);
        merged.forEach(adapter -> origin.merge(ADAPTERS, adapter, (before, more) -> before + ", " + more));
        return made(network, teacher, origin);
    }

    /**
     * A part of it, which was not trained since; what was measured of the whole is not said of it.
     *
     * @param part what is left of the network
     * @param sha256 of the whole one's weights
     */
    public ModelCard cut(NetworkSpec part, String sha256) {
        return made(part, sha256, provenance);
    }

    /** Of weights that were made of its own, and of which nothing was measured yet. */
    private ModelCard made(NetworkSpec shape, String from, Map<String, String> origin) {
        return new ModelCard(
                format,
                shape,
                process,
                scheduleHash,
                sampling,
                trainedFor,
                classes,
                data,
                imagesSeen,
                seed,
                from,
                origin,
                Map.of(),
                autoencoder,
                text,
                quantization);
    }

    /**
     * Refuses a quantised model where weights of floats are needed.
     *
     * @param model what the error calls it
     * @param purpose what they are needed for, such as {@code be folded}
     * @throws RetortException of kind CHECKPOINT
     */
    public void requireFloats(Object model, String purpose) {
        if (quantization != null) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    model + " is quantised (" + quantization.text() + ") and cannot " + purpose
                            + "; give the model that it was quantised from");
        }
    }

    private ModelCard with(
            NetworkSpec shape,
            TrainedFor ways,
            SamplingSpec way,
            long images,
            Map<String, Double> measured,
            AutoencoderCard encoder,
            TextCard texts,
            QuantizationSpec bits) {
        return new ModelCard(
                format,
                shape,
                process,
                scheduleHash,
                way,
                ways,
                classes,
                data,
                images,
                seed,
                teacher,
                provenance,
                measured,
                encoder,
                texts,
                bits);
    }

    /** Shape of the pictures that come out in the end. */
    public ImageShape images() {
        return images(network);
    }

    /** The same of another network that works on the same pixels or latents. */
    public ImageShape images(NetworkSpec other) {
        return autoencoder == null ? other.shape() : autoencoder.images(other.shape());
    }

    /**
     * The same model drawing pictures of another size, with the same weights.
     *
     * @param height rows of the pictures, in pixels; a multiple of how many pixels become one cell of the network's smallest maps
     * @param width columns, likewise
     * @throws RetortException of kind USAGE, about {@code size}, where they are no such multiples, or the network is bound to its own
     */
    public ModelCard atSize(int height, int width) {
        return height == images().height() && width == images().width()
                ? this
                : withNetwork(PictureSize.of(this, height, width));
    }
}
