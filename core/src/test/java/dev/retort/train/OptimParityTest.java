package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.ReferenceCase;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.LinkedHashMap;
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
    @CsvSource({"default, 0.9999", "decay0.999, 0.999", "lcm0.95, 0.95"})
    void a_moving_average_that_warms_up_equals_the_reference(String name, double decay) {
        ReferenceCase reference = ReferenceCase.open("optim");
        JsonNode decays = curves(reference).get("ema").get(name).get("decay_at_update");
        for (int k = 1; k < decays.size(); k++) {
            assertThat(Ema.decayAt(decay, k)).isCloseTo(decays.get(k).asDouble(), within(1e-12));
        }
        try (Scope scope = Scope.open()) {
            Tensor walk = reference.tensors("ema.safetensors").get("param_walk"); // (50, 6)
            Tensor weight = walk.select(0, 0).clone();
            Tensor[] seen = new Tensor[50];
            seen[0] = walk.select(0, 0).unsqueeze(0);
            try (Ema ema = new Ema(decay, Map.of("w", weight))) {
                for (int k = 1; k < 50; k++) {
                    weight.copy_(walk.select(0, k));
                    ema.update(k);
                    seen[k] = ema.weights().get("w").clone().unsqueeze(0);
                }
            }
            reference.check("ema.safetensors", "shadow." + name, Ops.cat(0, seen));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "constant, constant, 0",
        "constant_with_warmup, constant, 10",
        "cosine, cosine, 10",
        "cosine-nowarmup, cosine, 0"
    })
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
