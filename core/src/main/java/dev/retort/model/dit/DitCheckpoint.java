package dev.retort.model.dit;

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
import dev.retort.model.Fit;
import dev.retort.model.Staging;
import dev.retort.model.WeightSource;
import dev.retort.model.Weights;
import dev.retort.model.vae.AutoencoderFiles;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * A diffusion transformer as another program saved it, opened: what it is, how it is sampled, and its weights for our
 * network. Reads the original's files (bare, or a training file, whose average is taken), those of fast-DiT, SiT and
 * REPA, and folders of the diffusers library, whole pipelines too. Weights are read tensor by tensor.
 */
public final class DitCheckpoint implements AutoCloseable {
    private static final String TRANSFORMER = "transformer";
    private static final String ORIGINAL_MARK = "x_embedder.proj.weight";
    private static final String DIFFUSERS_MARK = "pos_embed.proj.weight";
    private static final String POSITIONS = "pos_embed";

    private final StateDict weights;
    private final DitLayout layout;
    private final DitFamily family;
    private final DitSpec spec;
    /** By parameter, each row once: made once, since a network of 28 blocks has hundreds of keys. */
    private final Map<String, List<DitLayout.Part>> partsOf = new HashMap<>();

    private final ProcessSpec process;
    private final SamplingSpec sampling;
    private final List<String> classes;
    private final List<String> notes;
    /** Null where there is no configuration beside the weights. */
    private final DiffusersFolder pipeline;

