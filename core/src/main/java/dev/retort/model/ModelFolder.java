package dev.retort.model;

import dev.retort.card.ModelCard;
import dev.retort.error.RetortException;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.ModelFiles;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Models between tensors and {@link ModelFiles}. */
public final class ModelFolder {
    private ModelFolder() {}

    /** Writes a model as {@link ModelFiles#save} does, its floating-point values in {@code dtype}. */
    public static void save(Path folder, Map<String, Tensor> weights, ModelCard card, Dtype dtype) {
        ModelFiles.save(folder, card, writer(weights, dtype));
    }

    /** Writes its two files into a folder that is itself being written. */
    public static void write(Path inside, Map<String, Tensor> weights, ModelCard card, Dtype dtype) {
        ModelFiles.write(inside, card, writer(weights, dtype));
    }

    /**
     * A writer over tensors, which must live until it has written.
     *
     * @throws RetortException of kind USAGE where a value is beyond the range of the type
     */
    public static SafetensorsWriter writer(Map<String, Tensor> tensors, Dtype dtype) {
        Weights.requireFinite(tensors, dtype);
        SafetensorsWriter writer = new SafetensorsWriter();
        tensors.forEach((name, tensor) ->
                writer.add(name, dtype.stored(), Tensors.shape(tensor), Weights.values(tensor, dtype)));
        return writer;
    }

    /** Every tensor of a file, in fp32 where it is floating point; open a scope first. */
    public static Map<String, Tensor> read(Path file, Device device) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (TensorFile opened = TensorFiles.open(file)) {
            opened.entries().keySet().forEach(name -> tensors.put(name, Weights.tensor(opened, name, device)));
        }
        return tensors;
    }

    /** Loads weights into a layer; what does not fit is an error that lists it, and nothing is changed. */
    public static void fill(Layer layer, Path file) {
        try (TensorFile opened = TensorFiles.open(file)) {
            Weights.fill(layer, opened, List.of());
        }
    }
}
