package dev.retort.cli;

import dev.retort.card.ClipTextSpec;
import dev.retort.card.DitSpec;
import dev.retort.card.ImageShape;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TextCard;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.TrainedFor;
import dev.retort.card.UNetSizes;
import dev.retort.card.UNetSpec.Text;
import dev.retort.card.UNetSpec.Told;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.DitLayout;
import dev.retort.layout.ModelFiles;
import dev.retort.layout.Storage;
import dev.retort.model.Network;
import dev.retort.model.Weights;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.text.ClipTokenizer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.bytedeco.pytorch.Tensor;

/** A checkpoint of a few thousand untrained weights, for commands that need one. */
final class TinyModel {
    static final List<String> CLASSES = List.of("circle", "square", "star");

    private TinyModel() {}

    /** A model of grey pictures, trained by flow. */
    static Path save(Path folder, int hidden, double classDropout) {
        DitSpec spec = new DitSpec(8, 8, 1, 2, hidden, 1, 2, 2, CLASSES.size(), classDropout, false, false);
        write(
                spec,
                ProcessSpec.flow(),
                SamplingSpec.of("flow-euler", 3, 1),
                (card, weights) -> ModelFiles.save(folder, card, Weights.writer(weights, Dtype.F32)));
        return folder;
    }

    /** The same of weights that are not those of the start, at which the output is zero. */
    static Path trained(Path folder) {
        DitSpec spec = new DitSpec(8, 8, 1, 2, 8, 1, 2, 2, CLASSES.size(), 0.1, false, false);
        write(spec, ProcessSpec.flow(), SamplingSpec.of("flow-euler", 3, 1), (card, weights) -> {
            Init init = Init.of(2, Device.CPU);
            try (NoGrad off = NoGrad.on()) {
                weights.forEach((name, tensor) -> tensor.copy_(init.normal(name, 0.2, Tensors.shape(tensor))));
            }
            ModelFiles.save(folder, card, Weights.writer(weights, Dtype.F32));
        });
        return folder;
    }

    /** The same with four heads, for two or four steps. */
    static Path parallel(Path folder) {
        DitSpec spec = new DitSpec(8, 8, 1, 2, 8, 1, 2, 4, CLASSES.size(), 0.1, false, false).withOutputs(4);
        SamplingSpec sampling = SamplingSpec.of("parallel-euler", 4, 1);
        TrainedFor ways = TrainedFor.steps(4, sampling, 1).and(TrainedFor.steps(2, sampling, 1));
        write(
                spec,
                ProcessSpec.flow(),
                sampling,
                (card, weights) ->
                        ModelFiles.save(folder, card.withTrainedFor(ways), Weights.writer(weights, Dtype.F32)));
        return folder;
    }

    /** A model of grey pictures that predicts noise, as those of other programs do. */
    static Path ddpm(Path folder) {
        ddpm(1, (card, weights) -> ModelFiles.save(folder, card, Weights.writer(weights, Dtype.F32)));
        return folder;
    }

    /** The network of a pipeline of the diffusers library, on latents of four channels; its autoencoder is not there. */
    static Path pipeline(Path folder) {
        Path own = folder.resolveSibling(folder.getFileName() + "-own");
        ddpm(4, (card, weights) -> ModelFiles.save(own, card, Weights.writer(weights, Dtype.F32)));
        try (TensorFile weights = TensorFiles.open(own.resolve(ModelFiles.WEIGHTS))) {
            DitLayout.DIFFUSERS.write(folder, ModelFiles.card(own), weights, Storage.of(dev.retort.io.Dtype.F32));
        }
        return folder;
    }

    /** A text-to-image model of grey pictures: a U-Net of two levels, one layer in each transformer. */
    static Path textToImage(Path folder) {
        List<String> captions = List.of("a circle", "a square");
        TextCard text = new TextCard(captions, List.of(ClipTokenizer.learn(captions, 270, 6)));
        TextToImageSpec spec = new TextToImageSpec(
                UNetSizes.of(new ImageShape(1, 8, 8), List.of(8, 8), 2, List.of(0, 1), 4, Told.of(new Text(6, 8))),
                List.of(new ClipTextSpec(text.tokenizers().get(0).vocabulary(), 6, 8, 1, 2)));
        ModelCard card = ModelCard.of(
                spec, ProcessSpec.flow(), SamplingSpec.of("flow-euler", 2, 1), List.of(), "shapes", 0, 1, "", Map.of());
        try (Scope scope = Scope.open();
                Network network = Architectures.build(spec, Init.of(1, Device.CPU))) {
            ModelFiles.save(folder, card.withText(text), Weights.writer(network.state(), Dtype.F32));
        }
        return folder;
    }

    private static void ddpm(int channels, BiConsumer<ModelCard, Map<String, Tensor>> saved) {
        DitSpec spec = new DitSpec(8, 8, channels, 2, 16, 2, 2, 4, CLASSES.size(), 0.1, false, false);
        write(spec, ProcessSpec.ddpm(), SamplingSpec.of("ddim", 3, 1), saved);
    }

    private static void write(
            DitSpec spec,
            ProcessSpec process,
            SamplingSpec sampling,
            BiConsumer<ModelCard, Map<String, Tensor>> saved) {
        ModelCard card = ModelCard.of(spec, process, sampling, CLASSES, "shapes", 0, 1, "", Map.of());
        try (Scope scope = Scope.open();
                Dit dit = new Dit(spec, Init.of(1, Device.CPU))) {
            saved.accept(card, dit.state());
        }
    }
}
