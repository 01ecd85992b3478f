package dev.retort.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.SineModel;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Prediction;
import dev.retort.model.LabelConditioner;
import dev.retort.model.dit.Dit;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A sample is a function of seed, index, class and settings; whatever is drawn beside it changes rounding at most. */
class BatchIndependenceTest {
    private static final int SIZE = 4 * 8 * 8;
    private static final ProcessSpec PROCESS = ProcessSpec.of("linear", Prediction.EPSILON, 1);

    @ParameterizedTest
    @ValueSource(strings = {"ddpm", "ddim", "unipc"})
    void a_sample_does_not_depend_on_the_batch_it_is_drawn_in(String solver) {
        SamplingSpec spec = SamplingSpec.of(solver, 6, 3);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = SineModel.create()) {
            Sampler sampler = new Sampler(
                    dit,
                    new LabelConditioner(dit.spec().condition()),
                    SamplingPlan.of(PROCESS.process(), spec, false),
                    spec.guidance(999),
                    Precision.FP32);
            float[] together = Tensors.floats(
                    sampler.sample(new Prompts.Labels(new int[] {4, 1, 9, 1, 0}), 11, new long[] {70, 7, 8, 9, 10}));
            float[] alone = Tensors.floats(sampler.sample(new Prompts.Labels(new int[] {9}), 11, new long[] {8}));
            float[] elsewhere =
                    Tensors.floats(sampler.sample(new Prompts.Labels(new int[] {2, 9}), 11, new long[] {3, 8}));
            float[] third = Arrays.copyOfRange(together, 2 * SIZE, 3 * SIZE);
            assertThat(alone).containsExactly(third, within(1e-4f));
            assertThat(Arrays.copyOfRange(elsewhere, SIZE, 2 * SIZE)).containsExactly(third, within(1e-4f));
            for (int i = 0; i < SIZE; i++) {
                assertThat(Math.abs(grey(alone[i]) - grey(third[i]))).isLessThanOrEqualTo(1);
            }
            float[] second = Arrays.copyOfRange(together, SIZE, 2 * SIZE);
            float[] fourth = Arrays.copyOfRange(together, 3 * SIZE, 4 * SIZE);
            assertThat(second).as("one class, two indices").isNotEqualTo(fourth);
            assertThat(Tensors.floats(sampler.sample(new Prompts.Labels(new int[] {9}), 12, new long[] {8})))
                    .as("another seed")
                    .isNotEqualTo(alone);
        }
    }

    @Test
    void drawing_again_gives_the_same_bits_and_any_batch_size_the_same_job() {
        SamplingSpec spec = SamplingSpec.of("ddim", 3, 2);
        try (Dit dit = SineModel.create()) {
            dit.freeze();
            Sampler sampler = new Sampler(
                    dit,
                    new LabelConditioner(dit.spec().condition()),
                    SamplingPlan.of(PROCESS.process(), spec, false),
                    spec.guidance(999),
                    Precision.FP32);
            int[] labels = {0, 1, 2, 3, 4, 5, 6};
            float[] whole = job(sampler, labels, 7);
            assertThat(job(sampler, labels, 7)).isEqualTo(whole);
            assertThat(job(sampler, labels, 3)).containsExactly(whole, within(1e-4f));
        }
    }

    private static float[] job(Sampler sampler, int[] labels, int batch) {
        float[] all = new float[labels.length * SIZE];
        new SampleJob(sampler, 5, batch)
                .sample(
                        new Prompts.Labels(labels),
                        (done, total, text) -> {},
                        (first, pixels, n) -> System.arraycopy(pixels, 0, all, first * SIZE, n * SIZE));
        return all;
    }

    private static int grey(float value) {
        return Math.round(Math.max(0, Math.min(255, 127.5f * value + 127.5f)));
    }
}
