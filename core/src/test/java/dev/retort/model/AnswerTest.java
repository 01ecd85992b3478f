package dev.retort.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Plain;
import dev.retort.card.ProcessSpec;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.torch.Scope;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One output read as every prediction, beside what a perfect network of each would have said. */
class AnswerTest {
    private static final int VALUES = 12;

    private static Tensor images(double[] values) {
        return Plain.tensor(values, 3, values.length / 12, 2, 2);
    }

    private static double[] noised(NoiseSchedule schedule, double[] times, double[] x0, double[] eps) {
        double[] x = new double[x0.length];
        for (int i = 0; i < x.length; i++) {
            double time = times[i / 4];
            x[i] = schedule.alpha(time) * x0[i] + schedule.sigma(time) * eps[i];
        }
        return x;
    }

    private static double[] perfect(
            Prediction prediction, NoiseSchedule schedule, double[] times, double[] x0, double[] eps) {
        double[] output = new double[x0.length];
        for (int i = 0; i < output.length; i++) {
            double alpha = schedule.alpha(times[i / 4]);
            double sigma = schedule.sigma(times[i / 4]);
            output[i] = prediction.targetFromX0(alpha, sigma) * x0[i] + prediction.targetFromEps(alpha, sigma) * eps[i];
        }
        return output;
    }

    @ParameterizedTest
    @EnumSource(Prediction.class)
    void an_output_of_any_kind_is_read_as_every_other(Prediction given) {
        double[] x0 = Plain.normal(1, 1, VALUES);
        double[] eps = Plain.normal(2, 1, VALUES);
        for (ProcessSpec process : new ProcessSpec[] {ProcessSpec.flow(), ProcessSpec.ddpm()}) {
            NoiseSchedule schedule = process.noiseSchedule();
            double[] times = {20, 400, 900};
            try (Scope scope = Scope.open()) {
                Tensor x = images(noised(schedule, times, x0, eps));
                Tensor output = images(perfect(given, schedule, times, x0, eps));
                Answer answer = new Answer(output, Map.of(), null, new Answer.Reading(x, times, schedule, given, 1));
                for (Prediction wanted : Prediction.values()) {
                    assertThat(Plain.error(Plain.values(answer.as(wanted)), perfect(wanted, schedule, times, x0, eps)))
                            .as(given + " as " + wanted)
                            .isLessThan(2e-5);
                }
                assertThat(answer.hasVariance()).isFalse();
                assertThatThrownBy(answer::variance).hasMessageContaining("learned no variance");
                assertThatThrownBy(() -> answer.tap("blocks.0")).hasMessageContaining("not asked for");
                assertThatThrownBy(answer::tangent).hasMessageContaining("Question.along");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Prediction.class)
    void channels_behind_the_prediction_are_a_variance(Prediction given) {
        double[] both = Plain.normal(5, 1, 2 * VALUES);
        NoiseSchedule schedule = ProcessSpec.ddpm().noiseSchedule();
        try (Scope scope = Scope.open()) {
            Tensor output = images(both); // (3, 2, 2, 2)
            Tensor x = images(Plain.normal(6, 1, VALUES));
            Answer answer = new Answer(
                    output, Map.of(), null, new Answer.Reading(x, new double[] {1, 2, 3}, schedule, given, 1));
            double[] found = Plain.values(answer.variance());
            double[] mean = Plain.values(answer.as(given));
            for (int i = 0; i < VALUES; i++) {
                assertThat(found[i]).isEqualTo(((both[i / 4 * 8 + 4 + i % 4] + 1) / 2), offset());
                assertThat(mean[i]).isEqualTo(both[i / 4 * 8 + i % 4], offset());
            }
        }
    }

    private static org.assertj.core.data.Offset<Double> offset() {
        return org.assertj.core.data.Offset.offset(1e-6);
    }
}
