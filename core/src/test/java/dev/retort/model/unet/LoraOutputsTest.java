package dev.retort.model.unet;

import dev.retort.ReferenceCase;
import dev.retort.card.ImageShape;
import dev.retort.card.Part;
import dev.retort.card.UNetLayers;
import dev.retort.card.UNetSpec;
import dev.retort.card.UNetSpec.Convention;
import dev.retort.card.UNetSpec.Grid;
import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Middle;
import dev.retort.card.UNetSpec.Text;
import dev.retort.card.UNetSpec.Told;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.AdaptedWeights;
import dev.retort.layout.LoraFile;
import dev.retort.layout.LoraModules;
import dev.retort.layout.PlacedLora;
import dev.retort.model.Condition;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Adapters in a U-Net, against what peft computes with them. */
class LoraOutputsTest {
    private static final UNetSpec SPEC = new UNetSpec(
            new Grid(new ImageShape(4, 8, 8), false, 1),
            List.of(Level.of(8, 2, 1, 1), Level.of(16, 2, 1, 0)),
            Optional.of(new Middle(1)),
            Told.of(new Text(6, 12)),
            Convention.STABLE_DIFFUSION.withGroups(4));

    @ParameterizedTest
    @CsvSource({
        "'', 1, out_base",
        "peft, 1, out_peft",
        "peft, 0.4, out_peft_scale0.4",
        "script, 1, out_peft",
        "diffusers-old, 1, out_peft",
        "kohya, 1, out_alpha",
        "peft-metadata, 1, out_alpha",
        "peft-wide, 1, out_wide",
        "mixed-wide, 1, out_wide"
    })
    void an_adapter_of_any_layout_changes_the_output_as_in_the_reference(
            String layout, double weight, String expected) {
        ReferenceCase reference = ReferenceCase.open("lora");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                UNet unet = new UNet(SPEC, Init.blank(Device.CPU));
                TensorFile base = TensorFiles.open(reference.folder().resolve("unet"))) {
            if (layout.isEmpty()) {
                Weights.fill(unet, base);
            } else {
                try (LoraFile file =
                        LoraFile.open(reference.folder().resolve(layout).resolve("pytorch_lora_weights.safetensors"))) {
                    List<PlacedLora> placed = new LoraModules(
                                    "the model", UNetLayers.of(SPEC).shapes(), Map.of())
                            .resolve(file).stream()
                                    .map(one -> one.weighted(weight))
                                    .toList();
                    Weights.fill(unet, new AdaptedWeights(base, placed));
                }
            }
            Map<String, Tensor> io = reference.tensors("io.safetensors");
            Tensor out = unet.forward(
                    io.get("x"), io.get("t"), Condition.of(Map.of(Part.TEXT, io.get("text"))), Taps.none());
            reference.check("io.safetensors", expected, out);
        }
    }
}
