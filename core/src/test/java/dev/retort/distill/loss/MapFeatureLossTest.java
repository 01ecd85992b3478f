package dev.retort.distill.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Conditions;
import dev.retort.Plain;
import dev.retort.card.ProcessSpec;
import dev.retort.card.TapPoint;
import dev.retort.distill.loss.FeatureDistance.Normalise;
import dev.retort.distill.loss.FeatureDistance.Scale;
import dev.retort.model.LayerMap;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.GivenPass;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Player;
import dev.retort.train.Told;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The feature loss between maps of several grids beside its definition, written out in double over plain arrays. */
class MapFeatureLossTest {
    private static final int SAMPLES = 2;
    private static final List<TapPoint> STUDENT =
            List.of(map("down_blocks.0", 6, 8), map("mid_block", 10, 4), map("up_blocks.0", 6, 8));
    private static final List<TapPoint> TEACHER =
            List.of(map("down_blocks.0", 6, 8), map("down_blocks.1", 12, 8), map("mid_block", 12, 4), map("end", 6, 8));
    private static final String MAP = "down_blocks.0-down_blocks.0,mid_block-down_blocks.1,2-3";
    private static final Map<String, Double> LAYER_WEIGHTS = Map.of("mid_block", 2.0, "up_blocks.0", 0.5);
    private static final List<Scale> SCALES = List.of(new Scale(1, 1), new Scale(2, 0.5), new Scale(4, 0.25));

    private static TapPoint map(String name, int channels, int side) {
        return new TapPoint(name, channels, side, side, TapPoint.Form.MAP);
    }

    private static Map<String, double[]> features(List<TapPoint> points, long seed) {
        Map<String, double[]> features = new LinkedHashMap<>();
        for (TapPoint point : points) {
            int size = SAMPLES * point.channels() * point.rows() * point.cols();
            double[] values = Plain.normal(seed + features.size(), 1 + features.size(), size);
            for (int i = 0; i < size; i += 41) {
                values[i] = (float) (values[i] * 6);
            }
            features.put(point.name(), values);
        }
        return features;
    }

