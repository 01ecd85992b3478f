package dev.retort.export;

import dev.retort.card.FoldedDitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.Part;
import dev.retort.card.QuantizationSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.graph.Graph;
import dev.retort.graph.Op;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Denoiser;
import dev.retort.model.QuantizedSource;
import dev.retort.model.Weights;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Models;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Precision;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * A model on its way into a file of another program: its weights on disk, what it computes, and the network that the file is compared with.
 *
 * @param card what it is
 * @param weights its weights, open
 * @param graph what it computes of one call's inputs
 * @param network the same prepared for sampling, in fp32
 */
record OpenedModel(ModelCard card, TensorFile weights, Graph graph, Denoiser network) implements AutoCloseable {
    private static final Set<Part> TOLD =
            EnumSet.of(Part.LABEL, Part.TOKENS, Part.TIME_IDS, Part.GUIDANCE, Part.END_TIME);

    /** Opens a model folder. */
    static OpenedModel open(Path folder) {
        ModelCard card = ModelFiles.card(folder);
        if (card.quantization() != null && !card.quantization().multipliesIntegers()) {
            throw new RetortException(
                    Kind.USAGE,
                    folder + " has " + card.quantization().text()
                            + ", which no product of ONNX Runtime takes as they are; give one quantised by int8-static or int8-dynamic");
        }
        Set<Part> parts = card.network().condition().parts().keySet();
        if (!TOLD.containsAll(parts)) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    card.network().name() + " is told " + parts + ", and only networks told none but " + TOLD
                            + " are written to other programs' files; give one of these, such as a U-Net with its text encoders");
        }
        Graph graph = Architectures.of(card.network()).graph(card.network());
        requireProducts(folder, card.quantization(), graph);
        TensorFile weights = TensorFiles.open(folder.resolve(ModelFiles.WEIGHTS));
        try {
            return new OpenedModel(
                    card,
                    weights,
                    graph,
                    Models.packed(card.network(), card.quantization(), weights, Device.CPU, Precision.FP32));
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** A layer in whole numbers is a product: a convolution of theirs is not written. */
    private static void requireProducts(Path folder, QuantizationSpec spec, Graph graph) {
        if (spec == null) {
            return;
        }
        graph.nodes().stream()
                .filter(node -> node.op() == Op.CONV2D)
                .map(node -> node.in().get(1).name())
                .filter(spec::quantizes)
                .findFirst()
                .ifPresent(weight -> {
                    throw new RetortException(
                            Kind.USAGE,
                            folder + " has the convolution " + weight
                                    + " in whole numbers, and products alone are written so; quantise it again with this layer under keep");
                });
    }

    /** Its table, where it has one in place of modulations. */
    FoldedDitSpec folded() {
        return card.network() instanceof FoldedDitSpec spec ? spec : null;
    }

    /** A weight as floats, whole numbers of a quantised one times their scale. */
    Tensor floats(String name) {
        Tensor stored = Weights.tensor(weights, name, Device.CPU);
        if (card.quantization() == null || !card.quantization().quantizes(name)) {
            return stored;
        }
        return QuantizedSource.widened(Dtype.F32.cast(stored), beside(name, QuantizationSpec.WEIGHT_SCALE));
    }

    /** Numbers beside a quantised weight, such as its scales. */
    Tensor beside(String weight, String ending) {
        String layer = weight.substring(0, weight.length() - QuantizationSpec.WEIGHT.length());
        return Weights.tensor(weights, layer + ending, Device.CPU);
    }

    /** The times at which activations have ranges; empty where there is one for all, or none. */
    List<Double> rangeTimes() {
        return card.quantization() == null ? List.of() : card.quantization().times();
    }

    /** Which of the activations' ranges is that of a time: the nearest. */
    int range(double time) {
        return card.quantization() == null ? 0 : card.quantization().range(time);
    }

    @Override
    public void close() {
        network.close();
        weights.close();
    }
}
