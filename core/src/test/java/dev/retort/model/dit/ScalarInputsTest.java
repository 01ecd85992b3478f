package dev.retort.model.dit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Conditions;
import dev.retort.Plain;
import dev.retort.card.DitSpec;
import dev.retort.card.Part;
import dev.retort.card.ScalarInputs;
import dev.retort.diffusion.step.GuidanceEmbedding;
import dev.retort.layout.DitLayout;
import dev.retort.model.Condition;
import dev.retort.model.Moment;
import dev.retort.model.Request;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.pipeline.Architectures;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A network that is told a guidance scale and an end time beside time and class. */
class ScalarInputsTest {
    private static final DitSpec PLAIN = new DitSpec(8, 8, 1, 2, 48, 3, 3, 4, 5, 0.1, false, false);
    private static final ScalarInputs BOTH = new ScalarInputs(true, 1000);
    private static final int COUNT = 3;
    private static final double[] TIMES = {3.5, 310, 990};
    private static final double[] SCALES = {1, 2.5, 4};
    private static final double[] ENDS = {0, 200, 700};

    private Scope scope;
    private NoGrad off;

    @BeforeEach
    void begin() {
        scope = Scope.open();
        off = NoGrad.on();
    }

    @AfterEach
    void end() {
        off.close();
        scope.close();
    }

    private static Dit network(DitSpec spec) {
        Dit dit = new Dit(spec, Init.of(1, Device.CPU));
        DitParityTest.randomise(dit);
        return dit;
    }

    private static Tensor x() {
        return Plain.tensor(Plain.normal(2, 1, COUNT * 64), COUNT, 1, 8, 8);
    }

    private static Condition classes() {
        return Conditions.classes(0, 5, 2);
    }

    private static Condition told(double[] scales, double[] ends) {
        return classes().with(Part.GUIDANCE, scales).with(Part.END_TIME, ends);
    }

    private static double[] said(Dit dit, Condition condition) {
        return Plain.values(dit.forward(x(), Tensors.of(TIMES, Device.CPU), condition, Taps.none()));
    }

    @Test
    void a_student_cut_from_a_teacher_that_is_told_neither_says_the_same_at_first() {
        try (Dit teacher = network(PLAIN);
                Dit student = new Dit(PLAIN.with(BOTH), Init.of(9, Device.CPU))) {
            Cut.apply(teacher, student);
            assertThat(said(student, told(SCALES, ENDS))).isEqualTo(said(teacher, classes()));
            try (Dit grandchild = new Dit(student.spec(), Init.of(10, Device.CPU))) {
                DitParityTest.randomise(student);
                Cut.apply(student, grandchild);
                assertThat(Plain.error(said(grandchild, told(SCALES, ENDS)), said(student, told(SCALES, ENDS))))
                        .as("embedders that the teacher has are cut as all else is")
                        .isLessThan(1e-5);
            }
        }
    }

    @Test
    void a_student_that_is_told_less_than_its_teacher_is_no_cut_of_it() {
        DitSpec teacher = PLAIN.with(BOTH);
        assertThatThrownBy(() -> Cut.requireFit(teacher, PLAIN.with(new ScalarInputs(true, 0))))
                .hasMessageContaining("[GUIDANCE, END_TIME]")
                .hasMessageContaining("told [GUIDANCE]");
    }

    @Test
    void a_condition_that_says_no_number_means_no_guidance_and_the_time_itself() {
        try (Dit dit = network(PLAIN.with(BOTH))) {
            double[] silent = said(dit, classes());
            assertThat(silent).isEqualTo(said(dit, told(new double[] {1, 1, 1}, TIMES)));
            assertThat(Plain.error(said(dit, told(SCALES, TIMES)), silent)).isGreaterThan(1e-3);
            assertThat(Plain.error(said(dit, told(new double[] {1, 1, 1}, ENDS)), silent))
                    .isGreaterThan(1e-3);
        }
    }

    private static double[] embedded(Map<String, double[]> weights, String name, double[] features, int width) {
        double[] wide =
                Plain.linear(features, weights.get(name + "mlp.0.weight"), weights.get(name + "mlp.0.bias"), width);
        return Plain.linear(
                Plain.each(wide, Plain::silu),
                weights.get(name + "mlp.2.weight"),
                weights.get(name + "mlp.2.bias"),
                width);
    }

