package dev.retort.layout;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.Dtype;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TorchWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Values of one file on their way into another, a portion at a time, as they are or in another type. */
public final class ConvertedWeights {
    private static final int MOST_NAMED = 3;
    private static final Set<Dtype> WRITTEN = EnumSet.of(Dtype.F32, Dtype.BF16, Dtype.F16);

    private ConvertedWeights() {}

    /** The floating-point types of a file's values, as far as they can be read. */
    public static Set<Dtype> types(TensorFile file) {
        return file.entries().values().stream()
                .filter(TensorEntry::readable)
                .map(TensorEntry::dtype)
                .filter(Dtype::floating)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Dtype.class)));
    }

    /** The type that all floating-point values of a file have, where there is one and it can be written. */
    public static Optional<Dtype> single(TensorFile file) {
        Set<Dtype> types = types(file);
        return types.stream()
                .filter(type -> types.size() == 1 && WRITTEN.contains(type))
                .findFirst();
    }

    /** All tensors of a file for a file of ours, under their names. */
    static SafetensorsWriter writer(TensorFile file, Dtype dtype) {
        SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
        file.entries()
                .values()
                .forEach(entry -> writer.add(
                        entry.name(), dtype, entry.shape(), file.values(entry.name(), 0, entry.elements(), dtype)));
        return writer;
    }

    /** What both writers of files do with a tensor. */
    private interface Adding {
        void add(String name, Dtype dtype, long[] shape, SafetensorsWriter.Values values);
    }

    /** Refuses a folder where a file is to be written. */
    static void requireFile(Path to) {
        if (Files.isDirectory(to)) {
            throw new RetortException(Kind.USAGE, to + " is a folder, and a file is written; give another name");
        }
    }

    /**
     * Writes the tensors of several files as a bare dictionary: a torch file where the name ends in {@code .pt}, {@code .pth}, {@code
     * .ckpt} or {@code .bin}, else safetensors, whose header has facts of the model as well.
     *
     * @param markers names of tensors without values that are facts of the model, too
     */
    static void write(Path to, List<TensorFile> files, Dtype dtype, Map<String, String> facts, List<String> markers) {
        boolean torch = to.toString().matches("(?i).*\\.(pt|pth|ckpt|bin)");
        TorchWriter pickle = new TorchWriter();
        SafetensorsWriter plain = new SafetensorsWriter().metadata("format", "pt");
        Adding writer = torch ? pickle::add : plain::add;
        for (TensorFile file : files) {
            file.entries()
                    .forEach((name, entry) ->
                            writer.add(name, dtype, entry.shape(), file.values(name, 0, entry.elements(), dtype)));
        }
        facts.forEach(plain::metadata);
        markers.forEach(marker -> writer.add(marker, dtype, new long[] {0}, out -> {}));
        if (torch) {
            pickle.write(to);
        } else {
            plain.write(to);
        }
    }

    /**
     * Refuses a file with finite values that are infinite in the given type.
     *
     * @throws RetortException of kind USAGE naming them, since another type holds them
     */
    static void requireFinite(TensorFile file, Dtype dtype) {
        Map<String, Long> lost = new LinkedHashMap<>();
        for (TensorEntry entry : file.entries().values()) {
            if (mayExceed(entry.dtype(), dtype)) {
                lost.put(entry.name(), lost(file, entry, dtype));
            }
        }
        requireNoneLost(lost, dtype.name());
    }

    private static boolean mayExceed(Dtype from, Dtype to) {
        return from != to && to != Dtype.F32 && !(from == Dtype.F16 && to == Dtype.BF16);
    }

    private static long lost(TensorFile file, TensorEntry entry, Dtype dtype) {
        // the least magnitudes that are rounded to infinity
        float beyond = dtype == Dtype.F16 ? 65520f : Float.intBitsToFloat(0x7f7f8000);
        long lost = 0;
        int step = TensorFile.PORTION / Float.BYTES;
        for (long at = 0; at < entry.elements(); at += step) {
            for (float value : file.floats(entry.name(), at, (int) Math.min(step, entry.elements() - at))) {
                float magnitude = Math.abs(value);
                lost += magnitude >= beyond && magnitude < Float.POSITIVE_INFINITY ? 1 : 0;
            }
        }
        return lost;
    }

    /**
     * Refuses tensors of which a type loses values.
     *
     * @param lost how many finite values of each tensor would be infinite
     * @throws RetortException of kind USAGE naming them, since another type holds them
     */
    public static void requireNoneLost(Map<String, Long> lost, String type) {
        List<String> problems = new ArrayList<>();
        lost.forEach((name, count) -> {
            if (count > 0) {
                problems.add(count + " of '" + name + "'");
            }
        });
        long all = lost.values().stream().mapToLong(Long::longValue).sum();
        if (all > 0) {
            throw new RetortException(
                    Kind.USAGE,
                    all + (all == 1 ? " value is" : " values are") + " beyond the range of " + type + " and would be"
                            + " infinite: " + FirstFew.of(problems, MOST_NAMED)
                            + "; write a type of a wider range, bf16 or fp32");
        }
    }
}
