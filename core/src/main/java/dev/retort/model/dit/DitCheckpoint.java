package dev.retort.model.dit;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.StateDict;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.model.Fit;
import dev.retort.model.ModelCard;
import dev.retort.model.ProcessSpec;
import dev.retort.model.SamplingSpec;
import dev.retort.model.Weights;
import dev.retort.model.vae.AutoencoderFiles;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * A diffusion transformer as another program saved it, opened: what it is, how it is sampled, and its weights for our
 * network. Reads the original's files (bare, or a training file, whose average is taken), those of fast-DiT, SiT and
 * REPA, and folders of the diffusers library, whole pipelines too. Weights are read tensor by tensor.
 */
public final class DitCheckpoint implements AutoCloseable {
    private static final String TRANSFORMER = "transformer";

    private final StateDict weights;
    private final DitLayout layout;
    private final DitFamily family;
    private final DitSpec spec;
    private final ProcessSpec process;
    private final SamplingSpec sampling;
    private final List<String> classes;
    private final List<String> notes;
    /** Of the pipeline; null where there is none. */
    private final AutoencoderFiles autoencoder;

    private DitCheckpoint(Path path, StateDict weights, DitHints hints) {
        this.weights = weights;
        this.notes = new ArrayList<>(weights.notes());
        Map<String, TensorEntry> entries = weights.entries();
        List<String> allowed = new ArrayList<>(hints.allowed());
        DiffusersFolder folder = DiffusersFolder.of(path);
        if (entries.containsKey("x_embedder.proj.weight")) {
            layout = DitLayout.ORIGINAL;
            boolean projectors = entries.keySet().stream().anyMatch(name -> name.startsWith("projectors."));
            family = hints.family() == null ? DitFamily.of(weights.metadata(), projectors) : hints.family();
            spec = DitShapes.spec(weights, hints);
            if (projectors) {
                allowed.add("projectors.*");
                notes.add("left out the projectors, which serve training alone");
            }
        } else if (entries.containsKey("pos_embed.proj.weight") && folder != null) {
            layout = DitLayout.DIFFUSERS;
            family = hints.family() == null ? DitFamily.DIFFUSERS : hints.family();
            spec = folder.spec();
        } else {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    path + " is no DiT that is known here: it has neither 'x_embedder.proj.weight' nor"
                            + " 'pos_embed.proj.weight' beside a config.json; 'retort inspect' lists what it holds");
        }
        autoencoder = folder == null ? null : folder.autoencoder();
        process = folder == null ? family.process() : folder.process(family.process());
        sampling = sampling(family.sampling(), spec);
        classes = folder == null || folder.classes().size() != spec.classes()
                ? IntStream.range(0, spec.classes()).mapToObj(String::valueOf).toList()
                : folder.classes();
        if (family == DitFamily.SIT) {
            notes.add("turned its time and velocity round: they ran from noise to data");
        }
        Fit fit = Fit.of(layout.shapes(spec), entries);
        fit.allowing(allowed).require(path);
        fit.missing().forEach(name -> notes.add("took zeros for the missing " + name));
        requireEqualCopies();
    }

    /** Whether a path looks like a checkpoint that {@link #open} could read; nothing is read yet. */
    public static boolean mayBe(Path path) {
        return Files.isRegularFile(path)
                || Files.isRegularFile(path.resolve("config.json"))
                || Files.isDirectory(path.resolve(TRANSFORMER));
    }

    /** The files that hold its weights. */
    public static List<Path> files(Path path) {
        try (TensorFile file = TensorFiles.open(inside(path))) {
            return file.files();
        }
    }

    /** Where the weights lie: the folder of the network in that of a pipeline, else the path itself. */
    public static Path inside(Path path) {
        return Files.isDirectory(path.resolve(TRANSFORMER)) ? path.resolve(TRANSFORMER) : path;
    }

    /**
     * Opens a file or folder.
     *
     * @throws RetortException of kind CHECKPOINT, naming the file and what is wrong with it: unreadable, no DiT, or names
     *     that are missing, unexpected or of another shape
     */
    public static DitCheckpoint open(Path path, DitHints hints) {
        Path inside = inside(path);
        StateDict weights = StateDict.of(TensorFiles.open(inside));
        try {
            return new DitCheckpoint(inside, weights, hints);
        } catch (RetortException e) {
            weights.close();
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

    /** Copies of the same rows must hold the same bytes: a network fine-tuned with copies of its own differs. */
    private void requireEqualCopies() {
        Map<String, String> first = new HashMap<>();
        for (DitLayout.Part part : layout.parts(spec)) {
            if (!weights.entries().containsKey(part.key())) {
                continue;
            }
            String before = first.putIfAbsent(part.parameter() + " " + part.firstRow(), part.key());
            if (before != null && !same(before, part.key())) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        weights.path() + " cannot be read as a DiT: '" + before + "' and '" + part.key()
                                + "' differ, but one embedder serves all blocks; it was trained with one per block");
            }
        }
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
        Map<String, String> provenance =
                Map.of("source", weights.path().toAbsolutePath().normalize().toString(), "family", family.name());
        ModelCard card = ModelCard.of(spec, process, sampling, classes, "", 0, 0, "", provenance);
        return autoencoder == null ? card : card.withAutoencoder(autoencoder.card());
    }

    /** The network in fp32, which can be trained on; close it. */
    public Dit load(Device device) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Dit dit = new Dit(spec, Init.blank(device));
            BiFunction<String, Dtype, Tensor> source = source(device);
            dit.state().forEach((name, tensor) -> {
                try (Scope one = Scope.open()) {
                    fill(name, tensor, source);
                }
            });
            return dit;
        }
    }

    /** Straight into the network's memory, but for what is rewritten on the way. */
    private void fill(String name, Tensor tensor, BiFunction<String, Dtype, Tensor> source) {
        if (family == DitFamily.SIT) {
            tensor.copy_(source.apply(name, Dtype.F32));
        } else {
            read(name, tensor);
        }
    }

    /** The network prepared for sampling: each weight is prepared as it is read, so none is held twice; close it. */
    public DitInference loadForSampling(Device device, Precision precision) {
        return new DitInference(spec, source(device), device, precision);
    }

    private BiFunction<String, Dtype, Tensor> source(Device device) {
        Map<String, long[]> shapes = DitLayout.parameters(spec);
        BiFunction<String, Dtype, Tensor> plain = (name, dtype) -> {
            Tensor tensor = Tensors.empty(dtype, device, shapes.get(name));
            read(name, tensor);
            return tensor;
        };
        return family == DitFamily.SIT ? ReversedTime.of(spec, plain) : plain;
    }

    /** Every row once; the position table is computed where the layout does not store it. */
    private void read(String name, Tensor target) {
        long[] done = new long[0];
        for (DitLayout.Part part : layout.parts(spec)) {
            boolean again = Arrays.stream(done).anyMatch(row -> row == part.firstRow());
            if (part.parameter().equals(name) && !again) {
                done = Arrays.copyOf(done, done.length + 1);
                done[done.length - 1] = part.firstRow();
                Tensor rows = target.narrow(0, part.firstRow(), part.shape()[0]);
                if (weights.entries().containsKey(part.key())) {
                    Weights.fill(rows, weights, part.key());
                } else {
                    rows.zero_();
                }
            }
        }
        if (done.length == 0 && name.equals("pos_embed")) {
            int side = spec.height() / spec.patch();
            Tensor table = Tensors.of(PositionTable.sinCos(side, side, spec.hidden()), Device.of(target));
            target.copy_(table.view(1, spec.tokens(), spec.hidden()));
        }
    }

    @Override
    public void close() {
        weights.close();
    }
}
