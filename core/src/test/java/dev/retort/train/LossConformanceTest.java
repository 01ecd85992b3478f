package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.SineModel;
import dev.retort.card.ProcessSpec;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/** The paper's loss on sines against published numbers, without any file. */
class LossConformanceTest {
    @Test
    void the_papers_loss_gives_the_published_numbers() {
        NoiseSchedule schedule = ProcessSpec.ddpm().noiseSchedule();
        try (Scope scope = Scope.open()) {
            Tensor output =
                    Ops.cat(1, SineModel.wave(1, 0.07, 0.2, 4, 4, 8, 8), SineModel.wave(1, 0.05, 0.9, 4, 4, 8, 8));
            NoisyBatch batch = DitTrainingParityTest.noised(
                    schedule,
                    SineModel.wave(1, 0.11, 0, 4, 4, 8, 8),
                    SineModel.wave(Math.sqrt(2), 0.23, 0.5, 4, 4, 8, 8),
                    Tensors.of(new int[] {0, 1, 500, 999}, Device.CPU),
                    Tensors.of(new int[4], Device.CPU));
            assertThat(Tensors.floats(
                            batch.noisy().select(0, 2).select(0, 0).select(0, 0).narrow(0, 0, 3)))
                    .containsExactly(new float[] {-1.285951f, -1.088799f, -0.835644f}, within(1e-5f));

            float[] mse = Tensors.floats(GivenPass.perSample(
                    new DiffusionLoss(new Objective.Ddpm(ProcessSpec.ddpm(), false, 0)), batch, told(output)));
            assertThat(mse).containsExactly(new float[] {1.557421f, 1.433675f, 1.498708f, 1.499658f}, within(1e-5f));

            float[] both = Tensors.floats(GivenPass.perSample(
                    new DiffusionLoss(new Objective.Ddpm(ProcessSpec.ddpm(), true, 0)), batch, told(output)));
            float[] vb = new float[4];
            for (int i = 0; i < 4; i++) {
                vb[i] = both[i] - mse[i];
            }
            // Times 0 and 1 are badly conditioned: the logarithm of a difference of two nearly equal numbers.
            assertThat(new float[] {vb[0], vb[1]}).containsExactly(new float[] {2.873222f, 0.949169f}, within(5e-4f));
            assertThat(new float[] {vb[2], vb[3]}).containsExactly(new float[] {0.011918f, 0.022078f}, within(1e-5f));
        }
    }

    @Test
    void only_the_variance_channels_learn_from_the_bound() {
        NoiseSchedule schedule = ProcessSpec.ddpm().noiseSchedule();
        try (Scope scope = Scope.open()) {
            Tensor output = SineModel.wave(1, 0.07, 0.2, 2, 8, 8, 8).set_requires_grad(true);
            NoisyBatch batch = DitTrainingParityTest.noised(
                    schedule,
                    SineModel.wave(1, 0.11, 0, 2, 4, 8, 8),
                    SineModel.wave(Math.sqrt(2), 0.23, 0.5, 2, 4, 8, 8),
                    Tensors.of(new int[] {300, 700}, Device.CPU),
                    Tensors.of(new int[2], Device.CPU));
            new VariationalBound(schedule)
                    .perSample(new GivenPass(batch, Map.of(), told(output)).ask("student"), batch)
                    .sum()
                    .backward();
            assertThat(Tensors.floats(output.grad().narrow(1, 0, 4))).containsOnly(0f);
            assertThat(Tensors.floats(output.grad().narrow(1, 4, 4))).doesNotContain(0f);
        }
    }

    private static Player told(Tensor output) {
        return new Told(Told.spec(8, 4, 2, 16, true), output, Map.of()).student(ProcessSpec.ddpm());
    }
}
