package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.ReferenceCase;
import dev.retort.config.OneLine;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Decays, averages, learning rates and clipping of the reference case {@code optim}. */
class OptimParityTest {
    private static JsonNode curves(ReferenceCase reference) {
        return JsonMapper.shared()
                .readTree(reference.folder().resolve("curves.json").toFile());
    }

    /** The reference copies the weights at its first update, where our average starts: its update k is our k - 1. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            default | 0.9999 | inverse | 0
            decay0.999 | 0.999 | inverse | 0
            lcm0.95 | 0.95 | inverse | 0
            late | 0.9999 | inverse | 5
            warmup-2/3 | 0.9999 | power | 0
            warmup-3/4 | 0.9999 | power:power=0.75 | 0
            warmup-gamma10-after3 | 0.95 | power:scale=10 | 3
            """)
    void a_moving_average_that_warms_up_equals_the_reference(String name, double decay, String warmup, long delay) {
        ReferenceCase reference = ReferenceCase.open("optim");
        JsonNode decays = curves(reference).get("ema").get(name).get("decay_at_update");
        try (Scope scope = Scope.open()) {
            Tensor walk = reference.tensors("ema.safetensors").get("param_walk"); // (50, 6)
            Tensor weight = walk.select(0, 0).clone();
            Tensor[] seen = new Tensor[50];
            seen[0] = walk.select(0, 0).unsqueeze(0);
            EmaWarmup rise = OneLine.parse(EmaWarmup.class, warmup);
            try (Ema ema = new Ema(decay, rise, delay, () -> Map.of("w", weight))) {
                for (int k = 1; k < decays.size(); k++) {
                    assertThat(ema.decayAt(k)).isCloseTo(decays.get(k).asDouble(), within(1e-12));
                }
                for (int k = 1; k < 50; k++) {
                    weight.copy_(walk.select(0, k));
                    ema.update(k);
                    seen[k] = ema.weights().get("w").clone().unsqueeze(0);
                }
            }
            reference.check("ema.safetensors", "shadow." + name.replace('/', '_'), Ops.cat(0, seen));
        }
    }

    @Test
    void a_moving_average_has_the_usual_warm_up_a_delay_in_images_or_its_full_decay_at_once() {
        try (Scope scope = Scope.open()) {
            Map<String, Tensor> none = Map.of("w", Tensors.zeros(Device.CPU, 1));
            try (Ema usual = new EmaConfig(List.of(0.99)).average(0.99, 32, () -> none);
                    Ema late = new EmaConfig(List.of(0.99), new EmaWarmup.Inverse(), 65).average(0.99, 32, () -> none);
                    Ema constant =
                            new EmaConfig(List.of(0.99), new EmaWarmup.None(), 0).average(0.99, 32, () -> none)) {
                assertThat(usual.decayAt(0)).isEqualTo(0.1);
                assertThat(usual.decayAt(10_000)).isEqualTo(0.99);
                assertThat(late.decayAt(3)).isZero();
                assertThat(late.decayAt(4)).isEqualTo(2.0 / 11);
                assertThat(constant.decayAt(0)).isEqualTo(0.99);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            constant | constant | 0
            constant_with_warmup | constant | 10
            cosine | cosine | 10
            cosine-nowarmup | cosine | 0
            linear | linear | 10
            linear-nowarmup | linear | 0
            polynomial | polynomial:power=2,end=0.00005 | 10
            cosine_with_restarts | restarts:cycles=3 | 10
            """)
    void a_learning_rate_curve_equals_the_reference(String name, String schedule, int warmup) {
        JsonNode curve = curves(ReferenceCase.open("optim")).get("lr").get(name);
        OptimizerConfig config =
                new OptimizerConfig(curve.get("base_lr").asDouble(), schedule, warmup, 0.9, 0.99, 1e-8, 0, 0);
        JsonNode rates = curve.get("lr_used_at_step");
        for (int step = 0; step < rates.size(); step++) {
            assertThat(config.rate(step, 100))
                    .as(name + " step " + step)
                    .isCloseTo(rates.get(step).asDouble(), within(1e-12));
        }
    }

    @Test
    void a_rate_of_today_is_bit_for_bit_what_it_was() {
        OptimizerConfig cosine = new OptimizerConfig(2e-3, "cosine", 16, 0.9, 0.99, 1e-8, 0, 0);
        OptimizerConfig constant = new OptimizerConfig(2e-3, "constant", 16, 0.9, 0.99, 1e-8, 0, 0);
        for (long images = 0; images <= 400; images += 3) {
            double warm = Math.min(1, (double) images / 16);
            double progress = Math.min(1, (double) (images - 16) / (384 - 16));
            double falling = images <= 16 ? 2e-3 * warm : 2e-3 * 0.5 * (1 + Math.cos(Math.PI * progress));
            assertThat(cosine.rate(images, 384)).isEqualTo(falling);
            assertThat(constant.rate(images, 384)).isEqualTo(2e-3 * warm);
        }
    }

    @Test
    void clipping_by_the_joint_norm_equals_the_reference() {
        ReferenceCase reference = ReferenceCase.open("optim");
        for (int limit : new int[] {1, 100}) {
            try (Scope scope = Scope.open()) {
                Map<String, Tensor> file = reference.tensors("clip.safetensors");
                Map<String, Tensor> parameters = new LinkedHashMap<>();
                for (String name : new String[] {"a", "b"}) {
                    Tensor gradient = file.get("grad_" + name);
                    Tensor parameter =
                            Tensors.zeros(Device.CPU, Tensors.shape(gradient)).set_requires_grad(true);
                    parameter.mul(gradient).sum().backward();
                    parameters.put(name, parameter);
                }
                try (AdamW optimizer =
                        new AdamW(parameters, new OptimizerConfig(1, "constant", 0, 0.9, 0.99, 1e-8, 0, limit))) {
                    double norm = optimizer.clip();
                    reference.check("clip.safetensors", "norm_" + limit, Tensors.of(new double[] {norm}, Device.CPU));
                    parameters.forEach((name, parameter) ->
                            reference.check("clip.safetensors", "clipped_" + name + "_" + limit, parameter.grad()));
                }
            }
        }
    }
}
