package dev.retort.diffusion;

import java.util.function.BiFunction;
import tools.jackson.databind.JsonNode;

/**
 * The settings of a scheduler of the reference, in our words.
 *
 * @param kind class of the scheduler
 * @param base what its configuration sets
 * @param defaults what it leaves to the class
 * @param step arguments of each step
 * @param set arguments of the time list
 */
public record SchedulerSettings(String kind, JsonNode base, JsonNode defaults, JsonNode step, JsonNode set) {
    /** Those of a group of trajectories. */
    public static SchedulerSettings of(JsonNode group) {
        return new SchedulerSettings(
                group.get("class_name").asString(),
                group.get("base"),
                group.get("defaults"),
                group.get("step_arguments"),
                group.get("set_timesteps_arguments"));
    }

    /** A setting, from where it is set first; null where the scheduler has none. */
    public JsonNode setting(String key) {
        for (JsonNode node : new JsonNode[] {step, base, defaults}) {
            if (node.has(key)) {
                return node.get(key);
            }
        }
        return null;
    }

    /** Whether it is set and true. */
    public boolean is(String key) {
        return setting(key) != null && setting(key).asBoolean();
    }

    private int offset() {
        return setting("steps_offset").asInt();
    }

    /** Whether it samples flows. */
    public boolean isFlow() {
        return kind.startsWith("FlowMatch");
    }

    /** Whether its noise levels are those of Karras et al. */
    public boolean karras() {
        return base.has("use_karras_sigmas");
    }

    NoiseSchedule schedule() {
        if (isFlow()) {
            return new FlowLinear(1000);
        }
        double low = setting("beta_start").asDouble();
        double high = setting("beta_end").asDouble();
        DiscreteSchedule table = setting("beta_schedule").asString().equals("linear")
                ? DiscreteSchedule.linear(1000, low, high)
                : DiscreteSchedule.scaledLinear(1000, low, high);
        return (is("rescale_betas_zero_snr") ? table.withZeroTerminalSnr() : table).inSinglePrecision();
    }

    Process process(String prediction) {
        Clamp clamp = Clamp.NONE;
        if (is("clip_sample")) {
            clamp = Clamp.to(setting("clip_sample_range").asDouble());
        } else if (is("thresholding")) {
            clamp = new Clamp.Dynamic(
                    setting("dynamic_thresholding_ratio").asDouble(),
                    setting("sample_max_value").asDouble());
        }
        return new Process(schedule(), prediction(prediction), clamp);
    }

    private static Prediction prediction(String name) {
        return switch (name) {
            case "epsilon" -> Prediction.EPSILON;
            case "v_prediction" -> Prediction.V;
            case "sample" -> Prediction.X0;
            case "velocity" -> Prediction.FLOW;
            default -> throw new IllegalArgumentException(name);
        };
    }

    TimeGrid grid(String spacing, int n) {
        if (isFlow()) {
            double shift = set.has("mu")
                    ? StrictMath.exp(set.get("mu").asDouble())
                    : setting("shift").asDouble();
            // The library shifts its lower end twice, once here and once with all others.
            double lowest = set.has("mu") ? 0.001 : TimeGrid.shifted(0.001, shift);
            return TimeGrid.flowDownTo((FlowLinear) schedule(), n, lowest, shift);
        }
        DiscreteSchedule table = (DiscreteSchedule) schedule();
        TimeGrid grid = calls(table, spacing, n);
        if (is("use_karras_sigmas")) {
            grid = multistep()
                    ? TimeGrid.karras(table, n).withWholeTimes()
                    : TimeGrid.karras(
                            table,
                            n,
                            grid.from(grid.steps() - 1).noiseRatio(),
                            grid.from(0).noiseRatio(),
                            7);
        } else if (is("use_exponential_sigmas")) {
            grid = TimeGrid.exponential(
                    table,
                    n,
                    grid.from(grid.steps() - 1).noiseRatio(),
                    grid.from(0).noiseRatio());
        }
        return endsAtFirstEntry() ? grid.endingAt(table.point(0)) : grid;
    }

