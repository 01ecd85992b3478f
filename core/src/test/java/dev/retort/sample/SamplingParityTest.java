package dev.retort.sample;

import dev.retort.Conditions;
import dev.retort.ReferenceCase;
import dev.retort.card.DitSpec;
import dev.retort.diffusion.Clamp;
import dev.retort.diffusion.Ddim;
import dev.retort.diffusion.Ddpm;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.NoiseScale;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.Respacing;
import dev.retort.diffusion.Solver;
import dev.retort.diffusion.TimeGrid;
import dev.retort.model.Predictor;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Whole sampling loops of the reference case {@code dit-training}, step by step, on the noise it gives. */
@Tag("kernels")
class SamplingParityTest {
    private static final String FILE = "sampling.safetensors";
    private static final DitSpec SPEC = new DitSpec(8, 8, 4, 2, 32, 2, 2, 4, 5, 0.1, true, false);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ddpm",
                "ddpm-clip",
                "ddpm-ddimspacing",
                "ddpm-cfg",
                "ddim",
                "ddim-plainspacing",
                "ddim-eta",
                "ddim-clip",
                "ddim-cfg"
            })
    void a_sampling_loop_equals_the_reference_after_every_step(String id) {
        ReferenceCase reference = ReferenceCase.open("dit-training");
        JsonNode loop = null;
        for (JsonNode each : reference.setting("config").get("sampling")) {
            loop = each.get("id").asString().equals(id) ? each : loop;
        }
        boolean guided = !loop.get("cfg").isNull();
        Solver solver = loop.get("loop").asString().equals("ddim")
                ? new Ddim(loop.get("eta").asDouble())
                : new Ddpm(Ddpm.Variance.LEARNED_RANGE);
        Process process = new Process(
                DiscreteSchedule.linear(), Prediction.EPSILON, loop.get("clip").asBoolean() ? Clamp.to(1) : Clamp.NONE);
        Plan plan = solver.plan(
                process,
                TimeGrid.respaced(DiscreteSchedule.linear(), loop.get("spacing").asString()));
        Guidance guidance =
                guided ? Guidance.standard(loop.get("cfg").asDouble()).onChannels(3) : Guidance.NONE;
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = reference.load(new Dit(SPEC, Init.of(0, Device.CPU)), "weights.safetensors")) {
            Map<String, Tensor> file = reference.tensors(FILE);
            // The reference carries the discarded half of a guided batch along; the samples are its first half.
            Tensor noise = file.get(guided ? "step_noise_cfg" : "step_noise").narrow(1, 0, 2);
            PlanExecutor.run(
                    plan,
                    file.get("z"),
                    (step, input) -> output(
                            dit, input, plan.steps().get(step).call(), file.get(guided ? "y_cfg" : "y"), guidance),
                    step -> noise.select(0, step),
                    (step, x0, next) -> {
                        check(reference, file, id + ".pred_x0", step, x0);
                        check(reference, file, id + ".states", step, next);
                    });
        }
    }

    private static Tensor output(Dit dit, Tensor input, Plan.Call call, Tensor labels, Guidance guidance) {
        long n = labels.size(0);
        Tensor time = Tensors.full(call.time(), Device.CPU, n);
        Tensor all = n == input.size(0) ? input : Ops.cat(0, input, input);
        Tensor out = dit.forward(all, time, Conditions.classes(labels), Taps.none());
        return n == input.size(0)
                ? out
                : Predictor.guided(out, guidance.standardScaleAt(call.time()), guidance.guidedChannels(4), 0);
    }

    /** One step of a loop against one row of a stored tensor, with that row's tolerance. */
    private static void check(ReferenceCase reference, Map<String, Tensor> file, String name, int step, Tensor got) {
        JsonNode entry = reference.describe(FILE, name);
        Tensor want = file.get(name).select(0, step).narrow(0, 0, got.size(0));
        reference.checkRow(name + " step " + step, entry, step, want, got);
    }

    @Test
    void the_inversion_of_ddim_equals_the_reference() {
        ReferenceCase reference = ReferenceCase.open("dit-training");
        DiscreteSchedule table = DiscreteSchedule.linear();
        Plan plan = new Ddim()
                .plan(
                        new Process(table, Prediction.EPSILON),
                        TimeGrid.respaced(table, "ddim10").inverted());
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = reference.load(new Dit(SPEC, Init.of(0, Device.CPU)), "weights.safetensors")) {
            Map<String, Tensor> file = reference.tensors(FILE);
            Tensor clean = reference.tensors("loss.safetensors").get("x0").narrow(0, 0, 2);
            PlanExecutor.run(
                    plan,
                    Ops.mul(clean, 0.5),
                    (step, input) -> output(dit, input, plan.steps().get(step).call(), file.get("y"), Guidance.NONE),
                    step -> {
                        throw new AssertionError("the inversion draws no noise");
                    },
                    (step, x0, next) -> check(reference, file, "ddim-reverse.states", step, next));
        }
    }

    /** p(x_{t-1} | x_t) of a fixed network output: predicted clean sample, mean and log variance. */
    @ParameterizedTest
    @ValueSource(strings = {"mse-learned", "fixed-small", "fixed-large", "cosine", "predict-x0", "mse-learned-50"})
    void one_step_of_every_kind_of_chain_equals_the_reference(String variant) {
        ReferenceCase reference = ReferenceCase.open("dit-training");
        String file = "variants.safetensors";
        DiscreteSchedule table = variant.equals("cosine") ? DiscreteSchedule.cosine(1000) : DiscreteSchedule.linear();
        int[] chain = Respacing.times(variant.endsWith("-50") ? "50" : "1000", 1000);
        Process process =
                new Process(table, variant.equals("predict-x0") ? Prediction.X0 : Prediction.EPSILON, Clamp.NONE);
        Ddpm solver = new Ddpm(
                switch (variant) {
                    case "fixed-small" -> Ddpm.Variance.FIXED_SMALL;
                    case "fixed-large" -> Ddpm.Variance.FIXED_LARGE;
                    default -> Ddpm.Variance.LEARNED_RANGE;
                });
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Map<String, Tensor> variants = reference.tensors(file);
            Map<String, Tensor> input = reference.tensors("loss.safetensors");
            long[] t = Tensors.longs(variant.endsWith("-50") ? variants.get("t_spaced") : input.get("t"));
            for (int i = 0; i < t.length; i++) {
                int at = (int) t[i];
                TimeGrid.Point target = table.point(at == 0 ? -1 : chain[at - 1]);
                Plan plan = solver.plan(process, new TimeGrid("one step", List.of(table.point(chain[at]), target)));
                Tensor output = variants.get("model_output").narrow(0, i, 1);
                Tensor noise = Tensors.zeros(Device.CPU, 1, 4, 8, 8);
                int row = i;
                PlanExecutor.run(
                        plan, input.get("x0").narrow(0, i, 1), (step, x) -> output, step -> noise, (step, x0, next) -> {
                            row(reference, file, variant + ".pred_xstart", row, variants, x0);
                            row(reference, file, variant + ".mean", row, variants, next);
                        });
                NoiseScale scale = plan.steps().get(0).noise();
                if (scale != NoiseScale.NONE) {
                    row(reference, file, variant + ".log_variance", row, variants, logVariance(scale, output));
                }
            }
        }
    }

    private static Tensor logVariance(NoiseScale scale, Tensor output) {
        float[] v = Tensors.floats(output.narrow(1, 4, 4));
        float[] log = new float[v.length];
        for (int j = 0; j < v.length; j++) {
            double factor = scale instanceof NoiseScale.LearnedRange range
                    ? range.at(v[j])
                    : ((NoiseScale.Fixed) scale).scale();
            log[j] = (float) (2 * Math.log(factor));
        }
        return Tensors.of(log, Device.CPU, 1, 4, 8, 8);
    }

    private static void row(
            ReferenceCase reference, String file, String name, int row, Map<String, Tensor> stored, Tensor got) {
        JsonNode entry = reference.describe(file, name);
        reference.checkRow(name + " row " + row, entry, row, stored.get(name).narrow(0, row, 1), got);
    }
}
