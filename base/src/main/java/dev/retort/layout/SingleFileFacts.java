package dev.retort.layout;

import dev.retort.card.ImageShape;
import dev.retort.card.ProcessSpec;
import dev.retort.diffusion.Prediction;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.TensorFile;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a file in the original layout may say of its model beside the weights: in its header by Stability's Model Metadata Standard, and
 * by empty tensors that programs put in for the same purpose.
 *
 * @param prediction what the network returns, where it is said
 * @param zeroTerminalSnr whether its noise levels are rescaled so that the last is pure noise
 * @param latents size of its latents (height, width), where it is said
 */
record SingleFileFacts(Optional<Prediction> prediction, boolean zeroTerminalSnr, Optional<List<Integer>> latents) {
    private static final String PREDICTION = "modelspec.prediction_type";
    private static final String RESOLUTION = "modelspec.resolution";
    private static final String ARCHITECTURE = "modelspec.architecture";
    /** Names of empty tensors. */
    private static final String V = "v_pred";

    private static final String RESCALED = "ztsnr";
    private static final Pattern SIZE = Pattern.compile("(\\d{2,5})x(\\d{2,5})");
    /** Pixels of a side that become one latent. */
    private static final int DOWNSCALE = 8;

    /** The names of the empty tensors. */
    static final List<String> MARKERS = List.of(V, RESCALED);

    /** What a file says. */
    static SingleFileFacts of(TensorFile file) {
        Map<String, String> header = file.metadata();
        Matcher size = SIZE.matcher(header.getOrDefault(RESOLUTION, ""));
        return new SingleFileFacts(
                prediction(
                        header.getOrDefault(PREDICTION, ""),
                        header.getOrDefault(ARCHITECTURE, ""),
                        file.entries().containsKey(V)),
                file.entries().containsKey(RESCALED),
                size.matches()
                        ? Optional.of(List.of(latents(size.group(2)), latents(size.group(1))))
                        : Optional.empty());
    }

    private static Optional<Prediction> prediction(String said, String architecture, boolean marked) {
        if (marked || said.equals("v") || said.isEmpty() && architecture.endsWith("-v2-768-v")) {
            return Optional.of(Prediction.V);
        }
        return said.equals("epsilon") || architecture.endsWith("-v2-512")
                ? Optional.of(Prediction.EPSILON)
                : Optional.empty();
    }

    private static int latents(String pixels) {
        return Math.max(1, Integer.parseInt(pixels) / DOWNSCALE);
    }

    /**
     * What is to be said of a model.
     *
     * @throws RetortException of kind CHECKPOINT where it was trained on other noise levels than Stable Diffusion's, or returns neither
     *     noise nor v, which no file in this layout says
     */
    static SingleFileFacts of(ProcessSpec process, ImageShape latents) {
        boolean known = process.equals(StableDiffusion.process(Prediction.EPSILON, false))
                || process.equals(StableDiffusion.process(Prediction.V, process.zeroTerminalSnr()));
        if (!known) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "files in the original layout are of models with Stable Diffusion's noise levels that return noise or v,"
                            + " and this one has " + process.schedule().text() + " and returns "
                            + process.prediction().name().toLowerCase(Locale.ROOT)
                            + "; write a folder of the diffusers library instead");
        }
        return new SingleFileFacts(
                Optional.of(process.prediction()),
                process.zeroTerminalSnr(),
                Optional.of(List.of(latents.height(), latents.width())));
    }

    /** For the header. */
    Map<String, String> header() {
        Map<String, String> header = new LinkedHashMap<>();
        prediction.ifPresent(said -> header.put(PREDICTION, said == Prediction.V ? "v" : "epsilon"));
        latents.ifPresent(size -> header.put(RESOLUTION, size.get(1) * DOWNSCALE + "x" + size.get(0) * DOWNSCALE));
        return header;
    }

    /** Names of empty tensors to write beside the weights. */
    List<String> markers() {
        return prediction.filter(Prediction.V::equals).isEmpty() ? List.of() : zeroTerminalSnr ? MARKERS : List.of(V);
    }
}
