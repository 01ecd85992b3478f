package dev.retort.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Conditions;
import dev.retort.SineModel;
import dev.retort.diffusion.Ddim;
import dev.retort.diffusion.Ddpm;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.NoiseScale;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.Respacing;
import dev.retort.diffusion.Solver;
import dev.retort.diffusion.TimeGrid;
import dev.retort.model.Predictor;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/** Guidance and single sampler steps on sines against published numbers, without any file. */
class SamplingConformanceTest {
    private static final int[] INDICES = {0, 1, 125, 249};
    private static final DiscreteSchedule TABLE = DiscreteSchedule.linear();

    @Test
    void guidance_on_three_channels_gives_the_published_numbers() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = SineModel.create()) {
            Tensor x = SineModel.wave(1, 0.1, 0, 2, 4, 8, 8).narrow(0, 0, 1);
            Tensor out = dit.forward(
                    Ops.cat(0, x, x),
                    Tensors.of(new float[] {503, 503}, Device.CPU, 2),
                    Conditions.classes(3, 10),
                    Taps.none());
            Tensor guided = Predictor.guided(out, 4, 3, 0);
            float[] means = Tensors.floats(guided.select(0, 0).flatten(1, -1).mean(new long[] {1}));
            assertThat(means)
                    .containsExactly(
                            new float[] {
                                -0.190019f,
                                0.052155f,
                                0.198043f,
                                -0.007851f,
                                -0.190276f,
                                -0.033597f,
                                0.187833f,
                                0.084673f
                            },
                            within(1e-5f));
        }
    }

    @Test
    void one_step_of_ddpm_and_ddim_gives_the_published_numbers() {
        double[] meanAbs = {0.639105, 0.635711, 0.661396, 0.660889};
        double[] ddimAbs = {0.639105, 0.636460, 0.657697, 0.662089};
        double[] x0Mean = {0.070352, -0.070402, 0.097247, -10.448515};
        double[] logVariance = {-9.286309, -8.375722, -3.011979, -2.557230};
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor state = SineModel.wave(1, 0.11, 0, 4, 4, 8, 8);
            Tensor output =
                    Ops.cat(1, SineModel.wave(1, 0.07, 0.2, 4, 4, 8, 8), SineModel.wave(1, 0.05, 0.9, 4, 4, 8, 8));
            for (int i = 0; i < 4; i++) {
                int row = i;
                Plan ddpm = step(new Ddpm(Ddpm.Variance.LEARNED_RANGE), INDICES[i]);
                PlanExecutor.Evaluation denoiser = (step, x) -> output.narrow(0, row, 1);
                Tensor none = Tensors.zeros(Device.CPU, 1, 4, 8, 8);
                PlanExecutor.run(ddpm, state.narrow(0, i, 1), denoiser, step -> none, (step, x0, next) -> {
                    assertThat(Tensors.scalar(next.abs().mean())).isCloseTo(meanAbs[row], within(1e-5));
                    assertThat(Tensors.scalar(x0.mean())).isCloseTo(x0Mean[row], within(1e-4));
                });
                Plan ddim = step(new Ddim(), INDICES[i]);
                PlanExecutor.run(ddim, state.narrow(0, i, 1), denoiser, step -> none, (step, x0, next) -> assertThat(
                                Tensors.scalar(next.abs().mean()))
                        .isCloseTo(ddimAbs[row], within(1e-5)));
                if (ddpm.steps().get(0).noise() instanceof NoiseScale.LearnedRange range) {
                    double sum = 0;
                    float[] v = Tensors.floats(output.narrow(0, i, 1).narrow(1, 4, 4));
                    for (float value : v) {
                        sum += 2 * Math.log(range.at(value));
                    }
                    assertThat(sum / v.length).isCloseTo(logVariance[i], within(1e-5));
                }
            }
        }
    }

    /** The step of the 250-step chain that starts at one of its indices. */
    private static Plan step(Solver solver, int index) {
        int[] chain = Respacing.times("250", 1000);
        TimeGrid.Point target = TABLE.point(index == 0 ? -1 : chain[index - 1]);
        return solver.plan(
                new Process(TABLE, Prediction.EPSILON),
                new TimeGrid("one step", List.of(TABLE.point(chain[index]), target)));
    }
}
