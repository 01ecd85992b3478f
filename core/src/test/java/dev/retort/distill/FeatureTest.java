package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.ConditionSpec;
import dev.retort.card.NetworkSpec;
import dev.retort.card.TapPoint;
import dev.retort.config.Configs;
import dev.retort.distill.loss.FeatureDistance;
import dev.retort.error.RetortException;
import dev.retort.model.LayerMap;
import dev.retort.train.Ramp;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which blocks a recipe pairs, and what is refused. */
class FeatureTest {
    /** A U-Net of so many stages, as far as its taps go. */
    private record Unet(int stages, boolean middle) implements NetworkSpec {
        @Override
        public List<TapPoint> taps() {
            List<TapPoint> taps = new ArrayList<>();
            for (int i = 0; i < stages; i++) {
                taps.add(tap("down_blocks." + i, Math.min(i + 1, stages - 1)));
            }
            if (middle) {
                taps.add(tap("mid_block", stages - 1));
            }
            for (int i = 0; i < stages; i++) {
                taps.add(tap("up_blocks." + i, Math.max(0, stages - 2 - i)));
            }
            return taps;
        }

        private static TapPoint tap(String name, int halvings) {
            return new TapPoint(name, 32 << Math.min(2, halvings), 64 >> halvings, 64 >> halvings, TapPoint.Form.MAP);
        }

        @Override
        public String name() {
            return "U";
        }

        @Override
        public int channels() {
            return 4;
        }

        @Override
        public int height() {
            return 64;
        }

        @Override
        public int width() {
            return 64;
        }

        @Override
        public ConditionSpec condition() {
            return ConditionSpec.ofClasses(3, false);
        }

        @Override
        public boolean learnSigma() {
            return false;
        }

        @Override
        public long parameters() {
            return 0;
        }

        @Override
        public long macs() {
            return 0;
        }
    }

    private static final NetworkSpec WHOLE = new Unet(4, true);
    private static final NetworkSpec SMALL = new Unet(4, false);
    private static final NetworkSpec TINY = new Unet(3, false);

    @TempDir
    Path temp;

    private static Feature feature(String map) {
        return new Feature(LossWeight.ONE, map, true, 0);
    }

    private static List<String> paired(String map, NetworkSpec student) {
        return LayerMap.of(map, student.taps(), WHOLE.taps()).stream()
                .map(pair -> student.taps().get(pair.student()).name() + "-"
                        + WHOLE.taps().get(pair.teacher()).name())
                .toList();
    }

