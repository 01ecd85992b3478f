package dev.retort.cli;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.Arrays;
import java.util.Locale;

/** What {@code retort export} writes. */
enum ExportFormat {
    /** A graph with its weights, checked by ONNX Runtime. */
    ONNX(".onnx"),
    /** An archive that PyTorch opens, checked by libtorch. */
    TORCHSCRIPT(".pt"),
    /** Weights under the original's keys. */
    SAFETENSORS(".safetensors"),
    /** A folder of the diffusers library. */
    DIFFUSERS("-diffusers");

    private final String ending;

    ExportFormat(String ending) {
        this.ending = ending;
    }

    /** Behind the model's name that of the file or folder where none is given. */
    String ending() {
        return ending;
    }

    /** As users write it. */
    String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    static ExportFormat named(String name) {
        return Arrays.stream(values())
                .filter(format -> format.id().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> new RetortException(
                        Kind.USAGE,
                        "--format " + name + " is unknown; choose "
                                + String.join(
                                        ", ",
                                        Arrays.stream(values())
                                                .map(ExportFormat::id)
                                                .toList())));
    }
}
