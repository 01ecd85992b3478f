package dev.retort.model.dit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Conditions;
import dev.retort.Plain;
import dev.retort.card.DitSpec;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.Heads;
import dev.retort.diffusion.Prediction;
import dev.retort.model.Answer;
import dev.retort.model.Denoiser;
import dev.retort.model.FusedOutputs;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Moment;
import dev.retort.model.Predictor;
import dev.retort.model.Question;
import dev.retort.model.Request;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.pipeline.Architectures;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A network of several heads: what a cut makes of its teacher's, and what becomes of them when some are made one. */
class SeveralOutputsTest {
    private static final DitSpec ONE = new DitSpec(8, 8, 3, 2, 48, 2, 3, 4, 5, 0.1, false, false);
    private static final DitSpec MANY = ONE.withOutputs(6);
    private static final int COUNT = 3;
    private static final int SIZE = 3 * 64;
    private static final double[] TIMES = {3.5, 310, 990};

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
        return Plain.tensor(Plain.normal(2, 1, COUNT * SIZE), COUNT, 3, 8, 8);
    }

    /** What each head says, of all images. */
    private static double[][] said(Dit dit) {
        Tensor output = dit.forward(x(), Tensors.of(TIMES, Device.CPU), Conditions.classes(0, 5, 2), Taps.none());
        double[][] heads = new double[dit.spec().outputs()][];
        for (int head = 0; head < heads.length; head++) {
            heads[head] = Plain.values(output.narrow(1, 3L * head, 3).contiguous());
        }
        return heads;
    }

    @Test
    void each_head_of_a_cut_begins_as_the_teachers_that_speaks_of_its_part_of_the_way() {
        try (Dit teacher = network(ONE);
                Dit student = new Dit(MANY, Init.of(9, Device.CPU))) {
            Cut.apply(teacher, student);
            for (double[] head : said(student)) {
                assertThat(Plain.error(head, said(teacher)[0])).isLessThan(1e-6);
            }
        }
        try (Dit two = network(ONE.withOutputs(2));
                Dit six = new Dit(MANY, Init.of(9, Device.CPU))) {
            Cut.apply(two, six);
            for (int head = 0; head < 6; head++) {
                assertThat(Plain.error(said(six)[head], said(two)[head / 3])).isLessThan(1e-6);
                assertThat(Plain.error(said(six)[head], said(two)[1 - head / 3]))
                        .isGreaterThan(1e-2);
            }
        }
    }

    @Test
    void what_has_no_such_heads_is_refused_by_name() {
        assertThatThrownBy(() -> Cut.requireFit(ONE.withOutputs(4), MANY))
                .hasMessageContaining("a multiple of the teacher's outputs, 4; this one has 6");
        DitSpec varied = new DitSpec(8, 8, 3, 2, 48, 2, 3, 4, 5, 0.1, true, false);
        assertThatThrownBy(() -> Cut.requireFit(varied, MANY)).hasMessageContaining("without a learned variance");
        assertThatThrownBy(() -> varied.withOutputs(2))
                .hasMessage("outputs is 2, expected 1 where a variance is learned");
    }

    @Test
    void heads_that_are_read_in_one_sum_become_one_head_that_says_the_sum() {
        List<Heads> sums = List.of(new Heads(0, List.of(0.5, 0.3, 0.2)), new Heads(3, List.of(0.6, 0.25, 0.15)));
        try (Dit many = network(MANY);
                Dit two = new Dit(ONE.withOutputs(2), Init.blank(Device.CPU))) {
            double[][] before = said(many);
            Map<String, Tensor> fused =
                    FusedOutputs.of(MANY, "final_layer.linear", MANY.patch() * MANY.patch(), many.state(), sums);
            assertThat(two.load(fused)).isEmpty();
            double[][] after = said(two);
            for (int head = 0; head < 2; head++) {
                double[] sum = new double[COUNT * SIZE];
                for (int each = 0; each < 6; each++) {
                    for (int i = 0; i < sum.length; i++) {
                        sum[i] += sums.get(head).factor(each) * before[each][i];
                    }
                }
                assertThat(Plain.error(after[head], sum)).isLessThan(1e-6);
            }
        }
    }

    @Test
    void an_answer_is_read_head_by_head_and_packed_the_network_says_the_same() {
        try (Dit many = network(MANY);
                Denoiser packed = Architectures.pack(many, Precision.FP32)) {
            Predictor predictor = new Predictor(
                    many,
                    new LabelConditioner(MANY.condition()),
                    new FlowLinear(1000),
                    Prediction.FLOW,
                    1,
                    Precision.FP32);
            Answer answer = predictor.ask(
                    new Question(x(), TIMES, Conditions.classes(0, 5, 2), Question.Gradient.NONE), Set.of());
            for (int head = 0; head < 6; head++) {
                assertThat(Plain.values(answer.head(head).as(Prediction.FLOW).contiguous()))
                        .isEqualTo(said(many)[head]);
            }
            assertThat(answer.hasVariance()).isFalse();
            assertThatThrownBy(() -> answer.as(Prediction.X0)).hasMessageContaining("has 6 outputs");
            double[] guided = Plain.values(predictor
                    .withGuidance(2)
                    .ask(new Question(x(), TIMES, Conditions.classes(0, 1, 2), Question.Gradient.NONE), Set.of())
                    .head(5)
                    .as(Prediction.FLOW)
                    .contiguous());
            assertThat(Plain.error(guided, said(many)[5]))
                    .as("the last is guided too")
                    .isGreaterThan(1e-2);
            try (Request request = packed.open(List.of(new Moment(310, Map.of())), Conditions.classes(0, 5, 2))) {
                double[] once = Plain.values(request.call(0, x()));
                double[] plain = Plain.values(many.forward(
                        x(),
                        Tensors.of(new double[] {310, 310, 310}, Device.CPU),
                        Conditions.classes(0, 5, 2),
                        Taps.none()));
                assertThat(Plain.error(once, plain)).isLessThan(1e-5);
            }
        }
    }
}
