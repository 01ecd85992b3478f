package dev.retort.card;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Shared;
import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Text;
import dev.retort.card.UNetSpec.Told;
import dev.retort.config.CardFile;
import dev.retort.error.RetortException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class UNetSpecTest {
    private static final UNetSpec SMALL = UNetSizes.of(
            new ImageShape(4, 13, 20), List.of(8, 16, 24), 1, List.of(0, 1, 2), 4, Told.of(new Text(7, 12)));

    @ParameterizedTest
    @ValueSource(strings = {"sd15", "sd21", "sdxl"})
    void names_and_shapes_are_those_of_the_published_networks(String name) {
        JsonNode reference = JsonMapper.shared()
                .readTree(Shared.path("reference/shapes/unet-" + name + ".json").toFile());
        Map<String, String> expected = new TreeMap<>();
        reference
                .properties()
                .forEach(key -> expected.put(
                        key.getKey(), key.getValue().get(0).toString().replace(",", ", ")));
        Map<String, String> shapes = new TreeMap<>();
        UNetLayers.of(published(name)).shapes().forEach((key, shape) -> shapes.put(key, Arrays.toString(shape)));
        assertThat(shapes).isEqualTo(expected);
    }

    @Test
    void sizes_are_the_published_ones() {
        assertThat(published("sd15").parameters()).isEqualTo(859_520_964L);
        assertThat(published("sd21").parameters()).isEqualTo(865_910_724L);
        assertThat(published("sdxl").parameters()).isEqualTo(2_567_463_684L);
    }

    private static UNetSpec published(String name) {
        return switch (name) {
            case "sd15" -> UNetSizes.sd15(64);
            case "sd21" -> UNetSizes.sd21(96);
            default -> UNetSizes.sdxl(128);
        };
    }

    @Test
    void a_card_keeps_every_field() {
        for (UNetSpec spec : List.of(
                SMALL,
                UNetSizes.sdxl(128),
                SMALL.with(SMALL.levels(), Optional.empty()).with(new ScalarInputs(true, 0)))) {
            String text = CardFile.text(new Holder(spec));
            assertThat(text).contains("\"unet\"");
            assertThat(CardFile.value(CardFile.tree(new Holder(spec)), Holder.class)
                            .network())
                    .isEqualTo(spec);
        }
    }

    record Holder(NetworkSpec network) {}

    @Test
    void halves_are_rounded_up_as_the_strided_convolution_does() {
        assertThat(SMALL.taps())
                .containsExactly(
                        new TapPoint("down_blocks.0", 8, 7, 10, TapPoint.Form.MAP),
                        new TapPoint("down_blocks.1", 16, 4, 5, TapPoint.Form.MAP),
                        new TapPoint("down_blocks.2", 24, 4, 5, TapPoint.Form.MAP),
                        new TapPoint("mid_block", 24, 4, 5, TapPoint.Form.MAP),
                        new TapPoint("up_blocks.0", 24, 7, 10, TapPoint.Form.MAP),
                        new TapPoint("up_blocks.1", 16, 13, 20, TapPoint.Form.MAP),
                        new TapPoint("up_blocks.2", 8, 13, 20, TapPoint.Form.MAP));
    }

    @Test
    void the_condition_says_text_pooled_text_sizes_and_guidance() {
        assertThat(UNetSizes.sdxl(128)
                        .with(new ScalarInputs(true, 0))
                        .condition()
                        .parts())
                .isEqualTo(Map.of(
                        Part.TEXT, List.of(77, 2048),
                        Part.POOLED, List.of(1280),
                        Part.TIME_IDS, List.of(6),
                        Part.GUIDANCE, List.of()));
        assertThatThrownBy(() -> SMALL.with(new ScalarInputs(false, 999)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("END_TIME");
    }

    @Test
    void the_smallest_network_takes_and_is_told_the_same() {
        UNetSpec minimal = UNetSizes.sdxl(128).minimal();
        assertThat(minimal.shape()).isEqualTo(new ImageShape(4, 128, 128));
        assertThat(minimal.condition()).isEqualTo(UNetSizes.sdxl(128).condition());
        assertThat(minimal.parameters()).isLessThan(120_000);
    }

    @Test
    void a_level_that_cannot_be_is_refused_by_name() {
        assertThatThrownBy(() -> new Level(8, 3, List.of(1), List.of(1, 1)))
                .isInstanceOf(RetortException.class)
                .hasMessage("heads is 3, expected a divisor of channels 8");
        assertThatThrownBy(() -> new Level(8, 2, List.of(1, 0), List.of(1, 1, 1)))
                .hasMessageContaining("down is [1, 0]");
        assertThatThrownBy(() -> new Level(8, 2, List.of(1), List.of(1))).hasMessageContaining("one more than down");
        assertThatThrownBy(() -> SMALL.with(List.of(Level.of(12, 2, 1, 0)), SMALL.middle()))
                .hasMessage("levels.channels is 12, expected a multiple of convention.normGroups 8");
    }
}
