package dev.retort.export;

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
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/** Model folders of small transformers with random weights. */
final class SmallModel {
    static final int CLASSES = 4;
    static final DitSpec SPEC = new DitSpec(8, 8, 2, 2, 48, 2, 3, 4, CLASSES, 0.1, false, false);

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
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = new Dit(spec, Init.of(1, Device.CPU))) {
            Init init = Init.of(7, Device.CPU);
            dit.state().forEach((key, p) -> {
                Tensor value = key.equals("pos_embed") ? p : init.normal(key, 0.1, Tensors.shape(p));
                p.copy_(Ops.copy(Dtype.F16.cast(value)));
            });
            ModelFiles.save(folder, card, Weights.writer(dit.state(), Dtype.F32));
        }
        return folder;
    }
}
