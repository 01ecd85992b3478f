package dev.retort.card;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.UNetLayout.Block;
import dev.retort.card.UNetLayout.Blocks;
import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Middle;
import java.util.List;
import java.util.Optional;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class UNetLayoutTest {
    private static final UNetSpec TEACHER = UNetSizes.sd15(64);

    /** As published: 859.5 M become 579.4 M and 323.4 M (distil-sd), 0.58, 0.49 and 0.33 B (BK-SDM, rounded). */
    @Test
    void students_of_stable_diffusion_have_the_published_sizes() {
        assertThat(student(NamedLayout.WHOLE)).isEqualTo(TEACHER);
        assertThat(student(NamedLayout.BASE).parameters() / 1e6).isCloseTo(579.4, within(0.05));
        assertThat(student(NamedLayout.SMALL).parameters() / 1e6).isCloseTo(490, Percentage.withPercentage(2));
        assertThat(student(NamedLayout.TINY).parameters() / 1e6).isCloseTo(323.4, within(0.05));
    }

    @Test
    void tiny_lacks_the_middle_the_innermost_level_and_every_second_block() {
        UNetSpec tiny = student(NamedLayout.TINY);
        assertThat(tiny.middle()).isEmpty();
        assertThat(tiny.levels())
                .containsExactly(Level.of(320, 8, 1, 1), Level.of(640, 8, 1, 1), Level.of(1280, 8, 1, 1));
        UNetLayout layout = NamedLayout.TINY.of(TEACHER);
        assertThat(layout.source("up_blocks.0.resnets.1.conv1.weight", 4))
                .isEqualTo("up_blocks.1.resnets.2.conv1.weight");
        assertThat(layout.source("up_blocks.2.attentions.1.transformer_blocks.0.attn1.to_q.weight", 4))
                .isEqualTo("up_blocks.3.attentions.2.transformer_blocks.0.attn1.to_q.weight");
        assertThat(layout.source("up_blocks.1.upsamplers.0.conv.bias", 4))
                .isEqualTo("up_blocks.2.upsamplers.0.conv.bias");
        assertThat(layout.source("down_blocks.2.resnets.0.norm1.bias", 4))
                .isEqualTo("down_blocks.2.resnets.0.norm1.bias");
        assertThat(layout.source("conv_norm_out.bias", 4)).isEqualTo("conv_norm_out.bias");
    }

    @Test
    void layers_are_kept_at_even_distance_or_by_a_list() {
        UNetSpec teacher = UNetSizes.sdxl(64);
        Level innermost = teacher.levels().get(2);
        List<Level> levels = List.of(
                teacher.levels().get(0),
                teacher.levels().get(1),
                new Level(innermost.channels(), innermost.heads(), List.of(5, 5), List.of(5, 5, 5)));
        UNetLayout even = EvenLayout.between(teacher, teacher.with(levels, Optional.of(new Middle(5))));
        assertThat(even.middle()).contains(List.of(1, 3, 5, 7, 9));
        assertThat(even.of(teacher).levels()).isEqualTo(levels);
        UNetLayout listed = new UNetLayout(
                List.of(
                        even.levels().get(0),
                        even.levels().get(1),
                        new Blocks(
                                List.of(new Block(0, List.of(0, 4)), new Block(1, List.of(9))),
                                even.levels().get(2).up())),
                even.middle());
        assertThat(listed.of(teacher).levels().get(2).down()).containsExactly(2, 1);
        assertThat(listed.source("down_blocks.2.attentions.0.transformer_blocks.1.norm1.weight", 3))
                .isEqualTo("down_blocks.2.attentions.0.transformer_blocks.4.norm1.weight");
    }

    @Test
    void what_the_teacher_has_not_is_refused_by_name() {
        UNetLayout base = NamedLayout.BASE.of(TEACHER);
        assertThatThrownBy(() -> layout(
                                base,
                                new Blocks(
                                        List.of(new Block(2, List.of(0))),
                                        base.levels().get(1).up()))
                        .of(TEACHER))
                .hasMessage("levels.1.down is [2], expected rising numbers from 0 to 1");
        assertThatThrownBy(() -> layout(
                                base,
                                new Blocks(
                                        List.of(new Block(0, List.of(1))),
                                        base.levels().get(1).up()))
                        .of(TEACHER))
                .hasMessage("levels.1.down.layers is [1], expected rising numbers from 0 to 0");
        assertThatThrownBy(() -> layout(
                                base,
                                new Blocks(
                                        List.of(new Block(1, List.of(0))),
                                        base.levels().get(1).up()))
                        .of(TEACHER))
                .hasMessageContaining("down_blocks.1.resnets.1")
                .hasMessageContaining("keep the first block of every level");
        assertThatThrownBy(() -> EvenLayout.between(student(NamedLayout.TINY), TEACHER))
                .hasMessage("a student that is cut from its teacher has no more levels than the teacher's, 3");
        assertThatThrownBy(() -> NamedLayout.TINY.of(UNetSizes.sdxl(64)))
                .hasMessageContaining("layout is tiny")
                .hasMessageContaining("take the 1280 channels of the innermost");
        UNetSpec one = TEACHER.with(List.of(Level.of(320, 8, 1, 1)), Optional.empty());
        assertThatThrownBy(() -> NamedLayout.SMALL.of(one))
                .hasMessage("layout is small, expected another: UNet-320 has nothing that this one leaves out");
    }

    private static UNetLayout layout(UNetLayout base, Blocks second) {
        return new UNetLayout(
                List.of(
                        base.levels().get(0),
                        second,
                        base.levels().get(2),
                        base.levels().get(3)),
                base.middle());
    }

    private static UNetSpec student(NamedLayout name) {
        return name.of(TEACHER).of(TEACHER);
    }
}
