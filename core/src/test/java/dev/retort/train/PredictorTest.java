package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Conditions;
import dev.retort.Plain;
import dev.retort.card.ConditionSpec;
import dev.retort.card.DitSpec;
import dev.retort.card.Part;
import dev.retort.card.ProcessSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.data.Batch;
import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.data.Loader;
import dev.retort.model.Answer;
import dev.retort.model.Condition;
import dev.retort.model.Conditioner;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Predictor;
import dev.retort.model.Question;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A network with guidance beside two plain forwards. */
class PredictorTest {
    private static final int COUNT = 6;
    private static final ImageSource SHAPES = DataConfig.shapes(16).open();
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

    private static Player teacher(Dit network, double guidance) {
        return Player.frozen(
                "teacher",
                Predictor.of(
                        network,
                        new LabelConditioner(network.spec().condition()),
                        ProcessSpec.flow(),
                        guidance,
                        Precision.FP32));
    }

    private static Question question(NoisyBatch batch) {
        return new Question(batch.noisy(), batch.times(), batch.condition(), Question.Gradient.NONE);
    }

    /** Half of the labels are dropped. */
    private static NoisyBatch batch() {
        Objective objective = new Objective.Flow(0, 1, 1);
        try (Loader loader = new Loader(SHAPES, COUNT, 3, 0, false, 1, 1)) {
            Batch batch = loader.next();
            Conditioner conditioner = new LabelConditioner(ConditionSpec.ofClasses(NONE, true));
            return NoisyBatch.of(
                    batch,
                    0,
                    COUNT,
                    5,
                    objective.process().noiseSchedule(),
                    objective.times(),
                    NoisyBatch.condition(batch, 0, COUNT, 5, conditioner, 0.5, Device.CPU),
                    Device.CPU);
        }
    }

    private static double[] asked(Dit network, NoisyBatch batch, Condition condition, Taps taps) {
        try (NoGrad off = NoGrad.on()) {
            return Plain.values(network.forward(batch.noisy(), Tensors.of(batch.times(), Device.CPU), condition, taps));
        }
    }

    @ParameterizedTest
    @CsvSource({"0, false", "0.5, true", "2, false", "4, true"})
    void with_guidance_it_answers_beyond_what_it_says_without_a_class(double guidance, boolean learnSigma) {
        Dit network = network(learnSigma, 0.1);
        try (Player teacher = teacher(network, guidance)) {
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
            Answer answer = teacher.ask(question(batch), Set.of("blocks.1"));
            assertThat(Tensors.shape(answer.output())).containsExactly(COUNT, channels, 16, 16);
            assertThat(Plain.error(Plain.values(answer.output()), expected)).isLessThan(1e-5);
            assertThat(Plain.error(with, expected)).as("guidance matters").isGreaterThan(1e-2);
            assertThat(Plain.error(Plain.values(answer.tap("blocks.1")), Plain.values(taps.get("blocks.1"))))
                    .as("features are those with the class")
                    .isLessThan(1e-5);
            assertThat(answer.output().requires_grad()).isFalse();
        }
    }

