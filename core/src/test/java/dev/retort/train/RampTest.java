package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Conditions;
import dev.retort.Plain;
import dev.retort.card.ProcessSpec;
import dev.retort.torch.Device;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RampTest {
    @ParameterizedTest
    @CsvSource({
        // half of a cosine's way is half way; a quarter of it is (1 - √½)/2
        "LINEAR, 0, 4",
        "LINEAR, 0.25, 3.25",
        "LINEAR, 1, 1",
        "COSINE, 0, 4",
        "COSINE, 0.25, 3.5606601717798212",
        "COSINE, 0.5, 2.5",
        "COSINE, 1, 1"
    })
    void it_is_a_pure_function_of_the_share_of_stage_or_run(Ramp.Curve curve, double share, double expected) {
        Ramp overStage = new Ramp(4, 1, curve, Ramp.Span.STAGE);
        Ramp overRun = new Ramp(4, 1, curve, Ramp.Span.RUN);
        for (int again = 0; again < 2; again++) {
            assertThat(overStage.at(new Clock(10, 1, share, 0.9))).isCloseTo(expected, within(1e-12));
            assertThat(overRun.at(new Clock(10, 1, 0.9, share))).isCloseTo(expected, within(1e-12));
        }
    }

    private static final class Constant implements Loss {
        @Override
        public String name() {
            return "constant";
        }

        @Override
        public Tensor perSample(Pass pass) {
            return Tensors.of(new double[] {1, 10}, Device.CPU);
        }
    }

    @Test
    void a_weight_over_the_noise_is_that_of_each_images_own_time() {
        try (Scope scope = Scope.open();
                Player student = new Told(Told.spec(4, 2, 16, false), Tensors.zeros(Device.CPU, 1), Map.of())
                        .student(ProcessSpec.flow())) {
            Tensor images = Plain.tensor(new double[96], 2, 3, 4, 4);
            NoisyBatch batch = NoisyBatch.of(
                    images,
                    images,
                    new double[] {250, 500},
                    ProcessSpec.flow().noiseSchedule(),
                    Conditions.classes(new int[2]));
            Pass asked = new GivenPass(batch, Map.of(), student) {
                @Override
                public Optional<double[]> places() {
                    return Optional.of(new double[] {0.25, 0.5});
                }
            };
            Loss loss = new Constant();
            Weighted weighted = new Weighted(loss, new Ramp(2, 0, Ramp.Curve.LINEAR, Ramp.Span.NOISE));
            assertThat(Tensors.scalar(weighted.term(loss.perSample(asked), asked, 4)))
                    .isCloseTo((1.5 * 1 + 1 * 10) / 4, within(1e-6));
            Pass other = new GivenPass(batch, Map.of(), student);
            assertThatThrownBy(() -> weighted.term(loss.perSample(other), other, 4))
                    .hasMessageContaining("constant did not ask at the usual times");
        }
    }
}
