package dev.retort.cut;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.ClipTextSpec;
import dev.retort.card.DitSpec;
import dev.retort.card.ImageShape;
import dev.retort.card.ModelCard;
import dev.retort.card.NamedLayout;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TextCard;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.UNetLayout;
import dev.retort.card.UNetSizes;
import dev.retort.card.UNetSpec.Text;
import dev.retort.card.UNetSpec.Told;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Network;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.quantize.CalibrationConfig;
import dev.retort.report.Progress;
import dev.retort.text.ClipTokenizer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelCutTest {
    private static final String SILENT = "down_blocks.1.attentions.0.transformer_blocks.1";
    private static final TextCard TEXT = new TextCard(
            List.of("a red dot", "two dots"), List.of(ClipTokenizer.learn(List.of("a red dot", "two dots"), 280, 6)));
    private static final TextToImageSpec TEACHER = new TextToImageSpec(
            UNetSizes.of(new ImageShape(1, 8, 8), List.of(8, 16, 16), 2, List.of(0, 2, 0), 4, Told.of(new Text(6, 8))),
            List.of(new ClipTextSpec(TEXT.tokenizers().get(0).vocabulary(), 6, 8, 1, 2)));

    @TempDir
    private Path folder;

    /** One of its layers adds nothing. */
    @BeforeEach
    void save() {
        save(TEACHER, TEXT);
    }

    private void save(NetworkSpec spec, TextCard text) {
        Init init = Init.of(4, Device.CPU);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Network network = Architectures.build(spec, init)) {
            Map<String, Tensor> weights = new LinkedHashMap<>();
            network.state()
                    .forEach((name, tensor) -> weights.put(
                            name,
                            name.startsWith("unet." + SILENT)
                                            && UNetLayout.writers(SILENT).contains(name.substring("unet.".length()))
                                    ? Ops.mul(tensor, 0)
                                    : Ops.add(tensor, init.normal(name, 0.2, Tensors.shape(tensor)))));
            ModelCard card = ModelCard.of(
                    spec,
                    ProcessSpec.flow(),
                    SamplingSpec.of("flow-euler", 2, 1),
                    text == null ? List.of("any") : List.of(),
                    "dots",
                    0,
                    1,
                    "",
                    Map.of());
            ModelFiles.save(
                    folder.resolve("teacher"),
                    text == null ? card : card.withText(text),
                    Weights.writer(weights, Dtype.F32));
        }
    }

    private ModelCut cut(NamedLayout layout, double channels, int layers) {
        return new ModelCut(
                folder.resolve("teacher"),
                layout::of,
                channels,
                layers,
                new CalibrationConfig(2, 0, ""),
                Progress.NONE);
    }

    @Test
    void a_layer_that_adds_nothing_is_the_first_to_go() {
        CutReport report = cut(NamedLayout.WHOLE, 1, 1).run(folder.resolve("student"));
        assertThat(report.layers()).hasSize(10).containsEntry(SILENT, 0.0);
        assertThat(report.layers().values().stream().filter(change -> change > 1e-3))
                .hasSize(9);
        assertThat(report.leftOut()).containsExactly(SILENT);
        assertThat(((TextToImageSpec) report.student()).unet().levels().get(1).down())
                .containsExactly(1, 2);
        assertThat(report.milliseconds()).containsOnlyKeys(CutReport.TEACHER, CutReport.STUDENT);
        try (Scope scope = Scope.open();
                Pipeline<Network> whole = Models.load(folder.resolve("teacher"), Device.CPU);
                Pipeline<Network> part = Models.load(folder.resolve("student"), Device.CPU)) {
            assertThat(part.card().network()).isEqualTo(report.student());
            assertThat(part.card().teacher()).isEqualTo(Models.sha256(folder.resolve("teacher")));
            part.network().state().keySet().forEach(name -> assertThat(
                            Tensors.floats(part.network().state().get(name)))
                    .as(name)
                    .isEqualTo(Tensors.floats(whole.network().state().get(name))));
        }
    }

    @Test
    void blocks_and_channels_go_together_and_a_plan_writes_nothing() {
        CutReport report = cut(NamedLayout.TINY, 0.5, 0).plan();
        TextToImageSpec student = (TextToImageSpec) report.student();
        assertThat(student.encoders()).isEqualTo(TEACHER.encoders());
        assertThat(student.unet().levels()).hasSize(2);
        assertThat(student.unet().levels().get(0).channels()).isEqualTo(4);
        assertThat(report.milliseconds()).isEmpty();
        assertThat(folder.resolve("student")).doesNotExist();
    }

    @Test
    void what_cannot_be_left_out_is_refused_before_anything_is_written() {
        assertThatThrownBy(() -> cut(NamedLayout.WHOLE, 1, 0).run(folder.resolve("student")))
                .hasMessageContaining("nothing would be left out");
        assertThatThrownBy(() -> cut(NamedLayout.WHOLE, 0.3, 0).run(folder.resolve("student")))
                .hasMessageContaining("channels is 0.3, expected a share that makes a whole number of 8 channels");
        assertThatThrownBy(() -> cut(NamedLayout.WHOLE, 1, 7).run(folder.resolve("student")))
                .hasMessage("layers is 7, expected at most 5: each of the 6 transformers keeps one of its layers");
        save(new DitSpec(8, 8, 1, 2, 8, 1, 2, 2, 1, 0.1, false, false), null);
        assertThatThrownBy(() -> cut(NamedLayout.BASE, 1, 0).run(folder.resolve("student")))
                .hasMessageContaining("is not cut by blocks of a U-Net");
        assertThat(folder.resolve("student")).doesNotExist();
    }
}