    @Test
    void each_number_adds_its_embedding_to_the_condition_as_the_formulas_say_in_double() {
        try (Dit dit = network(PLAIN.with(BOTH));
                Dit without = new Dit(PLAIN, Init.of(1, Device.CPU))) {
            Map<String, double[]> weights = new java.util.HashMap<>();
            dit.parameters().forEach((name, p) -> weights.put(name, Plain.values(p)));
            Map<String, Tensor> common = new java.util.LinkedHashMap<>(dit.state());
            common.keySet().retainAll(without.state().keySet());
            assertThat(without.load(common)).isEmpty();
            Taps with = Taps.of(List.of("condition"));
            Taps plain = Taps.of(List.of("condition"));
            Tensor times = Tensors.of(TIMES, Device.CPU);
            dit.forward(x(), times, told(SCALES, ENDS), with);
            without.forward(x(), times, classes(), plain);
            double[] found = Plain.values(with.get("condition").sub(plain.get("condition")));
            double[] expected = new double[found.length];
            for (int i = 0; i < COUNT; i++) {
                double[] features = new double[32];
                for (int k = 0; k < 16; k++) {
                    features[k] = Math.sin(Math.PI * (k + 1) * ENDS[i] / 1000);
                    features[16 + k] = Math.cos(Math.PI * (k + 1) * ENDS[i] / 1000);
                }
                double[] scale = embedded(weights, "w_embedder.", new GuidanceEmbedding(256).of(SCALES[i]), 48);
                double[] end = embedded(weights, "s_embedder.", features, 48);
                for (int d = 0; d < 48; d++) {
                    expected[48 * i + d] = scale[d] + end[d];
                }
            }
            assertThat(Plain.error(found, expected)).isLessThan(1e-3); // sines of some thousand radians in fp32
        }
    }

    /** The trap of the usual embedding of time: at a distance of 5 of 1000 its fast half has the wrong size and sign. */
    @Test
    void a_central_difference_by_the_end_time_is_the_derivative_and_one_by_the_time_is_not() {
        try (Dit dit = network(PLAIN.with(new ScalarInputs(false, 1000)))) {
            assertThat(errorOfDifference(dit, 5, false)).isLessThan(0.02);
            assertThat(errorOfDifference(dit, 5, true)).isGreaterThan(0.3);
        }
    }

    private static double errorOfDifference(Dit dit, double step, boolean byTime) {
        double fine = byTime ? 0.02 : 0.5;
        return Plain.error(slope(dit, step, byTime), slope(dit, fine, byTime));
    }

    private static double[] slope(Dit dit, double step, boolean byTime) {
        List<double[]> sides = new ArrayList<>();
        for (double by : new double[] {step, -step}) {
            Taps taps = Taps.of(List.of("condition"));
            Tensor time = Tensors.full(byTime ? 600 + by : 600, Device.CPU, COUNT);
            double end = byTime ? 300 : 300 + by;
            dit.forward(x(), time, classes().with(Part.END_TIME, new double[] {end, end, end}), taps);
            sides.add(Plain.values(taps.get("condition")));
        }
        double[] slope = new double[sides.get(0).length];
        for (int i = 0; i < slope.length; i++) {
            slope[i] = (sides.get(0)[i] - sides.get(1)[i]) / (2 * step);
        }
        return slope;
    }

    @Test
    void a_packed_request_tells_each_step_its_own_numbers() {
        List<Moment> moments = new ArrayList<>();
        for (int step = 0; step < 3; step++) {
            moments.add(new Moment(TIMES[step], Map.of(Part.GUIDANCE, SCALES[step], Part.END_TIME, ENDS[step])));
        }
        try (Dit dit = network(PLAIN.with(BOTH));
                Dit packed = (Dit) Architectures.pack(dit, Precision.FP32);
                Request table = packed.open(moments, classes());
                Request each = packed.open(
                        List.of(new Moment(TIMES[1], Map.of(Part.END_TIME, ENDS[1]))),
                        classes().with(Part.GUIDANCE, SCALES))) {
            for (int step = 0; step < 3; step++) {
                double[] expected = Plain.values(dit.forward(
                        x(),
                        Tensors.full(TIMES[step], Device.CPU, COUNT),
                        told(
                                new double[] {SCALES[step], SCALES[step], SCALES[step]},
                                new double[] {ENDS[step], ENDS[step], ENDS[step]}),
                        Taps.none()));
                assertThat(Plain.error(Plain.values(table.call(step, x())), expected))
                        .isLessThan(1e-5);
            }
            double[] expected = Plain.values(dit.forward(
                    x(),
                    Tensors.full(TIMES[1], Device.CPU, COUNT),
                    told(SCALES, new double[] {ENDS[1], ENDS[1], ENDS[1]}),
                    Taps.none()));
            assertThat(Plain.error(Plain.values(each.call(0, x())), expected)).isLessThan(1e-5);
        }
    }

    @Test
    void the_layout_names_all_that_the_network_has_and_other_programs_have_no_place_for_it() {
        DitSpec spec = PLAIN.with(BOTH);
        try (Dit dit = new Dit(spec, Init.blank(Device.CPU))) {
            Map<String, long[]> named = DitLayout.parameters(spec);
            assertThat(List.copyOf(named.keySet()))
                    .isEqualTo(List.copyOf(dit.state().keySet()));
            dit.state()
                    .forEach((name, p) -> assertThat(named.get(name)).as(name).isEqualTo(Tensors.shape(p)));
        }
    }
}
