package dev.retort.quantize;

import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TrainedFor;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Weights;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/** Models of random weights that make them answer, and some channels of which are loud. */
public final class LoudModel {
    private LoudModel() {}

    /** Writes one. */
    public static Path write(Path folder, DitSpec spec, SamplingSpec sampling, TrainedFor trained) {
        List<String> classes =
                IntStream.range(0, spec.classes()).mapToObj(i -> "c" + i).toList();
        ModelCard card = ModelCard.of(spec, ProcessSpec.flow(), sampling, classes, "shapes", 0, 1, "", Map.of())
                .withTrainedFor(trained);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = new Dit(spec, Init.of(1, Device.CPU))) {
            Init init = Init.of(7, Device.CPU);
            dit.parameters().forEach((key, p) -> p.copy_(init.normal(key, 0.12, Tensors.shape(p))));
            Tensor factors = dit.parameters().get("blocks." + (spec.depth() - 1) + ".adaLN_modulation.1.bias");
            factors.narrow(0, 70, 4).copy_(Tensors.full(8, Device.CPU, 4));
            ModelFiles.save(folder, card, Weights.writer(dit.state(), Dtype.F32));
        }
        return folder;
    }
}
