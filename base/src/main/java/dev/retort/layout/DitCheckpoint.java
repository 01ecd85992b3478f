package dev.retort.layout;

import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.StateDict;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * A diffusion transformer as another program saved it, opened: what it is, how it is sampled, and its weights for our
 * network. Reads the original's files (bare, or a training file, whose average is taken), those of fast-DiT, SiT and
 * REPA, and folders of the diffusers library, whole pipelines too. Weights are read tensor by tensor.
 */
public final class DitCheckpoint implements Checkpoint {
    private static final String ORIGINAL_MARK = "x_embedder.proj.weight";
    private static final String DIFFUSERS_MARK = "pos_embed.proj.weight";
    private static final String POSITIONS = "pos_embed";

    private final StateDict weights;
    private final DitLayout layout;
    private final DitFamily family;
    private final DitSpec spec;
    private final ParameterView parameters;
    private final ProcessSpec process;
    private final SamplingSpec sampling;
    private final List<String> classes;
    private final List<String> notes;
    /** Null where there is no configuration beside the weights. */
    private final DiffusersFolder pipeline;

    private DitCheckpoint(Path path, StateDict weights, Hints hints) {
        this.weights = weights;
        this.notes = new ArrayList<>(weights.notes());
        Map<String, TensorEntry> entries = weights.entries();
        List<String> allowed = new ArrayList<>(hints.allowed());
        DiffusersFolder folder = DiffusersFolder.of(path);
        if (entries.containsKey(ORIGINAL_MARK)) {
            layout = DitLayout.ORIGINAL;
            boolean projectors = entries.keySet().stream().anyMatch(name -> name.startsWith("projectors."));
            family = hints.family() == null ? DitFamily.of(weights.metadata(), projectors) : hints.family();
            spec = DitShapes.spec(weights, hints);
            if (projectors) {
                allowed.add("projectors.*");
                notes.add("left out the projectors, which serve training alone");
            }
        } else if (entries.containsKey(DIFFUSERS_MARK) && folder != null) {
            layout = DitLayout.DIFFUSERS;
            family = hints.family() == null ? DitFamily.DIFFUSERS : hints.family();
            spec = DitConfig.read(folder.config());
        } else {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    path + " is not a known DiT: it has neither '" + ORIGINAL_MARK + "' nor '" + DIFFUSERS_MARK
                            + "' beside a config.json; 'retort inspect' shows what it holds");
        }
        pipeline = folder;
        process = folder == null ? family.process() : folder.process(family.process());
        boolean asTheLibrary = folder != null && family == DitFamily.DIFFUSERS;
        sampling = sampling(asTheLibrary ? folder.sampling(family.sampling()) : family.sampling(), spec);
        if (asTheLibrary) {
            notes.addAll(folder.notes());
        }
        classes = folder == null || folder.classes().size() != spec.classes()
                ? IntStream.range(0, spec.classes()).mapToObj(String::valueOf).toList()
                : folder.classes();
        if (family == DitFamily.SIT) {
            notes.add("reversed its time and velocity, which ran from noise to data");
        }
        if (layout == DitLayout.ORIGINAL && !entries.containsKey(POSITIONS)) {
            allowed.add(POSITIONS);
            notes.add("computed the position table of " + spec.height() + "x" + spec.width()
                    + ", which the file does not hold");
        }
        Fit fit = Fit.of(layout.shapes(spec), entries);
        fit.allowing(allowed).require(path);
        fit.missing().stream()
                .filter(name -> !name.equals(POSITIONS))
                .forEach(name -> notes.add("took zeros for the missing " + name));
        parameters = view();
    }

    /**
     * Opens a file or folder.
     *
     * @throws RetortException of kind CHECKPOINT, naming the file and what is wrong with it: unreadable, no DiT, or names
     *     that are missing, unexpected or of another shape
     */
    public static DitCheckpoint open(Path path, Hints hints) {
        Path inside = PipelineFolder.network(path);
        TensorFile file = TensorFiles.open(inside);
        try {
            StateDict weights = StateDict.of(file, List.of(ORIGINAL_MARK, DIFFUSERS_MARK));
            return new DitCheckpoint(inside, weights, hints);
        } catch (RetortException e) {
            file.close();
            throw e;
        }
    }

    /** Guidance needs a null class, and a number of channels only where there are more of them. */
    private static SamplingSpec sampling(SamplingSpec usual, DitSpec spec) {
        return usual.withGuidance(
                spec.hasNullClass() ? usual.guidanceScale() : 1,
                usual.guidanceFrom(),
                usual.guidanceTo(),
                usual.guidanceChannels() < spec.channels() ? usual.guidanceChannels() : 0);
    }

    /**
     * The layout's keys that the file holds, of copies of the same rows one. Copies must hold the same bytes: a network
     * fine-tuned with copies of its own differs.
     */
    private List<WeightLayout.Part> onceEach() {
        Map<String, WeightLayout.Part> kept = new LinkedHashMap<>();
        for (WeightLayout.Part part : layout.parts(spec)) {
            if (!weights.entries().containsKey(part.key())) {
                continue;
            }
            WeightLayout.Part before = kept.putIfAbsent(part.parameter() + "@" + part.firstRow(), part);
            if (before != null && !same(before.key(), part.key())) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        weights.path() + " cannot be read as a DiT: '" + before.key() + "' and '" + part.key()
                                + "' differ, but one embedder serves all blocks; it was trained with one per block");
            }
        }
        return List.copyOf(kept.values());
    }

    /** The parameters, with a table of positions that the file lacks, and a time that runs our way. */
    private ParameterView view() {
        Map<String, long[]> shapes = DitLayout.parameters(spec);
        List<WeightLayout.Part> parts = onceEach();
        Map<String, Supplier<float[]>> computed = new HashMap<>();
        if (!weights.entries().containsKey(POSITIONS)) {
            computed.put(POSITIONS, this::positions);
        }
        ParameterView read = new ParameterView(weights, shapes, parts, computed);
        if (family != DitFamily.SIT) {
            return read;
        }
        computed = new HashMap<>(computed);
        computed.putAll(ReversedTime.of(spec, read));
        return new ParameterView(weights, shapes, parts, computed);
    }

    private float[] positions() {
        int side = spec.height() / spec.patch();
        double[] table = PositionTable.sinCos(side, side, spec.hidden());
        float[] values = new float[table.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) table[i];
        }
        return values;
    }

    private boolean same(String a, String b) {
        TensorEntry entry = weights.entry(a);
        if (weights.entry(b).dtype() != entry.dtype()) {
            return false;
        }
        int most = (int) Math.min(TensorFile.PORTION, entry.byteCount());
        ByteBuffer left = ByteBuffer.allocate(most);
        ByteBuffer right = ByteBuffer.allocate(most);
        for (long at = 0; at < entry.byteCount(); at += most) {
            int count = (int) Math.min(most, entry.byteCount() - at);
            weights.read(a, at, left.clear().limit(count));
            weights.read(b, at, right.clear().limit(count));
            if (!left.flip().equals(right.flip())) {
                return false;
            }
        }
        return true;
    }

    /** What the network is. */
    public DitSpec spec() {
        return spec;
    }

    @Override
    public DitLayout layout() {
        return layout;
    }

    @Override
    public String trainedBy() {
        return family.name();
    }

    @Override
    public List<String> notes() {
        return Collections.unmodifiableList(notes);
    }

    @Override
    public TensorFile weights() {
        return weights;
    }

    @Override
    public TensorFile parameters() {
        return parameters;
    }

    @Override
    public List<String> rounded(String to, String type) {
        List<String> rounded = new ArrayList<>();
        if (layout == DitLayout.DIFFUSERS && !to.equals(layout.id())) {
            rounded.add("the table of positions, which the library computes in fp32, is written in " + type);
        }
        if (family == DitFamily.SIT) {
            rounded.add("the embedding of time is rewritten in fp32 and rounded to " + type);
        }
        return rounded;
    }

    @Override
    public ModelCard card() {
        AutoencoderFiles autoencoder = pipeline == null ? null : pipeline.autoencoder();
        return autoencoder == null ? networkCard() : networkCard().withAutoencoder(autoencoder.card());
    }

    @Override
    public ModelCard networkCard() {
        Map<String, String> provenance =
                Map.of("source", weights.path().toAbsolutePath().normalize().toString(), "family", family.name());
        return ModelCard.of(spec, process, sampling, classes, "", 0, 0, "", provenance);
    }

    @Override
    public void close() {
        weights.close();
    }
}
