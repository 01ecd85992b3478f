package dev.retort.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.SineModel;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.model.dit.Dit;
import dev.retort.pipeline.ImageCodec;
import dev.retort.report.Progress;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StartTest {
    private static final int SIZE = 4 * 8 * 8;

    private static float[] ramp() {
        float[] values = new float[SIZE];
        for (int i = 0; i < SIZE; i++) {
            values[i] = 2f * i / SIZE - 1;
        }
        return values;
    }

    private static ModelCard card(Dit dit, SamplingSpec spec) {
        return ModelCard.of(
                dit.spec(),
                ProcessSpec.of("linear", Prediction.EPSILON, 0),
                spec,
                Collections.nCopies(dit.spec().classes(), "a"),
                "shapes",
                0,
                1,
                "",
                Map.of());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"ddpm", "ddim", "pndm", "euler", "euler-ancestral", "heun", "dpmpp-2m", "dpmpp-3m", "unipc"})
    void every_solver_begins_at_the_picture_under_the_noise_of_its_step(String solver) {
        SamplingSpec spec = SamplingSpec.of(solver, 10, 1);
        try (Dit dit = SineModel.create();
                Scope scope = Scope.open()) {
            Plan plan = SamplingPlan.of(card(dit, spec), spec, 0.4);
            Plan whole = SamplingPlan.of(card(dit, spec), spec);
            assertThat(whole.times())
                    .endsWith(plan.times()[plan.times().length - 1])
                    .contains(plan.times()[0]);
            assertThat(plan.times()[0]).isBetween(200., 400.);
            Plan.Call call = plan.steps().get(0).call();
            Tensor noise = Tensors.full(0.5, dit.device(), 1, 4, 8, 8);
            float[] first = Tensors.floats(
                    new Start(ramp(), 0.4, Optional.empty()).first(plan, noise, (purpose, step) -> noise));
            double level = call.sigma() / call.alpha();
            for (int i = 0; i < SIZE; i++) {
                // the network's input is alpha x0 + sigma eps, whatever the coordinates of the plan
                assertThat(first[i] * call.inputScale() / call.alpha())
                        .isCloseTo(ramp()[i] + level * 0.5, within(1e-4));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ddim", "heun", "dpmpp-2m", "unipc"})
    void what_is_kept_comes_out_bit_for_bit_and_the_rest_is_drawn(String solver) {
        SamplingSpec spec = SamplingSpec.of(solver, 5, 1);
        try (Dit dit = SineModel.create()) {
            dit.freeze();
            float[] mask = new float[64];
            boolean[] redrawn = new boolean[64];
            for (int i = 0; i < 32; i++) {
                mask[i] = 1;
                redrawn[i] = true;
            }
            for (double strength : new double[] {0.6, 1}) {
                Start start = new Start(ramp(), strength, Optional.of(new Start.Kept(mask, ramp(), redrawn)));
                Sampler sampler = Sampling.sampler(dit, card(dit, spec), spec, Precision.FP32, Optional.of(start));
                try (Scope scope = Scope.open()) {
                    float[] drawn =
                            Tensors.floats(sampler.sample(new Prompts.Labels(new int[] {1, 2}), 3, new long[] {0, 1}));
                    for (int i = 0; i < drawn.length; i++) {
                        if (redrawn[i % 64]) {
                            assertThat(drawn[i]).isNotEqualTo(ramp()[i % SIZE]);
                        } else {
                            assertThat(drawn[i]).isEqualTo(ramp()[i % SIZE]);
                        }
                    }
                }
            }
        }
    }

    @Test
    void a_strength_that_leaves_no_step_or_nothing_of_the_picture_is_refused() {
        SamplingSpec spec = SamplingSpec.of("ddim", 4, 1);
        try (Dit dit = SineModel.create()) {
            assertThatThrownBy(() -> SamplingPlan.of(card(dit, spec), spec, 0.2))
                    .hasMessageContaining("strength is 0.2, which of 4 steps leaves none; give at least 0.25");
        }
        assertThatThrownBy(() -> new Start(ramp(), 1, Optional.empty())).hasMessageContaining("nothing of the picture");
        assertThatThrownBy(() -> new Start(ramp(), 0, Optional.empty())).hasMessageContaining("strength");
    }

    @Test
    void every_step_of_every_batch_is_told() {
        SamplingSpec spec = SamplingSpec.of("ddim", 3, 1);
        try (Dit dit = SineModel.create()) {
            dit.freeze();
            Sampler sampler = Sampling.sampler(dit, card(dit, spec), spec, Precision.FP32);
            StringBuilder told = new StringBuilder();
            new SampleJob(sampler, ImageCodec.pixels(dit.spec().shape()), 1, 2, 0, step -> told.append(step.first())
                            .append(step.index())
                            .append(' '))
                    .sample(new Prompts.Labels(new int[] {0, 1, 2}), Progress.NONE, (first, pixels, n) -> {});
            assertThat(told.toString()).isEqualTo("00 01 02 20 21 22 ");
        }
    }
}