    @Test
    void of_an_image_whose_label_was_dropped_it_answers_what_it_says_without_a_class_whatever_the_guidance() {
        Dit network = network(false, 0.1);
        try (Player plain = teacher(network, 1);
                Player guided = teacher(network, 3)) {
            NoisyBatch batch = batch();
            long[] labels = Tensors.longs(batch.condition().get(Part.LABEL));
            assertThat(labels).contains(NONE);
            assertThat(Arrays.stream(labels).filter(label -> label != NONE)).isNotEmpty();
            double[] one = Plain.values(plain.ask(question(batch), Set.of()).output());
            double[] three = Plain.values(guided.ask(question(batch), Set.of()).output());
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
    void equal_questions_of_a_pass_are_asked_once_and_others_apart() {
        Tensor answer = Tensors.zeros(Device.CPU, COUNT, 3, 16, 16);
        Told network = new Told(Told.spec(16, 4, 16, false), answer, Map.of());
        try (Player teacher = network.teacher(ProcessSpec.flow())) {
            NoisyBatch batch = batch();
            Pass pass = new GivenPass(batch, Map.of(), network.student(ProcessSpec.flow()), teacher);
            Answer first = pass.ask("teacher");
            assertThat(pass.ask("teacher", question(batch))).isSameAs(first);
            assertThat(network.asked()).isEqualTo(1);
            double[] later = Arrays.stream(batch.times()).map(t -> t / 2).toArray();
            pass.ask("teacher", new Question(batch.noisy(), later, batch.condition(), Question.Gradient.NONE));
            pass.ask("teacher", new Question(batch.clean(), later, batch.condition(), Question.Gradient.NONE));
            pass.ask("teacher", pass.usual("teacher", Question.Gradient.THROUGH));
            assertThat(network.asked()).isEqualTo(4);
            pass.ask("student");
            assertThat(network.asked()).isEqualTo(5);
            assertThatThrownBy(() -> pass.ask("teacher", pass.usual("teacher", Question.Gradient.PARAMETERS)))
                    .hasMessageContaining("while student is trained");
        }
    }

    @Test
    void a_gradient_leads_to_the_images_alone_or_to_the_weights_as_well_or_nowhere() {
        OptimizerConfig any = new OptimizerConfig(1, "constant", 0, 0.9, 0.99, 1e-8, 0, 0);
        Dit network = network(false, 0.1);
        Predictor predictor = Predictor.of(
                network, new LabelConditioner(network.spec().condition()), ProcessSpec.flow(), Precision.FP32);
        try (Player critic = new Player("critic", predictor, new Player.Role.Learns(any))) {
            for (boolean recompute : new boolean[] {false, true}) {
                critic.recompute(recompute);
                NoisyBatch batch = batch();
                Tensor x = batch.noisy().set_requires_grad(true);
                for (Question.Gradient gradient : Question.Gradient.values()) {
                    Tensor output = critic.ask(new Question(x, batch.times(), batch.condition(), gradient), Set.of())
                            .output();
                    assertThat(output.requires_grad()).isEqualTo(gradient != Question.Gradient.NONE);
                    if (output.requires_grad()) {
                        output.square().sum().backward();
                        assertThat(Plain.values(x.grad())).isNotEqualTo(new double[COUNT * 3 * 256]);
                        assertThat(network.parameters().values())
                                .allMatch(
                                        p -> p.mutable_grad().defined() == (gradient == Question.Gradient.PARAMETERS));
                    }
                    network.parameters().values().forEach(p -> p.mutable_grad().reset());
                    x.mutable_grad().reset();
                }
            }
        }
    }

    @Test
    void weights_asked_without_a_gradient_first_still_get_theirs_in_bf16() {
        Dit network = network(false, 0.1);
        Predictor predictor = Predictor.of(
                network, new LabelConditioner(network.spec().condition()), ProcessSpec.flow(), Precision.BF16);
        NoisyBatch batch = batch();
        try (network;
                Autocast outer = Autocast.to(Precision.BF16, Device.CPU)) {
            for (Question.Gradient gradient : List.of(Question.Gradient.NONE, Question.Gradient.PARAMETERS)) {
                Tensor output = predictor
                        .ask(new Question(batch.noisy(), batch.times(), batch.condition(), gradient), Set.of())
                        .output();
                if (gradient == Question.Gradient.PARAMETERS) {
                    output.square().sum().backward();
                }
            }
            assertThat(network.parameters().values())
                    .allMatch(p -> p.mutable_grad().defined());
        }
    }

    @Test
    void a_tangent_is_the_derivative_along_a_direction() {
        Dit network = network(false, 0.1);
        Predictor predictor = Predictor.of(
                network, new LabelConditioner(network.spec().condition()), ProcessSpec.flow(), Precision.FP32);
        try (network) {
            NoisyBatch batch = batch();
            Tensor direction = Ops.mul(batch.noise().sub(batch.clean()), 1e-3);
            double[] time = new double[COUNT];
            Arrays.fill(time, 1);
            Question question = question(batch).along(new Question.Tangent(direction, time, 0.1));
            double[] found = Plain.values(predictor.ask(question, Set.of()).tangent());
            // the derivative of the sum of outputs times the tangent itself, by the backward pass through x alone
            Tensor x = batch.noisy().detach().set_requires_grad(true);
            Tensor probe = Plain.tensor(Plain.normal(3, 1, found.length), COUNT, 3, 16, 16);
            Question still = question(batch).along(new Question.Tangent(direction, new double[COUNT], 1));
            double[] alongX = Plain.values(predictor.ask(still, Set.of()).tangent());
            predictor
                    .ask(new Question(x, batch.times(), batch.condition(), Question.Gradient.THROUGH), Set.of())
                    .output()
                    .mul(probe)
                    .sum()
                    .backward();
            double expected = Tensors.scalar(x.grad().mul(direction).sum());
            double inner = 0;
            double[] probes = Plain.values(probe);
            for (int i = 0; i < probes.length; i++) {
                inner += probes[i] * alongX[i];
            }
            assertThat(inner).isCloseTo(expected, within(2e-3 * Math.abs(expected)));
            assertThat(Plain.error(found, alongX)).as("time matters").isGreaterThan(1e-3);
        }
    }

    @Test
    void a_scale_that_the_condition_says_of_each_image_takes_the_place_of_the_predictors_own() {
        NoisyBatch batch = batch();
        double[] scales = {1, 0, 2, 3.5, 4, 1.5};
        Question asked = new Question(
                batch.noisy(), batch.times(), batch.condition().with(Part.GUIDANCE, scales), Question.Gradient.NONE);
        Dit network = network(false, 0.1);
        try (Player teacher = teacher(network, 7)) {
            double[] found = Plain.values(teacher.ask(asked, Set.of()).output());
            int each = found.length / COUNT;
            for (int i = 0; i < COUNT; i++) {
                double[] alone = Plain.values(((Predictor) teacher.respondent())
                        .withGuidance(scales[i])
                        .ask(question(batch), Set.of())
                        .output());
                assertThat(Plain.error(
                                Arrays.copyOfRange(found, i * each, (i + 1) * each),
                                Arrays.copyOfRange(alone, i * each, (i + 1) * each)))
                        .as("image " + i)
                        .isLessThan(1e-5);
            }
        }
    }

    @Test
    void a_network_that_is_told_the_scale_is_asked_once_and_told_it() {
        NoisyBatch batch = batch();
        Dit network = new Dit(network(false, 0).spec().with(new ScalarInputs(true, 0)), Init.of(3, Device.CPU));
        try (NoGrad off = NoGrad.on()) {
            Init init = Init.of(77, Device.CPU);
            network.parameters().forEach((name, p) -> p.copy_(init.normal(name, 0.2, Tensors.shape(p))));
        }
        double[] twos = {2, 2, 2, 2, 2, 2};
        Condition told = Conditions.classes(0, 1, 2, 0, 1, 2);
        Question silent = new Question(batch.noisy(), batch.times(), told, Question.Gradient.NONE);
        try (Player guided = teacher(network, 2)) {
            double[] expected = asked(network, batch, told.with(Part.GUIDANCE, twos), Taps.none());
            assertThat(Plain.values(guided.ask(silent, Set.of()).output())).isEqualTo(expected);
            double[] threes = {3, 3, 3, 3, 3, 3};
            Question three = new Question(
                    batch.noisy(), batch.times(), told.with(Part.GUIDANCE, threes), Question.Gradient.NONE);
            assertThat(Plain.values(guided.ask(three, Set.of()).output()))
                    .isEqualTo(asked(network, batch, told.with(Part.GUIDANCE, threes), Taps.none()))
                    .isNotEqualTo(expected);
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
