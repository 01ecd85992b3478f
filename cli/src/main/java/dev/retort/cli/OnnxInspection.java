package dev.retort.cli;

import dev.retort.error.Printable;
import dev.retort.hub.ByteSize;
import dev.retort.onnx.OnnxFile;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** What {@code retort inspect} says of an ONNX file. */
final class OnnxInspection {
    private OnnxInspection() {}

    /** Reads the file and tells of it. */
    static void tell(Path path, boolean keys, Output output) {
        OnnxFile file = OnnxFile.read(path);
        if (output.json()) {
            output.terminal().json(file);
            return;
        }
        StringBuilder text = new StringBuilder();
        line(text, "File", path + ", ONNX IR " + file.irVersion() + " by " + file.producer());
        line(text, "Opsets", joined(file.opsets()));
        file.inputs().forEach(input -> line(text, "Input", input.toString()));
        file.outputs().forEach(result -> line(text, "Output", result.toString()));
        line(
                text,
                "Tensors",
                String.format(
                        Locale.ROOT,
                        "%d, %,d values, %s",
                        file.tensors().size(),
                        file.tensors().stream().mapToLong(OnnxFile.Held::values).sum(),
                        ByteSize.text(path.toFile().length() + outside(path, file))));
        line(text, "Nodes", nodes(file.operators()));
        file.metadata().forEach((key, value) -> line(text, "Says", key + " = " + firstLine(value)));
        if (keys) {
            file.tensors()
                    .forEach(
                            tensor -> line(text, "Tensor", tensor.name() + " " + tensor.type() + " " + tensor.shape()));
        }
        output.terminal().out().print(text);
    }

    private static long outside(Path path, OnnxFile file) {
        return file.tensors().stream()
                .map(OnnxFile.Held::file)
                .filter(beside -> !beside.isEmpty())
                .distinct()
                .mapToLong(beside -> path.resolveSibling(beside).toFile().length())
                .sum();
    }

    private static String joined(Map<String, Long> opsets) {
        return opsets.entrySet().stream()
                .map(opset -> opset.getKey() + " " + opset.getValue())
                .collect(Collectors.joining(", "));
    }

    private static String nodes(Map<String, Integer> operators) {
        int all = operators.values().stream().mapToInt(Integer::intValue).sum();
        return all + ": "
                + operators.entrySet().stream()
                        .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder())
                                .thenComparing(Map.Entry.comparingByKey()))
                        .map(entry -> entry.getValue() + " " + entry.getKey())
                        .collect(Collectors.joining(", "));
    }

    /** The first line of what has several, which --json shows. */
    private static String firstLine(String value) {
        long lines = value.lines().count();
        return lines < 2 ? value : value.lines().findFirst().orElse("") + " … (" + lines + " lines, shown by --json)";
    }

    private static void line(StringBuilder text, String label, String value) {
        text.append(String.format(Locale.ROOT, "%-9s %s%n", label, Printable.line(value)));
    }
}
