package dev.retort.distill.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Conditions;
import dev.retort.Plain;
import dev.retort.card.DitSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.model.LayerMap;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
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

/** The feature loss beside its definition, written out in double over plain arrays. */
class FeatureLossTest {
    private static final int SAMPLES = 3;
    private static final int SIZE = 16;
    private static final List<LayerMap.Pair> MAP = List.of(new LayerMap.Pair(0, 1), new LayerMap.Pair(2, 3));

    /** Features of a few blocks (SAMPLES, tokens, width), with some values far from the others. */
    private static Map<String, double[]> features(DitSpec spec, long seed) {
        Map<String, double[]> features = new LinkedHashMap<>();
        for (int block = 0; block < spec.depth(); block++) {
            double[] values = Plain.normal(seed + block, 1 + block, SAMPLES * spec.tokens() * spec.hidden());
            for (int i = 0; i < values.length; i += 37) {
                values[i] = (float) (values[i] * 6);
            }
            features.put("blocks." + block, values);
        }
        return features;
    }

    private static Map<String, Tensor> tensors(Map<String, double[]> features, DitSpec spec) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        features.forEach((name, values) -> tensors.put(
                name,
                Plain.tensor(values, SAMPLES, spec.tokens(), spec.hidden()).set_requires_grad(true)));
        return tensors;
    }

    private static NoisyBatch batch() {
        Tensor image = Tensors.zeros(Device.CPU, SAMPLES, 3, SIZE, SIZE);
        Tensor column = Tensors.full(0.5, Device.CPU, SAMPLES, 1, 1, 1);
        int[] labels = new int[SAMPLES];
        return NoisyBatch.of(image, image, new double[] {500, 500, 500}, column, column, Conditions.classes(labels));
    }

    private static double meanSquare(double[] x) {
        return Arrays.stream(x).map(v -> v * v).average().orElseThrow();
    }

    /** (tokens, width) of one sample, its tokens averaged over cells of the coarser grid. */
    private static double[] pooled(double[] x, int patch, int coarser, int width) {
        int side = SIZE / patch;
        int to = SIZE / coarser;
        int cell = side / to;
        double[] y = new double[to * to * width];
        for (int i = 0; i < x.length; i++) {
            int token = i / width;
            int at = token / side / cell * to + token % side / cell;
            y[at * width + i % width] += x[i] / (cell * cell);
        }
        return y;
    }

    /** Which values are within so many standard deviations of the mean of all. */
    private static boolean[] inside(double[] x, double std) {
        double mean = Arrays.stream(x).average().orElseThrow();
        double deviation = Math.sqrt(meanSquare(Plain.each(x, v -> v - mean)));
        boolean[] inside = new boolean[x.length];
        for (int i = 0; i < x.length; i++) {
            inside[i] = Math.abs(x[i] - mean) < std * deviation;
        }
        return inside;
    }

    private static double distance(double[] s, double[] t, boolean normalise, double outlierStd) {
        double[] difference = new double[s.length];
        double[] scale = t.clone();
        boolean[] ofS = inside(s, outlierStd);
        boolean[] ofT = inside(t, outlierStd);
        int left = 0;
        for (int i = 0; i < s.length; i++) {
            boolean counts = outlierStd == 0 || ofS[i] && ofT[i];
            difference[i] = counts ? s[i] - t[i] : 0;
            scale[i] = counts ? t[i] : 0;
            left += counts ? 0 : 1;
        }
        assertThat(left > 0).as("values are left out").isEqualTo(outlierStd > 0);
        return normalise ? meanSquare(difference) / (meanSquare(scale) + 1e-6) : meanSquare(difference);
    }

    private static double[] sample(double[] all, int index) {
        int size = all.length / SAMPLES;
        return Arrays.copyOfRange(all, index * size, (index + 1) * size);
    }

    @ParameterizedTest
    @CsvSource({
        // patch and width of the student, of the teacher, normalise, outlierStd
        "4, 16, 4, 16, false, 0",
        "4, 16, 4, 16, true, 0",
        "4, 16, 4, 16, false, 2",
        "4, 16, 4, 16, true, 2",
        "4, 12, 4, 16, false, 0",
        "4, 12, 4, 16, true, 1.5",
        "4, 16, 2, 16, false, 0",
        "2, 12, 4, 16, true, 2",
        "4, 12, 2, 16, true, 2",
    })
    void it_is_the_mean_over_layers_of_a_masked_normalised_mean_square(
            int patch, int width, int patchOfTeacher, int widthOfTeacher, boolean normalise, double outlierStd) {
        DitSpec student = Told.spec(SIZE, patch, width, false);
        DitSpec teacherSpec = Told.spec(SIZE, patchOfTeacher, widthOfTeacher, false);
        Map<String, double[]> studentFeatures = features(student, 10);
        Map<String, double[]> teacherFeatures = features(teacherSpec, 90);
        try (Scope scope = Scope.open();
                Player learns = new Told(student, Tensors.zeros(Device.CPU, 1), tensors(studentFeatures, student))
                        .student(ProcessSpec.flow());
                Player teacher = new Told(
                                teacherSpec, Tensors.zeros(Device.CPU, 1), tensors(teacherFeatures, teacherSpec))
                        .teacher(ProcessSpec.flow());
                FeatureLoss loss = loss(student, teacherSpec, normalise, outlierStd)) {
            assertThat(loss.taps().get("student")).containsExactly("blocks.0", "blocks.2");
            assertThat(parameters(loss)).hasSize(width == widthOfTeacher ? 0 : 4);
            double[] expected = new double[SAMPLES];
            for (LayerMap.Pair pair : MAP) {
                String connector = "connector." + pair.student() + "-" + pair.teacher();
                double[] s = studentFeatures.get("blocks." + pair.student());
                if (width != widthOfTeacher) {
                    double[] bias = Plain.normal(pair.student(), 0.3, widthOfTeacher);
                    set(parameters(loss).get(connector + ".bias"), bias);
                    double[] weight = Plain.values(parameters(loss).get(connector + ".weight"));
                    s = Plain.linear(s, weight, bias, widthOfTeacher);
                }
                int coarser = Math.max(patch, patchOfTeacher);
                for (int i = 0; i < SAMPLES; i++) {
                    double[] t = sample(teacherFeatures.get("blocks." + pair.teacher()), i);
                    expected[i] += distance(
                                    pooled(sample(s, i), patch, coarser, widthOfTeacher),
                                    pooled(t, patchOfTeacher, coarser, widthOfTeacher),
                                    normalise,
                                    outlierStd)
                            / MAP.size();
                }
            }
            double[] found = Plain.values(GivenPass.perSample(loss, batch(), learns, teacher));
            for (int i = 0; i < SAMPLES; i++) {
                assertThat(found[i]).isCloseTo(expected[i], within(1e-5 * expected[i]));
            }
        }
    }

    private static FeatureLoss loss(DitSpec student, DitSpec teacherSpec, boolean normalise, double outlierStd) {
        return new FeatureLoss(
                "student",
                "teacher",
                MAP,
                student.taps(),
                teacherSpec.taps(),
                Map.of(),
                FeatureDistance.plain(
                        normalise ? FeatureDistance.Normalise.MEAN_SQUARE : FeatureDistance.Normalise.NONE, outlierStd),
                Init.of(1, Device.CPU));
    }

    private static Map<String, Tensor> parameters(FeatureLoss loss) {
        Map<String, Tensor> all = new LinkedHashMap<>();
        loss.parts().forEach((part, layer) -> layer.parameters().forEach((of, p) -> all.put(part + "." + of, p)));
        return all;
    }

    private static void set(Tensor parameter, double[] values) {
        try (NoGrad off = NoGrad.on()) {
            parameter.copy_(Plain.tensor(values, values.length));
        }
    }

    @Test
    void gradients_reach_the_student_and_the_connectors_but_not_the_teacher() {
        DitSpec student = Told.spec(SIZE, 4, 12, false);
        DitSpec teacherSpec = Told.spec(SIZE, 4, 16, false);
        try (Scope scope = Scope.open()) {
            Map<String, Tensor> teacherFeatures = new LinkedHashMap<>();
            tensors(features(teacherSpec, 90), teacherSpec)
                    .forEach((name, tensor) -> teacherFeatures.put(name, tensor.detach()));
            Map<String, Tensor> studentFeatures = tensors(features(student, 10), student);
            Told network = new Told(teacherSpec, Tensors.zeros(Device.CPU, 1), teacherFeatures);
            try (Player learns = new Told(student, Tensors.zeros(Device.CPU, 1), studentFeatures)
                            .student(ProcessSpec.flow());
                    Player teacher = network.teacher(ProcessSpec.flow());
                    FeatureLoss loss = loss(student, teacherSpec, true, 2);
                    FeatureLoss other = loss(student, teacherSpec, false, 0)) {
                GivenPass pass = new GivenPass(batch(), loss.taps(), learns, teacher);
                loss.perSample(pass).sum().backward();
                assertThat(Plain.values(studentFeatures.get("blocks.2").grad()))
                        .isNotEqualTo(new double[SAMPLES * 16 * 12]);
                assertThat(studentFeatures.get("blocks.1").grad().defined()).isFalse();
                assertThat(parameters(loss).values())
                        .allMatch(connector -> connector.grad().defined());
                assertThat(parameters(other).values())
                        .noneMatch(connector -> connector.grad().defined());
                other.perSample(pass);
                assertThat(network.asked()).isEqualTo(1);
            }
        }
    }
}