    private static Map<String, Tensor> tensors(Map<String, double[]> features, List<TapPoint> points) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (TapPoint point : points) {
            double[] values = features.get(point.name());
            tensors.put(point.name(), Plain.tensor(values, SAMPLES, point.channels(), point.rows(), point.cols()));
        }
        return tensors;
    }

    private static Told told(List<TapPoint> points, long seed) {
        return new Told(
                Told.spec(8, 4, 16, false), Tensors.zeros(Device.CPU, 1), tensors(features(points, seed), points));
    }

    private static NoisyBatch batch() {
        Tensor image = Tensors.zeros(Device.CPU, SAMPLES, 3, 8, 8);
        Tensor column = Tensors.full(0.5, Device.CPU, SAMPLES, 1, 1, 1);
        return NoisyBatch.of(image, image, new double[] {500, 500}, column, column, Conditions.classes(new int[2]));
    }

    private static FeatureLoss loss(Normalise normalise, double outlierStd) {
        return new FeatureLoss(
                "student",
                "teacher",
                LayerMap.of(MAP, STUDENT, TEACHER),
                STUDENT,
                TEACHER,
                LAYER_WEIGHTS,
                new FeatureDistance(normalise, outlierStd, SCALES),
                Init.of(1, Device.CPU));
    }

    /** (channels, side, side) averaged to another side. */
    private static double[] pooled(double[] x, int channels, int side, int to) {
        double[] y = new double[channels * to * to];
        int cell = side / to;
        for (int i = 0; i < x.length; i++) {
            int col = i % side / cell;
            int row = i / side % side / cell;
            y[(i / (side * side) * to + row) * to + col] += x[i] / (cell * cell);
        }
        return y;
    }

    /** Mean 0 and variance 1 over the channels of each place. */
    private static double[] normed(double[] x, int channels) {
        int places = x.length / channels;
        double[] y = new double[x.length];
        for (int place = 0; place < places; place++) {
            double[] column = new double[channels];
            for (int c = 0; c < channels; c++) {
                column[c] = x[c * places + place];
            }
            double[] normed = Plain.layerNorm(column, 1e-6);
            for (int c = 0; c < channels; c++) {
                y[c * places + place] = normed[c];
            }
        }
        return y;
    }

    private static double meanSquare(double[] x) {
        return Arrays.stream(x).map(v -> v * v).average().orElseThrow();
    }

    private static boolean inside(double[] x, int i, double std) {
        double mean = Arrays.stream(x).average().orElseThrow();
        return std == 0 || Math.abs(x[i] - mean) < std * Math.sqrt(meanSquare(Plain.each(x, v -> v - mean)));
    }

    private static double distance(double[] features, double[] ofTeacher, int channels, Normalise by, double std) {
        double[] s = by == Normalise.LAYER_NORM ? normed(features, channels) : features;
        double[] t = by == Normalise.LAYER_NORM ? normed(ofTeacher, channels) : ofTeacher;
        double[] difference = new double[s.length];
        double[] scale = new double[s.length];
        for (int i = 0; i < s.length; i++) {
            boolean counts = inside(s, i, std) && inside(t, i, std);
            difference[i] = counts ? s[i] - t[i] : 0;
            scale[i] = counts ? t[i] : 0;
        }
        double raw = meanSquare(difference);
        return by == Normalise.MEAN_SQUARE ? raw / (meanSquare(scale) + 1e-6) : raw;
    }

    private static double[] sample(double[] all, int index) {
        int size = all.length / SAMPLES;
        return Arrays.copyOfRange(all, index * size, (index + 1) * size);
    }

    /** The only pair of different widths. */
    private static double[] connected(double[] x, FeatureLoss loss, double[] bias) {
        Layer connector = loss.parts().get("connector.1-1");
        assertThat(loss.parts()).hasSize(1);
        assertThat(connector).isInstanceOf(Conv2d.class);
        try (NoGrad off = NoGrad.on()) {
            connector.parameters().get("bias").copy_(Plain.tensor(bias, bias.length));
        }
        double[] weight = Plain.values(connector.parameters().get("weight"));
        return Plain.conv(new Plain.Image(x, 10, 4, 4), weight, bias, 12, 1, 1, 0, 0)
                .values();
    }

    @ParameterizedTest
    @CsvSource({"NONE, 0", "MEAN_SQUARE, 0", "LAYER_NORM, 0", "NONE, 2", "MEAN_SQUARE, 1.5", "LAYER_NORM, 2"})
    void it_is_the_weighted_mean_over_layers_and_scales_of_what_maps_of_one_grid_differ_by(
            Normalise normalise, double outlierStd) {
        Map<String, double[]> ofStudent = features(STUDENT, 10);
        Map<String, double[]> ofTeacher = features(TEACHER, 90);
        try (Scope scope = Scope.open();
                Player student = told(STUDENT, 10).student(ProcessSpec.flow());
                Player teacher = told(TEACHER, 90).teacher(ProcessSpec.flow());
                FeatureLoss loss = loss(normalise, outlierStd)) {
            double[] middle = connected(ofStudent.get("mid_block"), loss, Plain.normal(5, 0.3, 12));
            double[] found = Plain.values(GivenPass.perSample(loss, batch(), student, teacher));
            for (int i = 0; i < SAMPLES; i++) {
                double expected = 0;
                for (Scale scale : SCALES) {
                    int outer = 8 / scale.cell();
                    int inner = 4 / scale.cell();
                    double first = distance(
                            pooled(sample(ofStudent.get("down_blocks.0"), i), 6, 8, outer),
                            pooled(sample(ofTeacher.get("down_blocks.0"), i), 6, 8, outer),
                            6,
                            normalise,
                            outlierStd);
                    double second = distance(
                            pooled(sample(middle, i), 12, 4, inner),
                            pooled(sample(ofTeacher.get("down_blocks.1"), i), 12, 8, inner),
                            12,
                            normalise,
                            outlierStd);
                    double third = distance(
                            pooled(sample(ofStudent.get("up_blocks.0"), i), 6, 8, outer),
                            pooled(sample(ofTeacher.get("end"), i), 6, 8, outer),
                            6,
                            normalise,
                            outlierStd);
                    expected += scale.weight() / 1.75 * (first + 2 * second + 0.5 * third) / 3.5;
                }
                assertThat(found[i]).isCloseTo(expected, within(1e-5 * expected));
            }
        }
    }

    @Test
    void tokens_and_maps_of_the_same_values_are_the_same() {
        Map<String, double[]> features = features(STUDENT, 10);
        try (Scope scope = Scope.open();
                Player teacher = told(TEACHER, 90).teacher(ProcessSpec.flow());
                Player maps = told(STUDENT, 10).student(ProcessSpec.flow());
                Player tokens = new Told(Told.spec(8, 4, 16, false), Tensors.zeros(Device.CPU, 1), rows(features))
                        .student(ProcessSpec.flow());
                FeatureLoss ofMaps = loss(Normalise.MEAN_SQUARE, 0);
                FeatureLoss ofTokens = new FeatureLoss(
                        "student",
                        "teacher",
                        LayerMap.of(MAP, STUDENT, TEACHER),
                        STUDENT.stream().map(MapFeatureLossTest::asTokens).toList(),
                        TEACHER,
                        LAYER_WEIGHTS,
                        new FeatureDistance(Normalise.MEAN_SQUARE, 0, SCALES),
                        Init.of(1, Device.CPU))) {
            try (NoGrad off = NoGrad.on()) {
                Tensor weight = ofMaps.parts().get("connector.1-1").parameters().get("weight");
                Tensor other =
                        ofTokens.parts().get("connector.1-1").parameters().get("weight");
                other.copy_(weight.view(12, 10));
            }
            assertThat(Plain.values(GivenPass.perSample(ofTokens, batch(), tokens, teacher)))
                    .containsExactly(Plain.values(GivenPass.perSample(ofMaps, batch(), maps, teacher)), within(1e-6));
        }
    }

    private static TapPoint asTokens(TapPoint map) {
        return new TapPoint(map.name(), map.channels(), map.rows(), map.cols(), TapPoint.Form.TOKENS);
    }

    private static Map<String, Tensor> rows(Map<String, double[]> features) {
        Map<String, Tensor> rows = new LinkedHashMap<>();
        tensors(features, STUDENT)
                .forEach((name, map) -> rows.put(name, Ops.contiguous(Ops.transpose(Ops.flatten(map, 2, -1), 1, 2))));
        return rows;
    }

    @Test
    void the_gradient_of_a_connector_is_the_difference_of_the_loss_over_a_small_step() {
        try (Scope scope = Scope.open();
                Player student = told(STUDENT, 10).student(ProcessSpec.flow());
                Player teacher = told(TEACHER, 90).teacher(ProcessSpec.flow());
                FeatureLoss loss = loss(Normalise.MEAN_SQUARE, 0)) {
            GivenPass pass = new GivenPass(batch(), loss.taps(), student, teacher);
            loss.perSample(pass).sum().backward();
            Tensor weight = loss.parts().get("connector.1-1").parameters().get("weight");
            Tensor gradient = weight.grad();
            double slope = Math.sqrt(Tensors.scalar(gradient.square().sum()));
            double step = 0.05 / slope;
            try (NoGrad off = NoGrad.on()) {
                Ops.addScaledInPlace(weight, gradient, step);
                double after = Tensors.scalar(loss.perSample(pass).sum());
                Ops.addScaledInPlace(weight, gradient, -2 * step);
                double before = Tensors.scalar(loss.perSample(pass).sum());
                assertThat((after - before) / (2 * 0.05)).isCloseTo(slope, within(1e-3 * slope));
            }
        }
    }

    @Test
    void a_scale_that_leaves_a_remainder_is_refused_with_both_places() {
        FeatureDistance distance = new FeatureDistance(Normalise.NONE, 0, List.of(new Scale(1, 1), new Scale(3, 1)));
        assertThatThrownBy(() -> distance.requireFit(STUDENT.get(1), TEACHER.get(1)))
                .hasMessageStartingWith(
                        "pyramid has 3, which does not divide the 4x4 places of mid_block and" + " down_blocks.1");
    }
}
