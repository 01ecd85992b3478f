package dev.retort.export;

import dev.retort.card.ClipTextSpec;
import dev.retort.card.DitSpec;
import dev.retort.card.ImageShape;
import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TextCard;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.TrainedFor;
import dev.retort.card.UNetSizes;
import dev.retort.card.UNetSpec;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Network;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.text.ClipTokenizer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/** Model folders of small networks with random weights. */
final class SmallModel {
    static final int CLASSES = 4;
    static final DitSpec SPEC = new DitSpec(8, 8, 2, 2, 48, 2, 3, 4, CLASSES, 0.1, false, false);

    static final List<String> CAPTIONS = List.of("a red circle", "a small blue square", "two green crosses");
    static final int LENGTH = 8;

    private SmallModel() {}

    static TrainedFor steps(SamplingSpec sampling) {
        return TrainedFor.steps(sampling.steps(), sampling, 1);
    }

    /** Weights that fp16 holds exactly, so that a file of these differs from one of fp32 only where a test changes them. */
    static Path write(Path folder, DitSpec spec, ProcessSpec process, SamplingSpec sampling, TrainedFor trained) {
        List<String> classes =
                IntStream.range(0, spec.classes()).mapToObj(i -> "c" + i).toList();
        ModelCard card = ModelCard.of(spec, process, sampling, classes, "shapes", 0, 1, "", Map.of())
                .withTrainedFor(trained);
        return write(folder, card);
    }

    /** A U-Net told texts by an encoder of two layers, of pictures of 8 by 8. */
    static Path words(Path folder, SamplingSpec sampling) {
        TextCard text = new TextCard(CAPTIONS, List.of(ClipTokenizer.learn(CAPTIONS, 60, LENGTH)));
        ClipTextSpec encoder = new ClipTextSpec(text.tokenizers().get(0).vocabulary(), LENGTH, 16, 2, 2);
        UNetSpec unet = unet(UNetSpec.Told.of(new UNetSpec.Text(LENGTH, 16)));
        return write(
                folder,
                card(new TextToImageSpec(unet, List.of(encoder)), sampling, List.of())
                        .withText(text));
    }

    /** A U-Net told no text. */
    static Path untold(Path folder, SamplingSpec sampling) {
        return write(folder, card(unet(UNetSpec.Told.NOTHING), sampling, List.of("shape")));
    }

    private static UNetSpec unet(UNetSpec.Told told) {
        return UNetSizes.of(new ImageShape(1, 8, 8), List.of(8, 16), 1, List.of(0, 1), 4, told);
    }

    private static ModelCard card(NetworkSpec spec, SamplingSpec sampling, List<String> classes) {
        return ModelCard.of(spec, ProcessSpec.flow(), sampling, classes, "shapes", 0, 1, "", Map.of());
    }

    private static Path write(Path folder, ModelCard card) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Network network = Architectures.build(card.network(), Init.of(1, Device.CPU))) {
            Init init = Init.of(7, Device.CPU);
            network.state().forEach((key, p) -> {
                Tensor value = key.equals("pos_embed") ? p : init.normal(key, 0.1, Tensors.shape(p));
                p.copy_(Ops.copy(Dtype.F16.cast(value)));
            });
            ModelFiles.save(folder, card, Weights.writer(network.state(), Dtype.F32));
        }
        return folder;
    }
}
