package dev.retort.model;

import dev.retort.card.QuantizationSpec;
import dev.retort.error.RetortException;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.ConvertedWeights;
import dev.retort.layout.Fit;
import dev.retort.nn.Layer;
import dev.retort.nn.WeightSource;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * Tensors from files and into them, a portion at a time: beside the tensors no more than a portion is in memory, and not even
 * that where a file of their own types is read.
 */
public final class Weights {
    private Weights() {}

    /** Loads a file's tensors into a layer, by name; what does not fit is an error that lists it, and nothing is changed. */
    public static void fill(Layer layer, TensorFile file) {
        Map<String, Tensor> state = layer.state();
        Fit.of(shapes(state), file.entries()).require(file.path());
        try (Staging staging = new Staging()) {
            state.forEach((name, tensor) -> fill(tensor, file, name, staging));
        }
    }

    /** {@link #fill(Layer, TensorFile)} of the file that lies there. */
    public static void fill(Layer layer, Path file) {
        try (TensorFile opened = TensorFiles.open(file)) {
            fill(layer, opened);
        }
    }

    /** Copies the values of all these tensors, each asked for once, by its name. */
    public static void copy(WeightSource weights, Map<String, Tensor> into) {
        try (NoGrad off = NoGrad.on()) {
            into.forEach((name, tensor) -> {
                try (Scope one = Scope.open()) {
                    tensor.copy_(weights.take(name, Dtype.of(tensor)));
                }
            });
        }
    }

    /** The shapes of tensors. */
    public static Map<String, long[]> shapes(Map<String, Tensor> tensors) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> shapes.put(name, Tensors.shape(tensor)));
        return shapes;
    }

    /**
     * Copies one tensor of a file into a contiguous tensor of as many elements, which may be a part of another; converted
     * where the types differ.
     */
    private static void fill(Tensor target, TensorFile file, String name, Staging staging) {
        TensorEntry entry = file.entry(name);
        if (target.numel() != entry.elements()) {
            throw new IllegalArgumentException(entry + " does not fill " + target.numel() + " elements");
        }
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor flat = Ops.view(Ops.detach(target), -1);
            long step = TensorFile.PORTION / entry.dtype().bytes();
            for (long at = 0; at < entry.elements(); at += step) {
                try (Scope portion = Scope.open()) {
                    long count = Math.min(step, entry.elements() - at);
                    copy(Ops.narrow(flat, 0, at, count), file, entry, at, count, staging);
                }
            }
        }
    }

    private static void copy(Tensor target, TensorFile file, TensorEntry entry, long at, long count, Staging staging) {
        long from = at * entry.dtype().bytes();
        Optional<Dtype> dtype = Dtype.of(entry.dtype());
        if (dtype.isEmpty()) {
            target.copy_(Tensors.of(file.floats(entry.name(), at, (int) count), Device.CPU, count));
            return;
        }
        if (!target.is_cuda() && Dtype.of(target) == dtype.get()) {
            file.read(entry.name(), from, Tensors.view(target));
            return;
        }
        Tensor staged = staging.portion(dtype.get(), count);
        file.read(entry.name(), from, Tensors.view(staged));
        target.copy_(staged);
    }

    /** One tensor of a file: in fp32 where it is floating point, as 64-bit integers or truth values else. */
    public static Tensor tensor(TensorFile file, String name, Device device) {
        TensorEntry entry = file.entry(name);
        Dtype dtype = entry.dtype().floating()
                ? Dtype.F32
                : entry.dtype() == dev.retort.io.Dtype.BOOL ? Dtype.BOOL : Dtype.I64;
        Tensor tensor = Tensors.empty(dtype, device, entry.shape());
        try (Staging staging = new Staging()) {
            fill(tensor, file, name, staging);
        }
        return tensor;
    }

    /** Every tensor of a file as {@link #tensor} reads it; open a scope first. */
    public static Map<String, Tensor> read(Path file, Device device) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (TensorFile opened = TensorFiles.open(file)) {
            opened.entries().keySet().forEach(name -> tensors.put(name, tensor(opened, name, device)));
        }
        return tensors;
    }

    /** The tensors of a file, each converted to the type asked for as it is read. */
    public static WeightSource source(TensorFile file, Device device, Staging staging) {
        return (name, dtype) -> {
            Tensor tensor = staging.tensor(dtype, device, file.entry(name).shape());
            fill(tensor, file, name, staging);
            return tensor;
        };
    }

    /**
     * A writer over tensors, which must live until it has written, their values converted to {@code dtype}.
     *
     * @throws RetortException of kind USAGE naming the tensors with finite values that are infinite in that type, since
     *     another holds them
     */
    public static SafetensorsWriter writer(Map<String, Tensor> tensors, Dtype dtype) {
        return writer(tensors, null, dtype);
    }

    /**
     * The same of a model that may be quantised: whole numbers and their scales stay as they are.
     *
     * @param spec how it is quantised; null where it is not
     * @param others type of what belongs to no quantised layer
     */
    public static SafetensorsWriter writer(Map<String, Tensor> tensors, QuantizationSpec spec, Dtype others) {
        Map<String, Tensor> rest = new LinkedHashMap<>(tensors);
        SafetensorsWriter writer = new SafetensorsWriter();
        for (String layer : spec == null ? List.<String>of() : spec.layers()) {
            String weight = layer + QuantizationSpec.WEIGHT;
            add(writer, weight, rest.remove(weight), spec.weightBits() == 4 ? Dtype.U8 : Dtype.I8);
            spec.added(layer).forEach(name -> add(writer, name, rest.remove(name), Dtype.F32));
        }
        Map<String, Long> lost = new LinkedHashMap<>();
        rest.forEach((name, tensor) -> lost.put(name, lost(tensor, others)));
        ConvertedWeights.requireNoneLost(lost, others.name());
        rest.forEach((name, tensor) -> add(writer, name, tensor, others));
        return writer;
    }

    private static void add(SafetensorsWriter writer, String name, Tensor tensor, Dtype dtype) {
        writer.add(name, dtype.stored(), Tensors.shape(tensor), values(tensor, dtype));
    }

    private static long lost(Tensor tensor, Dtype dtype) {
        if (!tensor.is_floating_point() || Dtype.of(tensor) == dtype) {
            return 0;
        }
        long lost = 0;
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor flat = Ops.view(Ops.contiguous(Ops.detach(tensor)), -1);
            long step = TensorFile.PORTION / dtype.bytes();
            for (long at = 0; at < flat.numel(); at += step) {
                try (Scope portion = Scope.open()) {
                    Tensor part = Ops.narrow(flat, 0, at, Math.min(step, flat.numel() - at));
                    lost += Ops.countFinite(part) - Ops.countFinite(dtype.cast(part));
                }
            }
        }
        return lost;
    }

    /** The values of a tensor, converted to the given type, for a writer; the tensor must live until it has written. */
    public static SafetensorsWriter.Values values(Tensor tensor, Dtype dtype) {
        return out -> {
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on()) {
                Tensor flat = Ops.view(Ops.contiguous(Ops.detach(tensor)), -1);
                long step = TensorFile.PORTION / dtype.bytes();
                for (long at = 0; at < flat.numel(); at += step) {
                    try (Scope portion = Scope.open()) {
                        Tensor part = Ops.narrow(flat, 0, at, Math.min(step, flat.numel() - at));
                        ByteBuffer bytes = Tensors.view(Tensors.plain(dtype.cast(part)));
                        while (bytes.hasRemaining()) {
                            out.write(bytes);
                        }
                    }
                }
            }
        };
    }
}
