package dev.retort.distill;

import dev.retort.card.NetworkSpec;
import dev.retort.card.TapPoint;
import dev.retort.config.Require;
import dev.retort.config.Suggestion;
import dev.retort.distill.loss.FeatureDistance;
import dev.retort.distill.loss.FeatureLoss;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.LayerMap;
import dev.retort.train.Loss;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Difference of block outputs, whichever networks they are of.
 *
 * @param map which of the student's blocks is to be like which of the teacher's: {@code uniform} by their order, {@code names} where
 *     both have a block of one name, or pairs student-teacher of names or numbers from 0, such as {@code 0-1,1-3}. A recipe may
 *     write pairs as fields
 * @param layerWeights what each pair counts, by the name of the student's block; 1 where left out. Only their ratios matter
 * @param normalise by what differences of each block and scale are made to count alike
 * @param outlierStd leave out values beyond this many standard deviations; 0 keeps all
 * @param pyramid sides of the cells over which features are averaged before they are compared; 1 compares them as they are
 * @param pyramidWeights what each scale counts, in the order of {@code pyramid}; all the same where empty. Only their ratios matter
 * @param confidence how much an image counts for the sake of the teacher's confidence; all the same where left out
 */
public record Feature(
        LossWeight weight,
        String map,
        Map<String, Double> layerWeights,
        FeatureDistance.Normalise normalise,
        double outlierStd,
        List<Integer> pyramid,
        List<Double> pyramidWeights,
        Optional<Confidence> confidence)
        implements LossConfig {
    private static final String PAIR = "[^-,\\s]+-[^-,\\s]+";

    /** Validates. */
    public Feature {
        Require.that(
                map.equals(LayerMap.UNIFORM) || map.equals(LayerMap.NAMES) || map.matches(PAIR + "(," + PAIR + ")*"),
                "map",
                "'" + map + "'",
                "uniform, names, or pairs student-teacher such as 0-1,1-3 or {down_blocks.0: down_blocks.0}");
        layerWeights.forEach((name, value) -> Require.positive("layerWeights." + name, value));
        Require.atLeast("outlierStd", outlierStd, 0);
        Require.notEmpty("pyramid", pyramid);
        pyramid.forEach(scale -> Require.atLeast("pyramid", scale, 1));
        Require.that(pyramid.stream().distinct().count() == pyramid.size(), "pyramid", pyramid, "each scale once");
        Require.that(
                pyramidWeights.isEmpty() || pyramidWeights.size() == pyramid.size(),
                "pyramidWeights",
                pyramidWeights,
                "one for each of pyramid " + pyramid + ", or none");
        pyramidWeights.forEach(value -> Require.positive("pyramidWeights", value));
    }

    /** Features as they are, all pairs alike. */
    public Feature(LossWeight weight, String map, boolean normalise, double outlierStd) {
        this(
                weight,
                map,
                Map.of(),
                normalise ? FeatureDistance.Normalise.MEAN_SQUARE : FeatureDistance.Normalise.NONE,
                outlierStd,
                List.of(1),
                List.of(),
                Optional.empty());
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of(
                "map",
                LayerMap.UNIFORM,
                "layerWeights",
                Map.of(),
                "normalise",
                FeatureDistance.Normalise.MEAN_SQUARE,
                "outlierStd",
                2,
                "pyramid",
                List.of(1),
                "pyramidWeights",
                List.of());
    }

    @Override
    public Loss build(BuildContext players) {
        List<TapPoint> student = players.ofStudent().taps();
        List<TapPoint> teacher = players.ofTeacher().taps();
        Loss loss = new FeatureLoss(
                players.student(),
                players.teacher(),
                pairs(student, teacher),
                student,
                teacher,
                layerWeights,
                distance(),
                players.init());
        return players.masked(loss, confidence);
    }

    private FeatureDistance distance() {
        List<FeatureDistance.Scale> weighted = new ArrayList<>();
        for (int i = 0; i < pyramid.size(); i++) {
            weighted.add(
                    new FeatureDistance.Scale(pyramid.get(i), pyramidWeights.isEmpty() ? 1 : pyramidWeights.get(i)));
        }
        return new FeatureDistance(normalise, outlierStd, weighted);
    }

    @Override
    public int teacherCalls() {
        return confidence.isPresent() ? 2 : 1;
    }

    @Override
    public int reach(NetworkSpec student, NetworkSpec teacher) {
        List<Integer> blocks = pairs(student.taps(), teacher.taps()).stream()
                .map(LayerMap.Pair::student)
                .toList();
        return Collections.max(blocks) + 1;
    }

    /**
     * The pairs of two networks' blocks.
     *
     * @throws RetortException of kind CONFIG when a field does not fit the networks
     */
    private List<LayerMap.Pair> pairs(List<TapPoint> student, List<TapPoint> teacher) {
        try {
            List<LayerMap.Pair> pairs = LayerMap.of(map, student, teacher);
            List<String> paired = pairs.stream()
                    .map(pair -> student.get(pair.student()).name())
                    .distinct()
                    .toList();
            for (String name : layerWeights.keySet()) {
                if (!paired.contains(name)) {
                    throw new IllegalArgumentException("layerWeights names '" + name
                            + "', which is no block of the student that map pairs" + Suggestion.among(name, paired));
                }
            }
            FeatureDistance distance = distance();
            pairs.forEach(pair -> distance.requireFit(student.get(pair.student()), teacher.get(pair.teacher())));
            return pairs;
        } catch (IllegalArgumentException e) {
            throw new RetortException(Kind.CONFIG, "feature." + e.getMessage(), e);
        }
    }
}
