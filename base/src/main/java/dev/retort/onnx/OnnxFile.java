package dev.retort.onnx;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.ProtoReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What an ONNX file says, without its weights.
 *
 * @param irVersion version of the format
 * @param producer the program that wrote it
 * @param opsets versions of the operator sets by domain, {@code ai.onnx} being the standard's
 * @param metadata what it says of itself
 * @param inputs what a caller gives; tensors of the file are none
 * @param outputs what a caller gets
 * @param operators how many nodes of each operator it has
 * @param tensors the tensors of the file
 */
public record OnnxFile(
        long irVersion,
        String producer,
        Map<String, Long> opsets,
        Map<String, String> metadata,
        List<Signature> inputs,
        List<Signature> outputs,
        Map<String, Integer> operators,
        List<Held> tensors) {

    /**
     * An input or output.
     *
     * @param name its name
     * @param type its element type, {@code ?} where this program knows none such
     * @param shape a length, the name of one that varies, or {@code ?}
     */
    public record Signature(String name, String type, List<String> shape) {
        /** As in {@code x F32 (N, 1, 28, 28)}. */
        @Override
        public String toString() {
            return name + " " + type + " (" + String.join(", ", shape) + ")";
        }
    }

    /**
     * A tensor of the file.
     *
     * @param name its name
     * @param type its element type, {@code ?} where this program knows none such
     * @param shape dimensions
     * @param file where its values lie outside this file; empty where inside
     * @param end the byte behind its values in that file
     */
    public record Held(String name, String type, List<Long> shape, String file, long end) {
        /** Number of values. */
        public long values() {
            return shape.stream().reduce(1L, (a, b) -> a * b);
        }
    }

    /** Whether a file is to be read as ONNX, by its name. */
    public static boolean named(Path path) {
        return path.getFileName() != null
                && path.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".onnx");
    }

    /**
     * Reads.
     *
     * @throws RetortException of kind CHECKPOINT where it is no ONNX file, cut off, or a file beside it that has its weights is missing or too
     *     short
     */
    public static OnnxFile read(Path path) {
        OnnxFile file = ProtoReader.file(path, "an ONNX file", message -> new OnnxFileReader().model(message));
        if (file.opsets.isEmpty() || file.outputs.isEmpty()) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "cannot read " + path
                            + ": it names no operator set or no output, so it is not an ONNX file; export it again");
        }
        file.requireOutside(path);
        return file;
    }

    private void requireOutside(Path path) {
        for (Held tensor : tensors) {
            if (tensor.file().isEmpty()) {
                continue;
            }
            Path beside = path.resolveSibling(tensor.file());
            long size = Files.exists(beside) ? beside.toFile().length() : -1;
            if (size < tensor.end()) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        "cannot read " + path + ": the values of " + tensor.name() + " lie in " + tensor.file()
                                + (size < 0
                                        ? ", which is not beside it"
                                        : " up to byte " + tensor.end() + ", but that has " + size)
                                + "; copy both files again");
            }
        }
    }
}
