package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Conditions;
import dev.retort.ReferenceCase;
import dev.retort.card.DitSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Respacing;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Predictor;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Losses, gradients, optimiser steps and moving averages of the reference case {@code dit-training}. */
@Tag("kernels")
class DitTrainingParityTest {
    private static final DitSpec SPEC = new DitSpec(8, 8, 4, 2, 32, 2, 2, 4, 5, 0.1, true, false);
    private static final Objective PAPER = new Objective.Ddpm(ProcessSpec.ddpm(), true, 0);
    /** Updates after which a decay has stopped warming up; the reference knows no warm-up. */
    private static final long WARMED_UP = 1_000_000_000;

    @Test
    void loss_terms_and_gradients_equal_the_reference() {
        ReferenceCase reference = ReferenceCase.open("dit-training");
        try (Scope scope = Scope.open();
                Dit dit = reference.load(new Dit(SPEC, Init.of(0, Device.CPU)), "weights.safetensors")) {
            Map<String, Tensor> file = reference.tensors("loss.safetensors");
            NoisyBatch batch = noised(
                    PAPER.process().noiseSchedule(), file.get("x0"), file.get("noise"), file.get("t"), file.get("y"));
            Pass pass = new GivenPass(batch, Map.of(), player(dit));
            Tensor loss = new DiffusionLoss(PAPER).perSample(pass);

            reference.check("loss.safetensors", "x_t", batch.noisy());
            reference.check("loss.safetensors", "mse", mse(PAPER).perSample(pass));
            reference.check("loss.safetensors", "vb", bound(PAPER).perSample(pass.ask("model"), batch));
            reference.check("loss.safetensors", "loss", loss);

            loss.mean().backward();
            Map<String, Tensor> parameters = dit.parameters();
            assertThat(file.keySet().stream().filter(name -> name.startsWith("grad.")))
                    .containsExactlyInAnyOrderElementsOf(
                            parameters.keySet().stream().map("grad."::concat).toList());
            parameters.forEach((name, p) -> reference.check("loss.safetensors", "grad." + name, p.grad()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"run-a", "run-b"})
    void five_optimiser_steps_with_moving_averages_equal_the_reference(String run) {
        ReferenceCase reference = ReferenceCase.open("dit-training");
        JsonNode settings = reference.setting("config").get("runs").get(run);
        OptimizerConfig config = new OptimizerConfig(
                settings.get("lr").asDouble(),
                "constant",
                0,
                settings.get("betas").get(0).asDouble(),
                settings.get("betas").get(1).asDouble(),
                settings.get("eps").asDouble(),
                settings.get("weight_decay").asDouble(),
                settings.get("clip").asDouble(0));
        try (Scope scope = Scope.open();
                Dit dit = reference.load(new Dit(SPEC, Init.of(0, Device.CPU)), "weights.safetensors");
                AdamW optimizer = new AdamW(dit.parameters(), config)) {
            Map<String, Tensor> batches = reference.tensors("batches.safetensors");
            Map<String, Ema> averages = new LinkedHashMap<>();
            settings.get("ema").forEach(d -> averages.put(d.asString(), new Ema(d.asDouble(), dit::state)));
            Map<String, List<Double>> seen = new LinkedHashMap<>();
            List.of("loss", "mse", "vb", "grad_norm").forEach(name -> seen.put(name, new ArrayList<>()));
            for (int k = 0; k < 5; k++) {
                NoisyBatch batch = noised(
                        PAPER.process().noiseSchedule(),
                        batches.get("x0").select(0, k),
                        batches.get("noise").select(0, k),
                        batches.get("t").select(0, k),
                        batches.get("y").select(0, k));
                Pass pass = new GivenPass(batch, Map.of(), player(dit));
                Tensor loss = new DiffusionLoss(PAPER).perSample(pass).mean();
                seen.get("loss").add(Tensors.scalar(loss));
                seen.get("mse").add(Tensors.scalar(mse(PAPER).perSample(pass).mean()));
                seen.get("vb")
                        .add(Tensors.scalar(
                                bound(PAPER).perSample(pass.ask("model"), batch).mean()));
                loss.backward();
                seen.get("grad_norm").add(optimizer.clip());
                optimizer.step(config.rate(5L * k, 25));
                optimizer.dropGradients();
                averages.values().forEach(ema -> ema.update(WARMED_UP));
            }
            String file = run + ".safetensors";
            seen.forEach((name, values) -> reference.check(
                    file,
                    name,
                    Tensors.of(values.stream().mapToDouble(Double::doubleValue).toArray(), Device.CPU)));
            checkParameters(reference, run, dit.state(), config.lr());
            averages.forEach((decay, ema) -> checkAll(reference, file, "ema" + decay + ".", ema.weights()));
            averages.values().forEach(Ema::close);
        }
    }

    /**
     * Where the first gradient of an element is rounding noise (1e-8 beside an eps of 1e-8), Adam's first step has any size
     * up to the learning rate. The reference lists these tensors; 99 % of their elements stay sharp.
     */
    private static void checkParameters(
            ReferenceCase reference, String run, Map<String, Tensor> state, double learningRate) {
        String file = run + ".safetensors";
        Map<String, Tensor> wanted = reference.tensors(file);
        JsonNode loose = reference.setting("loose_parameters").get(run);
        state.forEach((name, tensor) -> {
            JsonNode entry = reference.describe(file, "param." + name);
            boolean outliers = loose.has(name) && entry.has("abs_for_99_percent");
            double abs = outliers ? Math.max(learningRate, entry.get("abs").asDouble()) : Double.NaN;
            reference.check(run + ":param." + name, entry, wanted.get("param." + name), tensor, abs);
        });
    }

    private static void checkAll(ReferenceCase reference, String file, String prefix, Map<String, Tensor> state) {
        Map<String, Tensor> wanted = reference.tensors(file);
        assertThat(wanted.keySet().stream().filter(name -> name.startsWith(prefix)))
                .hasSize(state.size());
        state.forEach((name, tensor) -> reference.check(file, prefix + name, tensor));
    }

    /** Fixed network outputs under other schedules, predictions, variances and step counts. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "mse-learned",
                "fixed-small",
                "fixed-large",
                "cosine",
                "predict-x0",
                "kl-learned",
                "mse-learned-50",
                "rescaled-mse-learned-50"
            })
    void other_kinds_of_loss_equal_the_reference(String variant) {
        ReferenceCase reference = ReferenceCase.open("dit-training");
        String file = "variants.safetensors";
        Prediction prediction = variant.equals("predict-x0") ? Prediction.X0 : Prediction.EPSILON;
        ProcessSpec process = ProcessSpec.of(variant.equals("cosine") ? "cosine" : "linear", prediction, 0);
        boolean respaced = variant.endsWith("-50");
        NoiseSchedule schedule = respaced ? fifty() : process.noiseSchedule();
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Map<String, Tensor> variants = reference.tensors(file);
            Map<String, Tensor> input = reference.tensors("loss.safetensors");
            Tensor t = respaced ? variants.get("t_spaced") : input.get("t");
            NoisyBatch batch = noised(schedule, input.get("x0"), input.get("noise"), t, input.get("y"));
            Tensor output = variants.get("model_output");
            Told told = new Told(Told.spec(8, 4, 2, 16, true), output, Map.of());
            Pass pass = new GivenPass(batch, Map.of(), told.student(schedule, prediction));
            Tensor mse = mse(new Objective.Ddpm(process, false, 0)).perSample(pass);
            Tensor vb = new VariationalBound(schedule).perSample(pass.ask("student"), batch);
            switch (variant) {
                case "fixed-small", "fixed-large" -> {
                    reference.check(file, variant + ".mse", mse);
                    reference.check(file, variant + ".loss", mse);
                }
                // The value of the bound alone; its gradient to the mean is no objective of ours.
                case "kl-learned" -> reference.check(file, "kl-learned.loss", Ops.mul(vb, 1000));
                case "rescaled-mse-learned-50" -> {
                    reference.check(file, variant + ".vb", Ops.mul(vb, 50.0 / 1000));
                    reference.check(file, variant + ".loss", mse.add(Ops.mul(vb, 50.0 / 1000)));
                }
                default -> {
                    reference.check(file, variant + ".mse", mse);
                    reference.check(file, variant + ".vb", vb);
                    reference.check(file, variant + ".loss", mse.add(vb));
                }
            }
        }
    }

    /** The chain of 50 steps as a schedule of its own: the same noise levels, counted 0..49. */
    private static DiscreteSchedule fifty() {
        DiscreteSchedule linear = DiscreteSchedule.linear();
        int[] times = Respacing.times("50", 1000);
        double[] bar = new double[times.length];
        for (int i = 0; i < bar.length; i++) {
            bar[i] = linear.alphaBar(times[i]);
        }
        return DiscreteSchedule.ofAlphaBar("fifty", bar);
    }

    private static Loss mse(Objective objective) {
        return new DiffusionLoss(new Objective.Ddpm(objective.process(), false, 0));
    }

    private static VariationalBound bound(Objective objective) {
        return new VariationalBound(objective.process().noiseSchedule());
    }

    private static Player player(Dit dit) {
        Predictor predictor =
                Predictor.of(dit, new LabelConditioner(SPEC.condition()), PAPER.process(), Precision.FP32);
        OptimizerConfig any = new OptimizerConfig(1, "constant", 0, 0.9, 0.99, 1e-8, 0, 0);
        return new Player("model", predictor, new Player.Role.Learns(any));
    }

    static NoisyBatch noised(NoiseSchedule schedule, Tensor clean, Tensor noise, Tensor t, Tensor label) {
        long[] whole = Tensors.longs(t);
        double[] times = new double[whole.length];
        double[] alpha = new double[whole.length];
        double[] sigma = new double[whole.length];
        for (int i = 0; i < times.length; i++) {
            times[i] = whole[i];
            alpha[i] = schedule.alpha(times[i]);
            sigma[i] = schedule.sigma(times[i]);
        }
        return NoisyBatch.of(
                clean,
                noise,
                times,
                Tensors.of(alpha, Device.CPU).view(-1, 1, 1, 1),
                Tensors.of(sigma, Device.CPU).view(-1, 1, 1, 1),
                Conditions.classes(label));
    }
}