    /** Whether its steps look back. */
    public boolean multistep() {
        return kind.startsWith("DPM") || kind.startsWith("UniPC");
    }

    /** Whether the last step lands on the first entry of the table instead of the clean sample. */
    public boolean endsAtFirstEntry() {
        if (kind.startsWith("TCD")) {
            return true;
        }
        boolean alphaOne = setting("set_alpha_to_one") == null || is("set_alpha_to_one");
        boolean zero = setting("final_sigmas_type") == null
                || setting("final_sigmas_type").asString().equals("zero");
        return !alphaOne || !zero;
    }

    private TimeGrid calls(DiscreteSchedule table, String spacing, int n) {
        if (kind.startsWith("LCM") || kind.startsWith("TCD")) {
            return TimeGrid.consistency(table, n, 50);
        }
        boolean euler = kind.startsWith("Euler") || kind.startsWith("Heun");
        BiFunction<DiscreteSchedule, Integer, TimeGrid> linspace = euler ? TimeGrid::fractional : TimeGrid::linspace;
        return switch (spacing) {
            case "leading" ->
                multistep()
                        ? TimeGrid.leading(table, n + 1, offset()).withoutLastCall()
                        : TimeGrid.leading(table, n, offset());
            case "trailing" -> TimeGrid.trailing(table, n);
            case "linspace" -> multistep() ? linspace.apply(table, n + 1).withoutLastCall() : linspace.apply(table, n);
            default -> throw new IllegalArgumentException(spacing);
        };
    }

    Solver solver(int n) {
        return switch (kind) {
            case "DDPMScheduler" ->
                new Ddpm(
                        switch (setting("variance_type").asString()) {
                            case "fixed_small" -> Ddpm.Variance.FIXED_SMALL;
                            case "fixed_large" -> Ddpm.Variance.FIXED_LARGE;
                            default -> Ddpm.Variance.LEARNED_RANGE;
                        });
            case "DDIMScheduler" ->
                new Ddim(step.has("eta") ? step.get("eta").asDouble() : 0, !is("use_clipped_model_output"), 1000 / n);
            case "PNDMScheduler" -> new Pndm(!is("skip_prk_steps"), 1000 / n);
            case "EulerDiscreteScheduler" ->
                new Euler(
                        step.has("s_churn")
                                ? new Euler.Churn(
                                        step.get("s_churn").asDouble(),
                                        step.get("s_tmin").asDouble(),
                                        step.get("s_tmax").asDouble(),
                                        step.get("s_noise").asDouble())
                                : Euler.Churn.NONE);
            case "EulerAncestralDiscreteScheduler" -> new EulerAncestral();
            case "HeunDiscreteScheduler" -> new Heun();
            case "DPMSolverMultistepScheduler" ->
                new DpmSolver(
                        setting("solver_order").asInt(),
                        switch (setting("algorithm_type").asString()) {
                            case "dpmsolver" -> DpmSolver.Form.NOISE;
                            case "dpmsolver++" -> DpmSolver.Form.DATA;
                            default -> DpmSolver.Form.DATA_SDE;
                        },
                        setting("solver_type").asString().equals("heun")
                                ? DpmSolver.Rule.EXACT
                                : DpmSolver.Rule.MIDPOINT,
                        is("lower_order_final"),
                        is("euler_at_final"));
            case "UniPCMultistepScheduler" ->
                new UniPc(
                        setting("solver_order").asInt(),
                        setting("solver_type").asString().equals("bh1") ? UniPc.Base.BH1 : UniPc.Base.BH2,
                        is("lower_order_final"));
            case "LCMScheduler" -> new Lcm();
            case "TCDScheduler" -> new Tcd(step.get("eta").asDouble());
            case "FlowMatchEulerDiscreteScheduler" -> new FlowEuler(is("stochastic_sampling"));
            default -> throw new IllegalArgumentException(kind);
        };
    }
}
