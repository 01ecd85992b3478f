package dev.retort.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CaptionedShapesTest {
    private static final List<Function<ShapeAttributes, String>> EACH =
            List.of(ShapeAttributes::kind, ShapeAttributes::colour, ShapeAttributes::size, ShapeAttributes::place);

    @Test
    void a_fifth_of_the_combinations_is_held_out_and_never_drawn_in_training() {
        List<ShapeAttributes> train = CaptionedShapes.prompts("train");
        List<ShapeAttributes> test = CaptionedShapes.prompts("test");
        assertThat(test).hasSize(48).doesNotContainAnyElementsOf(train);
        assertThat(train).hasSize(192);
        assertThat(Stream.concat(train.stream(), test.stream()))
                .containsExactlyInAnyOrderElementsOf(ShapeAttributes.all());
        for (String split : CaptionedShapes.SPLITS) {
            CaptionedShapes shapes = new CaptionedShapes(16, split);
            Set<ShapeAttributes> drawn = new HashSet<>();
            for (int i = 0; i < 5000; i++) {
                drawn.add(shapes.attributes(i));
            }
            assertThat(drawn).containsExactlyInAnyOrderElementsOf(CaptionedShapes.prompts(split));
        }
    }

    @Test
    void every_attribute_is_in_both_splits_and_every_pair_of_attributes_in_training() {
        for (Function<ShapeAttributes, String> one : EACH) {
            assertThat(of("test", one)).isEqualTo(of("train", one));
            for (Function<ShapeAttributes, String> other : EACH) {
                Function<ShapeAttributes, String> pair = shown -> one.apply(shown) + " " + other.apply(shown);
                Set<String> all =
                        new HashSet<>(ShapeAttributes.all().stream().map(pair).toList());
                assertThat(of("train", pair)).isEqualTo(all);
            }
        }
    }

    private static Set<String> of(String split, Function<ShapeAttributes, String> what) {
        return new HashSet<>(CaptionedShapes.prompts(split).stream().map(what).toList());
    }

    @Test
    void a_picture_and_its_captions_depend_on_split_and_index_only() {
        CaptionedShapes shapes = new CaptionedShapes(24, "train");
        float[] first = new float[shapes.pixels()];
        Note note = shapes.read(77, first, 0);
        float[] again = new float[shapes.pixels()];
        assertThat(new CaptionedShapes(24, "train").read(77, again, 0)).isEqualTo(note);
        assertThat(again).isEqualTo(first);
        new CaptionedShapes(24, "train").read(78, again, 0);
        assertThat(again).isNotEqualTo(first);
        assertThat(note.captions()).isEqualTo(shapes.attributes(77).captions());
        assertThat(shapes.classNames()).hasSize(1);
        assertThat(shapes.label(77)).isEqualTo(note.label()).isZero();
    }

    @Test
    void captions_say_the_same_in_several_wordings() {
        assertThat(new ShapeAttributes("circle", "red", "small", "top left").captions())
                .containsExactly(
                        "a small red circle at the top left",
                        "small red circle, top left",
                        "in the top left a small circle in red");
        assertThat(new ShapeAttributes("cross", "blue", "large", "centre").caption())
                .isEqualTo("a large blue cross in the centre");
        assertThat(ShapeAttributes.all().stream().flatMap(shown -> shown.captions().stream()))
                .doesNotHaveDuplicates();
    }

    @Test
    void training_takes_one_of_the_captions_by_the_clock_and_a_resumed_run_the_same() {
        try (Loader whole = new Loader(new CaptionedShapes(16, "train"), 60, 5, 0, false, 2, 2);
                Loader resumed = new Loader(new CaptionedShapes(16, "train"), 20, 5, 40, false, 1, 1)) {
            List<String> texts = whole.next().prompts().texts();
            assertThat(resumed.next().prompts().texts()).isEqualTo(texts.subList(40, 60));
            assertThat(texts).anyMatch(text -> text.startsWith("a "));
            assertThat(texts).anyMatch(text -> text.startsWith("in the "));
            assertThat(texts).anyMatch(text -> text.contains(", "));
        }
    }

    @Test
    void mirroring_other_splits_and_sizes_are_refused() {
        assertThatThrownBy(() -> new DataConfig.CaptionedShapes("train", 24, true))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("flip is true, expected false");
        assertThatThrownBy(() -> new DataConfig.CaptionedShapes("val", 24, false))
                .hasMessageContaining("split is 'val'");
        assertThatThrownBy(() -> new DataConfig.CaptionedShapes("train", 128, false))
                .hasMessageContaining("size is 128, expected 0 (the usual 32), or 16 to 64");
        assertThat(DataConfig.of("captioned-shapes", "test", 0).open().height()).isEqualTo(32);
    }
}
