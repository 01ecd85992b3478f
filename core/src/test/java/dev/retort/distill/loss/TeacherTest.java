package dev.retort.distill.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Conditions;
import dev.retort.Plain;
import dev.retort.card.ConditionSpec;
import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.Part;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.data.DataSpec;
import dev.retort.data.Datasets;
import dev.retort.data.ImageSource;
import dev.retort.data.Loader;
import dev.retort.model.Condition;
import dev.retort.model.LabelConditioner;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Objective;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A teacher with guidance beside two plain forwards. */
class TeacherTest {
    private static final int COUNT = 6;
    private static final ImageSource SHAPES = Datasets.open(DataSpec.shapes(16));
    private static final int NONE = SHAPES.classNames().size();

    private Scope scope;

    @BeforeEach
    void begin() {
        scope = Scope.open();
    }

    @AfterEach
    void end() {
        scope.close();
    }

    private static Dit network(boolean learnSigma, double classDropout) {
        Dit dit = new Dit(
                new DitSpec(16, 16, 3, 4, 16, 2, 2, 2, NONE, classDropout, learnSigma, false), Init.of(1, Device.CPU));
        try (NoGrad off = NoGrad.on()) {
            Init init = Init.of(77, Device.CPU);
            dit.parameters().forEach((name, p) -> p.copy_(init.normal(name, 0.2, Tensors.shape(p))));
        }
        return dit;
    }

    private static Teacher teacher(Dit network, double guidance) {
        ModelCard card = ModelCard.of(
                network.spec(),
                ProcessSpec.flow(),
                SamplingSpec.of("flow-euler", 1, 1),
                SHAPES.classNames(),
                "",
                0,
                0,
                "",
                Map.of());
        return new Teacher(network, card, "", guidance, Precision.FP32);
    }

    /** Half of the labels are dropped. */
    private static NoisyBatch batch() {
        Objective objective = new Objective.Flow(0, 1, 1);
        try (Loader loader = new Loader(SHAPES, COUNT, 3, 0, false, 1, 1)) {
            return NoisyBatch.of(
                    loader.next(),
                    0,
                    COUNT,
                    5,
                    objective.process().noiseSchedule(),
                    objective.times(),
                    new LabelConditioner(ConditionSpec.ofClasses(NONE, true)),
                    0.5,
                    Device.CPU);
        }
    }

    private static double[] asked(Dit network, NoisyBatch batch, Condition condition, Taps taps) {
        try (NoGrad off = NoGrad.on()) {
            return Plain.values(network.forward(batch.noisy(), batch.time(), condition, taps));
        }
    }

    @ParameterizedTest
    @CsvSource({"0, false", "0.5, true", "2, false", "4, true"})
    void with_guidance_it_answers_beyond_what_it_says_without_a_class(double guidance, boolean learnSigma) {
        Dit network = network(learnSigma, 0.1);
        try (Teacher teacher = teacher(network, guidance)) {
            teacher.want("blocks.1");
            NoisyBatch batch = batch();
            Taps taps = Taps.of(List.of("blocks.1"));
            double[] with = asked(network, batch, batch.condition(), taps);
            int[] none = new int[COUNT];
            Arrays.fill(none, NONE);
            double[] without = asked(network, batch, Conditions.classes(none), Taps.none());
            double[] expected = new double[with.length];
            int channels = learnSigma ? 6 : 3;
            for (int i = 0; i < with.length; i++) {
                boolean variance = i / (16 * 16) % channels >= 3;
                expected[i] = variance ? with[i] : without[i] + guidance * (with[i] - without[i]);
            }
            Teacher.Answer answer = teacher.answer(batch);
            assertThat(Tensors.shape(answer.output())).containsExactly(COUNT, channels, 16, 16);
            assertThat(Plain.error(Plain.values(answer.output()), expected)).isLessThan(1e-5);
            assertThat(Plain.error(with, expected)).as("guidance matters").isGreaterThan(1e-2);
            assertThat(Plain.error(Plain.values(answer.taps().get("blocks.1")), Plain.values(taps.get("blocks.1"))))
                    .as("features are those with the class")
                    .isLessThan(1e-5);
            assertThat(answer.output().requires_grad()).isFalse();
        }
    }

    @Test
    void of_an_image_whose_label_was_dropped_it_answers_what_it_says_without_a_class_whatever_the_guidance() {
        Dit network = network(false, 0.1);
        try (Teacher plain = teacher(network, 1);
                Teacher guided = teacher(network, 3)) {
            NoisyBatch batch = batch();
            long[] labels = Tensors.longs(batch.condition().get(Part.LABEL));
            assertThat(labels).contains(NONE);
            assertThat(Arrays.stream(labels).filter(label -> label != NONE)).isNotEmpty();
            double[] one = Plain.values(plain.answer(batch).output());
            double[] three = Plain.values(guided.answer(batch).output());
            int each = one.length / COUNT;
            for (int i = 0; i < COUNT; i++) {
                double error = Plain.error(
                        Arrays.copyOfRange(three, i * each, (i + 1) * each),
                        Arrays.copyOfRange(one, i * each, (i + 1) * each));
                if (labels[i] == NONE) {
                    assertThat(error).isLessThan(1e-5);
                } else {
                    assertThat(error).isGreaterThan(1e-2);
                }
            }
        }
    }

    @Test
    void it_is_asked_once_for_each_batch() {
        Tensor answer = Tensors.zeros(Device.CPU, COUNT, 3, 16, 16);
        Told network = new Told(Told.spec(16, 4, 16, false), answer, Map.of());
        try (Teacher teacher = network.teacher(ProcessSpec.flow())) {
            NoisyBatch first = batch();
            teacher.answer(first);
            teacher.answer(first);
            assertThat(network.asked()).isEqualTo(1);
            teacher.answer(batch());
            assertThat(network.asked()).isEqualTo(2);
        }
    }

    @Test
    void guidance_of_a_teacher_that_always_saw_a_class_is_refused() {
        try (Dit network = network(false, 0)) {
            assertThatThrownBy(() -> teacher(network, 2)).hasMessageContaining("trained without label dropout");
            teacher(network, 1);
        }
    }
}