    @Test
    void blocks_that_both_have_are_paired_by_name() {
        assertThat(paired("names", SMALL))
                .containsExactly(
                        "down_blocks.0-down_blocks.0",
                        "down_blocks.1-down_blocks.1",
                        "down_blocks.2-down_blocks.2",
                        "down_blocks.3-down_blocks.3",
                        "up_blocks.0-up_blocks.0",
                        "up_blocks.1-up_blocks.1",
                        "up_blocks.2-up_blocks.2",
                        "up_blocks.3-up_blocks.3");
        assertThat(paired("up_blocks.0-up_blocks.1,0-0", TINY))
                .containsExactly("up_blocks.0-up_blocks.1", "down_blocks.0-down_blocks.0");
        assertThat(feature("names").reach(SMALL, WHOLE)).isEqualTo(8);
        assertThat(feature("uniform").reach(WHOLE, WHOLE)).isEqualTo(9);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "names | feature.map is names, but down_blocks.2 is 16x16 in the student and 8x8 in the teacher",
                "uniform | feature.map is uniform, which pairs blocks by their order, but 6 blocks",
                "up_blocks.3-up_blocks.3 | feature.map names 'up_blocks.3', which is no block of the student; did you mean",
                "up_blocks.2-up_block.3 | feature.map names 'up_block.3', which is no block of the teacher; did you mean",
                "9-0 | feature.map has student block 9, expected 0..5"
            })
    void a_map_that_pairs_what_is_not_there_or_not_alike_is_refused(String map, String message) {
        assertThatThrownBy(() -> feature(map).reach(TINY, WHOLE))
                .isInstanceOf(RetortException.class)
                .hasMessageStartingWith(message);
    }

    private static Feature feature(Map<String, Double> weights, List<Integer> scales, List<Double> scaleWeights) {
        return new Feature(
                LossWeight.ONE,
                "names",
                weights,
                FeatureDistance.Normalise.NONE,
                0,
                scales,
                scaleWeights,
                Optional.empty());
    }

    @Test
    void weights_of_what_is_not_paired_and_scales_that_do_not_divide_are_refused() {
        assertThatThrownBy(() ->
                        feature(Map.of("mid_block", 2.0), List.of(1), List.of()).reach(SMALL, WHOLE))
                .hasMessageStartingWith(
                        "feature.layerWeights names 'mid_block', which is no block of the student that map" + " pairs");
        assertThatThrownBy(() -> feature(Map.of(), List.of(1, 16), List.of()).reach(SMALL, WHOLE))
                .hasMessageStartingWith(
                        "feature.pyramid has 16, which does not divide the 8x8 places of down_blocks.2");
        assertThatThrownBy(() -> feature(Map.of(), List.of(1, 2), List.of(1.0)))
                .hasMessageContaining("pyramidWeights is [1.0], expected one for each of pyramid [1, 2], or none");
        assertThatThrownBy(() -> feature(Map.of(), List.of(2, 2), List.of())).hasMessageContaining("each scale once");
        assertThatThrownBy(() -> feature(Map.of(), List.of(0), List.of())).hasMessageContaining("pyramid is 0");
        assertThatThrownBy(() -> feature("")).hasMessageContaining("map is ''");
    }

    private List<LossConfig> read(String losses) throws Exception {
        Path file = temp.resolve("recipe.yaml");
        String preset = Files.readString(Path.of("src/main/resources/presets/distill/fashion-student.yaml"));
        String whole = preset.replaceFirst(
                "(?s)stages:.*?\nrun:", "stages:\n  - {name: all, images: 64, losses: [" + losses + "]}\nrun:");
        Files.writeString(file, whole);
        return Configs.load(Recipe.class, "distill", file.toString(), List.of())
                .stages()
                .get(0)
                .losses();
    }

    @Test
    void a_recipe_says_pairs_as_fields_and_numbers_for_what_is_constant() throws Exception {
        List<LossConfig> losses =
                read("{type: feature, weight: {to: 0, curve: cosine, over: noise}, normalise: layer-norm,"
                        + " map: {down_blocks.0: down_blocks.0, up_blocks.0: up_blocks.1}, layerWeights: {up_blocks.0: 2},"
                        + " pyramid: [1, 2], pyramidWeights: [1, 0.5], confidence: {threshold: 0.5, power: 0}},"
                        + " {type: feature, normalise: false},"
                        + " {type: output-distribution, temperature: {from: 4, curve: cosine, over: confidence}},"
                        + " {type: output-distribution, temperature: 2}");
        assertThat(losses)
                .containsExactly(
                        new Feature(
                                new LossWeight(1, 0, Ramp.Curve.COSINE, Ramp.Span.NOISE),
                                "down_blocks.0-down_blocks.0,up_blocks.0-up_blocks.1",
                                Map.of("up_blocks.0", 2.0),
                                FeatureDistance.Normalise.LAYER_NORM,
                                2,
                                List.of(1, 2),
                                List.of(1.0, 0.5),
                                Optional.of(new Confidence(0.5, 0))),
                        new Feature(LossWeight.ONE, "uniform", false, 2),
                        new LossConfig.OutputDistribution(
                                LossWeight.ONE,
                                new Temperature(4, 1, Ramp.Curve.COSINE, Ramp.Span.CONFIDENCE),
                                Optional.empty()),
                        new LossConfig.OutputDistribution(LossWeight.ONE, 2));
    }

    @Test
    void what_a_recipe_says_wrongly_is_named_by_its_field() {
        assertThatThrownBy(() -> read("{type: output, weight: {over: confidence}}"))
                .hasMessageContaining("stages.0.losses.0.weight.over is confidence, expected stage, run or noise");
        assertThatThrownBy(() -> read("{type: output, confidence: {threshold: 1}}"))
                .hasMessageContaining("stages.0.losses.0.confidence.threshold is 1, expected 0 or more, and below 1");
        assertThatThrownBy(() -> read("{type: output-distribution, temperature: {to: 0}}"))
                .hasMessageContaining("stages.0.losses.0.temperature.to is 0");
        assertThatThrownBy(() -> read("{type: feature, layerWeights: {blocks.0: -1}}"))
                .hasMessageContaining("layerWeights.blocks.0 is -1");
    }
}
