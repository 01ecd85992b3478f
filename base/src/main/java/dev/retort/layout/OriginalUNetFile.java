package dev.retort.layout;

import dev.retort.card.ImageShape;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.UNetLayers;
import dev.retort.card.UNetSpec;
import dev.retort.diffusion.Prediction;
import dev.retort.error.RetortException;
import dev.retort.io.StateDict;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.WeightLayout.Part;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A U-Net in a file of the original (LDM) layout, opened: a whole model (Stable Diffusion 1.x, 2.x, XL), what a training script wrapped
 * around one, or the U-Net's tensors alone without a prefix. Averages beside the weights are not read: such files keep them under names of
 * another form.
 */
public final class OriginalUNetFile implements AutoCloseable {
    private static final List<String> MARKS =
            List.of(OriginalUNet.PREFIX + OriginalUNetShapes.FIRST, OriginalUNetShapes.FIRST);

    /** Width of the vector for the whole text of OpenCLIP's bigG, which every published model is told. */
    private static final int POOLED = 1280;

    private final StateDict file;
    private final UNetSpec spec;
    private final StableDiffusion generation;
    private final ProcessSpec process;
    private final List<String> notes;
    private final TensorFile parameters;

    private OriginalUNetFile(StateDict file, int side) {
        this.file = file;
        this.notes = new ArrayList<>(file.notes());
        boolean whole = file.entries().containsKey(MARKS.get(0));
        String prefix = whole ? OriginalUNet.PREFIX : "";
        Map<String, TensorEntry> own = new LinkedHashMap<>();
        file.entries().forEach((name, entry) -> {
            if (name.startsWith(prefix) && !SingleFileFacts.MARKERS.contains(name)) {
                own.put(name.substring(prefix.length()), entry);
            }
        });
        UNetSpec usual = new OriginalUNetShapes(file.path(), own)
                .spec(own.containsKey(OriginalUNetShapes.SIZES) ? pooled(file) : 0);
        generation = StableDiffusion.of(usual);
        SingleFileFacts facts = SingleFileFacts.of(file);
        spec = side > 0
                ? usual.with(new ImageShape(usual.channels(), side, side))
                : facts.latents()
                        .map(size -> usual.with(new ImageShape(usual.channels(), size.get(0), size.get(1))))
                        .orElse(usual);
        Prediction prediction = facts.prediction().orElse(generation.prediction());
        process = StableDiffusion.process(prediction, prediction == Prediction.V && facts.zeroTerminalSnr());
        assumed(facts, side > 0);
        List<Part> rows = new ArrayList<>();
        Map<String, long[]> keys = new LinkedHashMap<>();
        for (Part part : OriginalUNet.parts(spec)) {
            String key = part.key().substring(OriginalUNet.PREFIX.length());
            keys.put(key, part.shape());
            rows.add(Part.whole(prefix + key, part.parameter(), part.shape()));
        }
        Fit.of(keys, own).require(file.path());
        parameters = new ParameterView(file, UNetLayers.of(spec).shapes(), rows, Map.of());
    }

    /** Width of the pooled text that the file's own encoder makes, else that of every published one. */
    private static int pooled(TensorFile file) {
        List<OriginalTextEncoder> encoders = OriginalTextEncoder.in(file);
        int own = encoders.isEmpty()
                ? 0
                : encoders.get(encoders.size() - 1).spec(file).projection();
        return own > 0 ? own : POOLED;
    }

    /** Says what the file leaves open. */
    private void assumed(SingleFileFacts facts, boolean given) {
        List<String> taken = new ArrayList<>();
        if (facts.prediction().isEmpty()) {
            taken.add("that it returns " + (process.prediction() == Prediction.V ? "v" : "noise"));
        }
        if (facts.latents().isEmpty() && !given) {
            taken.add("latents of " + spec.height() + "x" + spec.width());
        }
        if (!taken.isEmpty()) {
            notes.add("took " + String.join(" and ", taken) + ", as usual for " + generation.title()
                    + ": the file does not say");
        }
    }

    /** Whether a file holds such a U-Net; of what it does not hold nothing is said. */
    public static boolean is(Path path) {
        try (TensorFile file = TensorFiles.open(path)) {
            return file.entries().keySet().stream().anyMatch(name -> name.endsWith(OriginalUNetShapes.FIRST));
        }
    }

    /**
     * Opens one; only headers are read.
     *
     * @param hints of which the size of the latents is taken, where it is given
     * @throws RetortException of kind CHECKPOINT, naming the file and what is wrong with it: unreadable, no such network, or names
     *     that are missing, unexpected or of another shape
     */
    public static OriginalUNetFile open(Path path, Hints hints) {
        TensorFile file = TensorFiles.open(path);
        try {
            return new OriginalUNetFile(StateDict.of(file, MARKS), hints.side());
        } catch (RetortException e) {
            file.close();
            throw e;
        }
    }

    /** What the network is: heads and the convention as usual, the size as the file or the hints say, else as usual. */
    public UNetSpec spec() {
        return spec;
    }

    /** What the network is shaped like. */
    public StableDiffusion generation() {
        return generation;
    }

    /** How its data were noised and what it returns, as the file says, else as usual. */
    public ProcessSpec process() {
        return process;
    }

    /** How its program draws by default. */
    public SamplingSpec sampling() {
        return generation.sampling(process);
    }

    /** What was taken off in reading, and what the file does not say and was taken as usual, a sentence each. */
    public List<String> notes() {
        return Collections.unmodifiableList(notes);
    }

    /** All tensors of the file as they are stored, without what was wrapped around them. */
    public TensorFile weights() {
        return file;
    }

    /** The network's parameters under its own names, in the order of its state. Good as long as this is open. */
    public TensorFile parameters() {
        return parameters;
    }

    @Override
    public void close() {
        file.close();
    }
}
