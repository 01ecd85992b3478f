package dev.retort.export;

import dev.retort.card.FoldedDitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.Part;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.graph.Graph;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Denoiser;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Models;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;

/**
 * A model on its way into a file of another program: its weights on disk, what it computes, and the network that the file is compared with.
 *
 * @param card what it is
 * @param weights its weights, open
 * @param graph what it computes of one call's inputs
 * @param network the same prepared for sampling, in fp32
 */
record OpenedModel(ModelCard card, TensorFile weights, Graph graph, Denoiser network) implements AutoCloseable {
    private static final Set<Part> TOLD = EnumSet.of(Part.LABEL, Part.GUIDANCE, Part.END_TIME);

    /** Opens a model folder. */
    static OpenedModel open(Path folder) {
        ModelCard card = ModelFiles.card(folder);
        Set<Part> parts = card.network().condition().parts().keySet();
        if (!TOLD.containsAll(parts)) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    card.network().name() + " is told " + parts + ", and only networks told " + TOLD
                            + " are written to ONNX; give one of these");
        }
        Graph graph = Architectures.of(card.network()).graph(card.network());
        TensorFile weights = TensorFiles.open(folder.resolve(ModelFiles.WEIGHTS));
        try {
            return new OpenedModel(
                    card, weights, graph, Models.packed(card.network(), weights, Device.CPU, Precision.FP32));
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** Its table, where it has one in place of modulations. */
    FoldedDitSpec folded() {
        return card.network() instanceof FoldedDitSpec spec ? spec : null;
    }

    @Override
    public void close() {
        network.close();
        weights.close();
    }
}
