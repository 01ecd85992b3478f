package dev.retort.cli;

import dev.retort.model.ModelCard;
import dev.retort.model.ModelFolder;
import dev.retort.model.ProcessSpec;
import dev.retort.model.SamplingSpec;
import dev.retort.model.dit.Dit;
import dev.retort.model.dit.DitSpec;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Scope;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A checkpoint of a few thousand untrained weights, for commands that need one. */
final class TinyModel {
    static final List<String> CLASSES = List.of("circle", "square", "star");

    private TinyModel() {}

    static Path save(Path folder, int hidden, double classDropout) {
        DitSpec spec = new DitSpec(8, 8, 1, 2, hidden, 1, 2, 2, CLASSES.size(), classDropout, false, false);
        ModelCard card = ModelCard.of(
                spec, ProcessSpec.flow(), SamplingSpec.of("flow-euler", 3, 1), CLASSES, "shapes", 0, 1, "", Map.of());
        try (Scope scope = Scope.open();
                Dit dit = new Dit(spec, Init.of(1, Device.CPU))) {
            ModelFolder.save(folder, dit.state(), card, Dtype.F32);
        }
        return folder;
    }
}
