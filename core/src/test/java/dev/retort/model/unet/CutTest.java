package dev.retort.model.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.ClipTextSpec;
import dev.retort.card.ImageShape;
import dev.retort.card.NamedLayout;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.UNetLayout;
import dev.retort.card.UNetSizes;
import dev.retort.card.UNetSpec;
import dev.retort.card.UNetSpec.Text;
import dev.retort.card.UNetSpec.Told;
import dev.retort.diffusion.Heads;
import dev.retort.model.Network;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Surgery;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class CutTest {
    private static final ClipTextSpec ENCODER = new ClipTextSpec(60, 6, 16, 1, 2);
    private static final UNetSpec TEACHER = UNetSizes.of(
            new ImageShape(4, 8, 8), List.of(16, 32, 32), 2, List.of(1, 2, 0), 8, Told.of(new Text(6, 16)));

    /** No value of it is zero, or like another parameter's. */
    private static Network teacher(NetworkSpec spec) {
        Network teacher = Architectures.build(spec, Init.of(7, Device.CPU));
        Map<String, Tensor> state = new LinkedHashMap<>(teacher.state());
        double shift = 0.01;
        for (Map.Entry<String, Tensor> parameter : state.entrySet()) {
            parameter.setValue(Ops.add(parameter.getValue(), shift));
            shift += 0.01;
        }
        assertThat(teacher.load(state)).isEmpty();
        return teacher;
    }

    private static float[] values(Network network, String name) {
        return Tensors.floats(network.state().get(name));
    }

    private static void assertPart(UNetLayout layout, Network teacher, Network student, String prefix) {
        for (String name : student.state().keySet()) {
            String source = name.startsWith(prefix)
                    ? prefix
                            + layout.source(
                                    name.substring(prefix.length()),
                                    TEACHER.levels().size())
                    : name;
            assertThat(values(student, name)).as(name).isEqualTo(values(teacher, source));
        }
    }

    @Test
    void surviving_weights_equal_the_teachers_by_name() {
        for (NamedLayout name : NamedLayout.values()) {
            UNetLayout layout = name.of(TEACHER);
            UNetSpec spec = layout.of(TEACHER);
            try (Scope scope = Scope.open();
                    Network teacher = teacher(TEACHER);
                    Network student = Architectures.build(spec, Init.of(1, Device.CPU))) {
                Architectures.surgery(TEACHER, spec).cut(teacher, student);
                assertPart(layout, teacher, student, "");
            }
        }
    }

    @Test
    void text_encoders_come_along_whole() {
        TextToImageSpec from = new TextToImageSpec(TEACHER, List.of(ENCODER));
        UNetLayout layout = NamedLayout.SMALL.of(TEACHER);
        TextToImageSpec to = new TextToImageSpec(layout.of(TEACHER), List.of(ENCODER));
        try (Scope scope = Scope.open();
                Network teacher = teacher(from);
                Network student = Architectures.build(to, Init.of(1, Device.CPU))) {
            Surgery surgery = Architectures.surgery(from, to);
            surgery.cut(teacher, student);
            assertPart(layout, teacher, student, "unet.");
            assertThat(student.state()).containsKey("unet.up_blocks.2.resnets.1.conv1.weight");
        }
        TextToImageSpec other = new TextToImageSpec(TEACHER, List.of(new ClipTextSpec(60, 6, 16, 2, 2)));
        assertThatThrownBy(() -> Architectures.surgery(from, other).requireCut(from, other))
                .hasMessageContaining("text encoders like the teacher's");
    }

    @Test
    void each_of_a_students_heads_begins_as_the_teachers_and_a_guidance_that_was_not_told_says_nothing() {
        UNetSpec spec = TEACHER.withOutputs(3).with(new ScalarInputs(true, 0));
        try (Scope scope = Scope.open();
                Network teacher = teacher(TEACHER);
                Network student = Architectures.build(spec, Init.of(1, Device.CPU))) {
            Surgery surgery = Architectures.surgery(TEACHER, spec);
            surgery.cut(teacher, student);
            float[] one = values(teacher, "conv_out.bias");
            assertThat(values(student, "conv_out.bias"))
                    .containsExactly(
                            one[0], one[1], one[2], one[3], one[0], one[1], one[2], one[3], one[0], one[1], one[2],
                            one[3]);
            assertThat(values(student, "time_embedding.cond_proj.weight")).containsOnly(0);
            Map<String, Tensor> fused = surgery.fused(
                    spec, student.state(), List.of(new Heads(0, List.of(0.5, 0.25)), new Heads(2, List.of(2.0))));
            try (Network two = Architectures.build(spec.withOutputs(2), Init.blank(Device.CPU))) {
                assertThat(two.load(fused)).isEmpty();
                assertThat(values(two, "conv_out.bias"))
                        .startsWith(0.75f * one[0])
                        .endsWith(2 * one[3]);
            }
        }
    }

    @Test
    void a_network_starts_from_one_at_another_size_and_from_no_other() {
        UNetSpec larger = TEACHER.with(new ImageShape(4, 12, 16));
        try (Scope scope = Scope.open();
                Network small = teacher(TEACHER);
                Network large = Architectures.build(larger, Init.of(1, Device.CPU));
                Network tiny = Architectures.build(NamedLayout.TINY.of(TEACHER).of(TEACHER), Init.of(1, Device.CPU))) {
            Surgery surgery = Architectures.surgery(TEACHER, larger);
            surgery.regrid(small, large);
            assertPart(NamedLayout.WHOLE.of(TEACHER), small, large, "");
            assertThatThrownBy(() -> surgery.regrid(small, tiny)).hasMessageContaining("is another network than");
            assertThat(surgery.folds()).isFalse();
        }
    }

    @Test
    void what_is_no_part_of_its_teacher_is_refused_by_name() {
        List<String> told = new ArrayList<>();
        List<UNetSpec> students = List.of(
                TEACHER.withOutputs(2),
                UNetSizes.of(new ImageShape(4, 8, 8), List.of(16, 64, 64), 2, List.of(1, 2, 0), 8, TEACHER.told()),
                UNetSizes.of(new ImageShape(4, 8, 8), List.of(16, 32, 32), 2, List.of(1, 2, 0), 16, TEACHER.told()),
                UNetSizes.of(new ImageShape(4, 8, 8), List.of(16, 32, 32), 3, List.of(1, 2, 0), 8, TEACHER.told()),
                UNetSizes.of(new ImageShape(4, 8, 8), List.of(16, 32, 32), 2, List.of(1, 2, 0), 8, Told.NOTHING));
        UNetSpec teacher = TEACHER.withOutputs(4);
        for (UNetSpec student : students) {
            assertThatThrownBy(() ->
                            Cut.requireFit(teacher, student.equals(students.get(0)) ? student : student.withOutputs(4)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .satisfies(e -> told.add(e.getMessage()));
        }
        assertThat(told.get(0)).contains("a multiple of the teacher's outputs, 4; this one has 2");
        assertThat(told.get(1)).contains("no more channels than the teacher's 32 at level 1");
        assertThat(told.get(2)).contains("channels in each head at level 0");
        assertThat(told.get(3)).contains("no more than 2 blocks at level 0");
        assertThat(told.get(4)).contains("states of texts");
    }

    /** A wide network of a narrow one's weights in the first channels of each kind, zero elsewhere. */
    @Test
    void channels_that_nothing_writes_or_reads_are_those_that_are_left_out() {
        UNetSpec wide = UNetSizes.of(new ImageShape(4, 8, 8), List.of(16), 1, List.of(2), 4, Told.of(new Text(6, 16)));
        UNetSpec narrow = UNetSizes.narrowed(wide, 0.5);
        try (Scope scope = Scope.open();
                Network expected = teacher(narrow);
                Network teacher = Architectures.build(wide, Init.of(3, Device.CPU));
                Network student = Architectures.build(narrow, Init.of(1, Device.CPU))) {
            Map<String, Tensor> embedded = new LinkedHashMap<>();
            expected.state().forEach((name, tensor) -> embedded.put(name, embedded(name, tensor)));
            assertThat(teacher.load(embedded)).isEmpty();
            Architectures.surgery(wide, narrow).cut(teacher, student);
            for (String name : expected.state().keySet()) {
                assertThat(values(student, name)).as(name).isEqualTo(values(expected, name));
            }
        }
    }

    private static Tensor embedded(String name, Tensor narrow) {
        boolean both = name.startsWith("up_blocks.0.resnets.")
                && (name.contains(".norm1.") || name.contains(".conv1.") || name.contains(".conv_shortcut."));
        boolean bias = narrow.dim() == 1;
        int rows = both && name.contains(".norm1.") || name.contains(".ff.net.0.") ? 2 : 1;
        Tensor high = name.startsWith("conv_out.") ? narrow : widened(narrow, 0, rows);
        if (bias || name.startsWith("conv_in.") || name.contains("attn2.to_k") || name.contains("attn2.to_v")) {
            return high;
        }
        // every second frequency of a time is kept
        return name.equals("time_embedding.linear_1.weight") ? spread(high) : widened(high, 1, both ? 2 : 1);
    }

    /** Zeros behind each of the parts that lie side by side. */
    private static Tensor widened(Tensor narrow, int dim, int parts) {
        long size = narrow.size(dim) / parts;
        List<Tensor> all = new ArrayList<>();
        for (int i = 0; i < parts; i++) {
            Tensor part = Ops.narrow(narrow, dim, i * size, size);
            all.add(part);
            all.add(Ops.mul(part, 0));
        }
        return Ops.cat(dim, all.toArray(Tensor[]::new));
    }

    private static Tensor spread(Tensor narrow) {
        List<Tensor> all = new ArrayList<>();
        for (long i = 0; i < narrow.size(1); i++) {
            Tensor column = Ops.narrow(narrow, 1, i, 1);
            all.add(column);
            all.add(Ops.mul(column, 0));
        }
        return Ops.cat(1, all.toArray(Tensor[]::new));
    }

    @Test
    void a_narrower_part_of_any_layout_fits() {
        for (NamedLayout name : NamedLayout.values()) {
            UNetSpec spec = UNetSizes.narrowed(name.of(TEACHER).of(TEACHER), 0.5);
            try (Scope scope = Scope.open();
                    Network teacher = teacher(TEACHER);
                    Network student = Architectures.build(spec, Init.of(1, Device.CPU))) {
                Architectures.surgery(TEACHER, spec).cut(teacher, student);
                assertThat(student.parameterCount()).isLessThan(teacher.parameterCount() / 3);
            }
        }
        assertThatThrownBy(() -> UNetSizes.narrowed(TEACHER, 0.3)).hasMessageContaining("channels is 0.3");
    }
}