    private DitCheckpoint(Path path, StateDict weights, DitHints hints) {
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
            spec = folder.spec();
        } else {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    path + " is no DiT that is known here: it has neither '" + ORIGINAL_MARK + "' nor '"
                            + DIFFUSERS_MARK + "' beside a config.json; 'retort inspect --keys' lists what it holds");
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
            notes.add("turned its time and velocity round: they ran from noise to data");
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
        sortParts();
    }

    /** Whether a path looks like a checkpoint that {@link #open} could read; nothing is read yet. */
    public static boolean mayBe(Path path) {
        return Files.isRegularFile(path) || Files.isRegularFile(path.resolve("config.json")) || isPipeline(path);
    }

    /** Whether a configuration beside the weights says that they are a DiT, however damaged they may be. */
    public static boolean claimsToBe(Path path) {
        return DiffusersFolder.claims(inside(path));
    }

    /** The files that hold its weights. */
    public static List<Path> files(Path path) {
        try (TensorFile file = TensorFiles.open(inside(path))) {
            return file.files();
        }
    }

    /** Where the weights lie: the folder of the network in that of a pipeline, else the path itself. */
    public static Path inside(Path path) {
        return isPipeline(path) ? path.resolve(TRANSFORMER) : path;
    }

    /** Whether a folder holds that of a network. */
    public static boolean isPipeline(Path path) {
        return Files.isDirectory(path.resolve(TRANSFORMER));
    }

    /**
     * Opens a file or folder.
     *
     * @throws RetortException of kind CHECKPOINT, naming the file and what is wrong with it: unreadable, no DiT, or names
     *     that are missing, unexpected or of another shape
     */
    public static DitCheckpoint open(Path path, DitHints hints) {
        Path inside = inside(path);
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
        return new SamplingSpec(
                usual.solver(),
                usual.steps(),
                spec.hasNullClass() ? usual.guidanceScale() : 1,
                usual.guidanceFrom(),
                usual.guidanceTo(),
                usual.guidanceChannels() < spec.channels() ? usual.guidanceChannels() : 0);
    }

    /**
     * Sorts the layout's keys. Copies of the same rows must hold the same bytes: a network fine-tuned with copies of its own
     * differs.
     */
    private void sortParts() {
        for (DitLayout.Part part : layout.parts(spec)) {
            List<DitLayout.Part> parts = partsOf.computeIfAbsent(part.parameter(), name -> new ArrayList<>());
            DitLayout.Part before = parts.stream()
                    .filter(other -> other.firstRow() == part.firstRow())
                    .findFirst()
                    .orElse(null);
            if (before == null || !holds(before)) {
                parts.remove(before);
                parts.add(part);
            } else if (holds(part) && !same(before.key(), part.key())) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        weights.path() + " cannot be read as a DiT: '" + before.key() + "' and '" + part.key()
                                + "' differ, but one embedder serves all blocks; it was trained with one per block");
            }
        }
    }

    private boolean holds(DitLayout.Part part) {
        return weights.entries().containsKey(part.key());
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

    /** The network. */
    public DitSpec spec() {
        return spec;
    }

    /** How the file names its tensors. */
    public DitLayout layout() {
        return layout;
    }

    /** Whose program trained it. */
    public DitFamily family() {
        return family;
    }

    /** How its data were noised and what it returns, in our convention. */
    public ProcessSpec process() {
        return process;
    }

    /** How its own program samples it. */
    public SamplingSpec sampling() {
        return sampling;
    }

    /** What was taken off or changed in reading, a sentence each. */
    public List<String> notes() {
        return Collections.unmodifiableList(notes);
    }

    /** The tensors, without what was wrapped around them. */
    public TensorFile weights() {
        return weights;
    }

    /** The card of the model that {@link #load} gives, with the autoencoder of the pipeline it lies in. */
    public ModelCard card() {
        AutoencoderFiles autoencoder = pipeline == null ? null : pipeline.autoencoder();
        return autoencoder == null ? networkCard() : networkCard().withAutoencoder(autoencoder.card());
    }

    /** The same without the autoencoder, which is not looked at and so may be damaged. */
    public ModelCard networkCard() {
        Map<String, String> provenance =
                Map.of("source", weights.path().toAbsolutePath().normalize().toString(), "family", family.name());
        return ModelCard.of(spec, process, sampling, classes, "", 0, 0, "", provenance);
    }

    /** The network in fp32, which can be trained on; close it. */
    public Dit load(Device device) {
        try (Scope scope = Scope.open();
                Staging staging = new Staging();
                NoGrad off = NoGrad.on()) {
            Dit dit = new Dit(spec, Init.blank(device));
            WeightSource source = source(device, staging);
            dit.state().forEach((name, tensor) -> {
                try (Scope one = Scope.open()) {
                    fill(name, tensor, source, staging);
                }
            });
            return dit;
        }
    }

    /** Straight into the network's memory, but for what is rewritten on the way. */
    private void fill(String name, Tensor tensor, WeightSource source, Staging staging) {
        if (family == DitFamily.SIT) {
            tensor.copy_(source.take(name, Dtype.F32));
        } else {
            read(name, tensor, staging);
        }
    }

    /** The network prepared for sampling: each weight is prepared as it is read, so none is held twice; close it. */
    public DitInference loadForSampling(Device device, Precision precision) {
        try (Staging staging = new Staging()) {
            return new DitInference(spec, source(device, staging), device, precision);
        }
    }

    private WeightSource source(Device device, Staging staging) {
        Map<String, long[]> shapes = DitLayout.parameters(spec);
        WeightSource plain = (name, dtype) -> {
            Tensor tensor = staging.tensor(dtype, device, shapes.get(name));
            read(name, tensor, staging);
            return tensor;
        };
        return family == DitFamily.SIT ? ReversedTime.of(spec, plain) : plain;
    }

    /** The position table is computed where the file does not hold it. */
    private void read(String name, Tensor target, Staging staging) {
        List<DitLayout.Part> parts = partsOf.getOrDefault(name, List.of());
        if (name.equals(POSITIONS) && parts.stream().noneMatch(this::holds)) {
            int side = spec.height() / spec.patch();
            Tensor table = Tensors.of(PositionTable.sinCos(side, side, spec.hidden()), Device.of(target));
            target.copy_(Ops.view(table, 1, spec.tokens(), spec.hidden()));
            return;
        }
        for (DitLayout.Part part : parts) {
            Tensor rows = Ops.narrow(target, 0, part.firstRow(), part.shape()[0]);
            if (holds(part)) {
                Weights.fill(rows, weights, part.key(), staging);
            } else {
                Ops.fill(rows, 0);
            }
        }
    }

    @Override
    public void close() {
        weights.close();
    }
}
