package dev.retort.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Conditions;
import dev.retort.Plain;
import dev.retort.model.Question.Gradient;
import dev.retort.model.Question.Tangent;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/** Derivatives of a trained network along its own flow, by forward mode and by differences. */
class TrainedDerivativeTest {
    private static final int COUNT = 4;

    private static double[] derivative(Predictor predictor, Question question, Tensor velocity, double step) {
        double[] faster = new double[COUNT];
        Arrays.fill(faster, 1000);
        return Plain.values(predictor
                .ask(question.along(new Tangent(velocity, faster, step)), Set.of())
                .tangent());
    }

    @Test
    void forward_mode_agrees_with_a_short_difference_and_a_long_one_has_lost_the_fast_half_of_the_times_embedding() {
        try (Pipeline<Network> model = Models.load(Path.of("../zoo/fashion-student"), Device.CPU);
                Scope scope = Scope.open()) {
            Network network = model.network();
            Predictor predictor = Predictor.of(
                    network,
                    new LabelConditioner(network.spec().condition()),
                    model.card().process(),
                    Precision.FP32);
            Tensor x = Plain.tensor(Plain.normal(5, 1, COUNT * 784), COUNT, 1, 28, 28);
            Question question =
                    new Question(x, new double[] {950, 900, 850, 800}, Conditions.classes(0, 3, 7, 9), Gradient.NONE);
            Tensor velocity = predictor.ask(question, Set.of()).output();
            double[] exact = derivative(predictor, question, velocity, 0);
            double near = Plain.error(derivative(predictor, question, velocity, 3e-4), exact);
            double far = Plain.error(derivative(predictor, question, velocity, 5e-3), exact);
            assertThat(near).isLessThan(0.02);
            assertThat(far).isGreaterThan(0.5);
        }
    }
}
