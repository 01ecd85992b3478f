package dev.retort.distill;

import dev.retort.config.Require;
import dev.retort.diffusion.Prediction;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.LayerMap;
import java.util.List;
import java.util.Map;

/** A loss term of a stage, as it stands in a recipe. Its weight runs linearly from {@code from} to {@code to} over the stage. */
public sealed interface LossConfig {
    /** Weight at the stage's start. */
    double from();

    /** Weight at its end. */
    double to();

    /** The plain training loss on the data. */
    record Diffusion(double from, double to) implements LossConfig {}

    /**
     * Squared difference to the teacher's output.
     *
     * @param space prediction space of the difference: {@code epsilon}, {@code x0}, {@code v} or {@code flow}
     */
    record Output(double from, double to, Prediction space) implements LossConfig {
        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("space", Prediction.FLOW);
        }
    }

    /**
     * Divergence between the reverse transitions of teacher and student.
     *
     * @param temperature factor on both standard deviations, above 0
     */
    record OutputDistribution(double from, double to, double temperature) implements LossConfig {
        /** Validates. */
        public OutputDistribution {
            Require.positive("temperature", temperature);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("temperature", 1);
        }
    }

    /**
     * Masked, normalised squared difference of block outputs.
     *
     * @param map {@code uniform}, or pairs such as {@code 0-1,1-3,2-7} (student-teacher, from 0)
     * @param normalise divide each layer's difference by the teacher's mean square there
     * @param outlierStd leave out values beyond this many standard deviations; 0 keeps all
     */
    record Feature(double from, double to, String map, boolean normalise, double outlierStd) implements LossConfig {
        /** Validates. */
        public Feature {
            Require.that(
                    map.equals("uniform") || map.matches("\\d+-\\d+(,\\d+-\\d+)*"),
                    "map",
                    map,
                    "uniform, or pairs such as 0-1,1-3 (student-teacher)");
            Require.atLeast("outlierStd", outlierStd, 0);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("map", "uniform", "normalise", true, "outlierStd", 2);
        }

        /**
         * The pairs for networks of these depths.
         *
         * @throws RetortException of kind CONFIG when a block does not exist
         */
        List<LayerMap.Pair> pairs(int studentDepth, int teacherDepth) {
            if (map.equals("uniform")) {
                return LayerMap.uniform(studentDepth, teacherDepth);
            }
            List<LayerMap.Pair> pairs = java.util.Arrays.stream(map.split(","))
                    .map(pair -> pair.split("-"))
                    .map(pair -> new LayerMap.Pair(Integer.parseInt(pair[0]), Integer.parseInt(pair[1])))
                    .toList();
            try {
                return LayerMap.checked(pairs, studentDepth, teacherDepth);
            } catch (IllegalArgumentException e) {
                throw new RetortException(Kind.CONFIG, "feature." + e.getMessage(), e);
            }
        }
    }
}
