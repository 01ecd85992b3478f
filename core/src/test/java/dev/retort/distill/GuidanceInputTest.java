package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Conditions;
import dev.retort.Plain;
import dev.retort.card.DitSpec;
import dev.retort.card.GuidanceRange;
import dev.retort.card.ModelCard;
import dev.retort.card.Part;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.data.DataConfig;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Prediction;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Condition;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.model.Question;
import dev.retort.model.Weights;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.DitConfig;
import dev.retort.train.Objective;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A student that is told at which guidance its teacher would be asked. */
class GuidanceInputTest {
    private static final Objective FLOW = new Objective.Flow(0, 1, 1);
    private static final String SIZE = "2x32x2/4";
    private static final DataConfig SHAPES = new DataConfig.Shapes("train", 16, false);
    private static final int COUNT = 12;

    @TempDir
    static Path temp;

    private static Path teacher;

    /** Of random weights: what it says depends on the class as much as on the picture. */
    @BeforeAll
    static void a_teacher() {
        DitSpec spec = (DitSpec) new DitConfig(SIZE, 4, 0.2, false).spec("model", SHAPES.open(), false);
        teacher = temp.resolve("teacher");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = new Dit(spec, Init.of(1, Device.CPU))) {
            Init init = Init.of(77, Device.CPU);
            dit.parameters().forEach((name, p) -> p.copy_(init.normal(name, 0.12, Tensors.shape(p))));
            ModelCard card = ModelCard.of(
                    spec,
                    FLOW.process(),
                    SamplingSpec.of("flow-euler", 2, 1),
                    SHAPES.open().classNames(),
                    "shapes",
                    0,
                    1,
                    "",
                    Map.of());
            ModelFiles.save(teacher, card, Weights.writer(dit.state(), Dtype.F32));
        }
    }

    private static Recipe recipe(LossConfig loss) {
        return new Recipe(
                new TeacherConfig(teacher.toString(), "", 1, Optional.of(new GuidanceRange(1, 4))),
                new DitConfig(SIZE, 4, 0.2, false),
                new StudentStart.Cut(),
                FLOW,
                List.of(new StageConfig("all", 2400, List.of(loss))),
                DistillationTest.run(3e-3));
    }

    private static Path distil(Recipe recipe, String name) {
        return Distillation.run(recipe, temp.resolve(name), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    private static double[] velocity(Pipeline<Network> model, double guidance) {
        double[] scales = new double[COUNT];
        Arrays.fill(scales, guidance);
        Condition told = Conditions.classes(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3).with(Part.GUIDANCE, scales);
        double[] times = new double[COUNT];
        for (int i = 0; i < COUNT; i++) {
            times[i] = 1000 * (i + 0.5) / COUNT;
        }
        try (Scope scope = Scope.open()) {
            Network network = model.network();
            Predictor predictor = Predictor.of(
                    network,
                    new LabelConditioner(network.spec().condition()),
                    model.card().process(),
                    Precision.FP32);
            Question question = new Question(
                    Plain.tensor(Plain.normal(3, 1, COUNT * 3 * 256), COUNT, 3, 16, 16),
                    times,
                    told,
                    Question.Gradient.NONE);
            return Plain.values(predictor.ask(question, Set.of()).as(Prediction.FLOW));
        }
    }

    @Test
    void it_answers_at_each_scale_what_its_teacher_says_in_two_calls_and_samples_in_one_a_step() {
        Path student = distil(recipe(new LossConfig.Output(LossWeight.ONE, Prediction.FLOW)), "told");
        ModelCard card = Models.card(student);
        assertThat(card.network().scalars()).isEqualTo(new ScalarInputs(true, 0));
        try (Pipeline<Network> from = Models.load(teacher, Device.CPU);
                Pipeline<Network> to = Models.load(student, Device.CPU)) {
            for (double scale : new double[] {1.5, 4}) {
                double[] wanted = velocity(from, scale);
                double told = Plain.error(velocity(to, scale), wanted);
                double other = Plain.error(velocity(to, 5.5 - scale), wanted);
                assertThat(told).as("at " + scale).isLessThan(0.7 * other);
            }
            assertThat(card.trainedFor().guidanceInput()).contains(new GuidanceRange(1, 4));
            assertThatThrownBy(() ->
                            Sampling.sampler(to.network(), card, SamplingSpec.of("flow-euler", 2, 5), Precision.FP32))
                    .hasMessageContaining("guidance is 5.0, but the model was told scales from 1.0 to 4.0 alone");
            SamplingSpec guided = SamplingSpec.of("flow-euler", 2, 3);
            try (Scope scope = Scope.open()) {
                Prompts prompts = new Prompts.Labels(new int[] {1});
                assertThat(Plain.values(Sampling.sampler(to.network(), card, guided, Precision.FP32)
                                .sample(prompts, 1, new long[] {0})))
                        .isNotEqualTo(Plain.values(Sampling.sampler(
                                        to.network(), card, SamplingSpec.of("flow-euler", 2, 1), Precision.FP32)
                                .sample(prompts, 1, new long[] {0})));
            }
        }
    }

    @Test
    void what_is_not_taught_at_each_scale_is_refused_by_name() {
        assertThatThrownBy(() -> distil(recipe(new LossConfig.Diffusion(LossWeight.ONE)), "plain"))
                .hasMessageContaining("teacher.guidanceInput is given, but stages ask for diffusion");
        assertThatThrownBy(() -> new TeacherConfig("x", "", 2, Optional.of(new GuidanceRange(1, 4))))
                .hasMessageContaining("guidance is 2, expected 1");
        assertThatThrownBy(() -> new GuidanceRange(2, 1)).hasMessageContaining("to is 1, expected");
        assertThat(temp.resolve("plain")).doesNotExist();
    }
}
