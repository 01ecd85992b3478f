package dev.retort.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Conditions;
import dev.retort.card.ConditionSpec;
import dev.retort.card.Part;
import dev.retort.data.Prompts;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.torch.Device;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class ConditionTest {
    private static long[] labels(Condition condition) {
        return Tensors.longs(condition.get(Part.LABEL));
    }

    /** States of a text of two tokens, three wide. */
    private static Tensor text(float... firstOfEach) {
        float[] values = new float[firstOfEach.length * 6];
        for (int i = 0; i < values.length; i++) {
            values[i] = firstOfEach[i / 6] + i % 6;
        }
        return Tensors.of(values, Device.CPU, firstOfEach.length, 2, 3);
    }

    @Test
    void every_part_follows_its_samples() {
        try (Scope scope = Scope.open()) {
            Condition asked = Conditions.classes(7, 8, 9).with(Part.TEXT, text(10, 20, 30));
            Condition none = Conditions.classes(0, 0, 0).with(Part.TEXT, text(-10, -20, -30));

            assertThat(asked.rows()).isEqualTo(3);
            assertThat(labels(asked.rows(1, 2))).containsExactly(8, 9);
            assertThat(Tensors.floats(asked.rows(1, 1).get(Part.TEXT))).containsExactly(20, 21, 22, 23, 24, 25);

            Condition both = Condition.join(asked, none);
            assertThat(both.rows()).isEqualTo(6);
            assertThat(labels(both)).containsExactly(7, 8, 9, 0, 0, 0);
            assertThat(Tensors.floats(both.get(Part.TEXT).select(1, 0).select(1, 0)))
                    .containsExactly(10, 20, 30, -10, -20, -30);

            Condition dropped = asked.orNone(new boolean[] {false, true, false}, none);
            assertThat(labels(dropped)).containsExactly(7, 0, 9);
            assertThat(Tensors.shape(dropped.get(Part.TEXT))).containsExactly(3, 2, 3);
            assertThat(Tensors.floats(dropped.get(Part.TEXT).select(1, 0).select(1, 0)))
                    .containsExactly(10, -20, 30);
            assertThat(asked.orNone(new boolean[3], none)).isSameAs(asked);
        }
    }

    @Test
    void where_samples_are_asked_again_without_a_condition_their_numbers_stay() {
        try (Scope scope = Scope.open()) {
            Condition asked = Conditions.classes(7, 8).with(Part.GUIDANCE, new double[] {2, 3});
            Condition both = asked.thenNone(Conditions.classes(9, 9));
            assertThat(labels(both)).containsExactly(7, 8, 9, 9);
            assertThat(Tensors.floats(both.get(Part.GUIDANCE))).containsExactly(2, 3, 2, 3);
        }
    }

    @Test
    void what_does_not_go_together_is_refused_and_what_is_there_is_named() {
        try (Scope scope = Scope.open()) {
            Condition asked = Conditions.classes(7, 8);
            assertThatThrownBy(() -> asked.get(Part.POOLED))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("POOLED", "[LABEL]");
            assertThatThrownBy(() -> asked.with(Part.TEXT, text(1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("one for each sample");
            assertThatThrownBy(() -> Condition.join(asked, asked.with(Part.TEXT, text(1, 2))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("[LABEL]", "[LABEL, TEXT]");
            assertThatThrownBy(() -> asked.orNone(new boolean[2], Conditions.classes(0)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected 2");
            assertThatThrownBy(() -> Condition.of(Map.of())).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void a_network_that_is_told_nothing_has_a_condition_without_parts_but_with_rows() {
        Conditioner conditioner = new LabelConditioner(ConditionSpec.none());
        try (Scope scope = Scope.open()) {
            Condition two = conditioner.of(new Prompts.Labels(new int[] {3, 9}), Device.CPU);
            assertThat(two.rows()).isEqualTo(2);
            assertThat(two.hasOnly(Set.of())).isTrue();
            assertThat(two.rows(1, 1).rows()).isEqualTo(1);
            assertThat(Condition.join(two, two).rows()).isEqualTo(4);
            assertThat(two.select(Tensors.of(new long[] {1, 0, 1}, Device.CPU)).rows())
                    .isEqualTo(3);
            assertThat(two.orNone(new boolean[] {false, true}, two).rows()).isEqualTo(2);
            Condition told = two.with(Part.END_TIME, new double[] {4, 5});
            assertThat(Tensors.floats(told.get(Part.END_TIME))).containsExactly(4, 5);
            assertThatThrownBy(() -> two.with(Part.END_TIME, new double[] {4}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("one for each sample");
            assertThatThrownBy(() -> conditioner.none(2, Device.CPU)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void a_conditioner_of_labels_gives_classes_and_the_null_class() {
        Conditioner conditioner = new LabelConditioner(ConditionSpec.ofClasses(10, true));
        try (Scope scope = Scope.open()) {
            assertThat(labels(conditioner.of(new Prompts.Labels(new int[] {3, 9}), Device.CPU)))
                    .containsExactly(3, 9);
            assertThat(labels(conditioner.none(2, Device.CPU))).containsExactly(10, 10);
            assertThatThrownBy(() -> conditioner.of(new Prompts.Texts(List.of("a red heron")), Device.CPU))
                    .isInstanceOfSatisfying(
                            RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CONFIG))
                    .hasMessageContaining("give classes");
            assertThatThrownBy(() -> new LabelConditioner(ConditionSpec.ofClasses(10, false)).none(1, Device.CPU))
                    .isInstanceOf(IllegalStateException.class);
        }
    }
}
