package dev.retort.cli;

import dev.retort.card.ProcessSpec;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * The settings of a group of reference trajectories as a person would type them.
 *
 * @param kind class of the scheduler
 * @param base what its configuration sets
 * @param defaults what it leaves to the class
 * @param step arguments of each step
 * @param set arguments of the time list
 */
record SchedulerLines(String kind, JsonNode base, JsonNode defaults, JsonNode step, JsonNode set) {
    static SchedulerLines of(JsonNode group) {
        return new SchedulerLines(
                group.get("class_name").asString(),
                group.get("base"),
                group.get("defaults"),
                group.get("step_arguments"),
                group.get("set_timesteps_arguments"));
    }

    private JsonNode setting(String key) {
        for (JsonNode node : new JsonNode[] {step, base, defaults}) {
            if (node.has(key)) {
                return node.get(key);
            }
        }
        return null;
    }

    private boolean is(String key) {
        return setting(key) != null && setting(key).asBoolean();
    }

    private double number(String key) {
        return setting(key).asDouble();
    }

    boolean isFlow() {
        return kind.startsWith("FlowMatch");
    }

    boolean karras() {
        return base.has("use_karras_sigmas");
    }

    private boolean multistep() {
        return kind.startsWith("DPM") || kind.startsWith("UniPC");
    }

    ProcessSpec process(String prediction) {
        if (isFlow()) {
            return ProcessSpec.of("flow", Prediction.FLOW, 0);
        }
        String schedule = setting("beta_schedule").asString().replace('_', '-');
        return ProcessSpec.of(
                schedule + ":betaStart=" + number("beta_start") + ",betaEnd=" + number("beta_end") + ",zeroTerminalSnr="
                        + is("rescale_betas_zero_snr"),
                switch (prediction) {
                    case "epsilon" -> Prediction.EPSILON;
                    case "v_prediction" -> Prediction.V;
                    default -> Prediction.X0;
                },
                0);
    }

    /** The schedule with the table in floats, as the reference computes it. */
    NoiseSchedule schedule(String prediction) {
        NoiseSchedule schedule = process(prediction).noiseSchedule();
        return schedule instanceof DiscreteSchedule table ? table.inSinglePrecision() : schedule;
    }

    /** The words after {@code retort sample MODEL}. */
    List<String> words(String spacing, int steps) {
        List<String> words = new ArrayList<>(
                List.of("--solver", solver(), "--grid", grid(spacing), "--steps", Integer.toString(steps)));
        if (is("clip_sample")) {
            words.addAll(List.of("--clamp", "range:limit=" + number("clip_sample_range")));
        } else if (is("thresholding")) {
            words.addAll(List.of(
                    "--clamp",
                    "dynamic:quantile=" + number("dynamic_thresholding_ratio") + ",max=" + number("sample_max_value")));
        }
        return words;
    }

    private String solver() {
        return switch (kind) {
            case "DDPMScheduler" ->
                "ddpm:variance=" + setting("variance_type").asString().replace('_', '-');
            case "DDIMScheduler" ->
                "ddim:strided=true,rawEps=" + !is("use_clipped_model_output")
                        + (step.has("eta") ? ",eta=" + number("eta") : "");
            case "PNDMScheduler" -> "pndm:strided=true,rungeKuttaStart=" + !is("skip_prk_steps");
            case "EulerDiscreteScheduler" ->
                step.has("s_churn")
                        ? "euler:sChurn=" + number("s_churn") + ",sTmin=" + number("s_tmin") + ",sTmax="
                                + number("s_tmax") + ",sNoise=" + number("s_noise")
                        : "euler";
            case "EulerAncestralDiscreteScheduler" -> "euler-ancestral";
            case "HeunDiscreteScheduler" -> "heun";
            case "DPMSolverMultistepScheduler" -> dpm();
            case "UniPCMultistepScheduler" ->
                "unipc:order=" + setting("solver_order").asInt() + ",base="
                        + setting("solver_type").asString() + ",lowerOrderFinal=" + is("lower_order_final");
            case "LCMScheduler" -> "lcm";
            case "TCDScheduler" -> "tcd:gamma=" + number("eta");
            case "FlowMatchEulerDiscreteScheduler" -> "flow-euler:stochastic=" + is("stochastic_sampling");
            default -> throw new IllegalArgumentException(kind);
        };
    }

    private String dpm() {
        String algorithm = setting("algorithm_type").asString();
        String rest = ",lowerOrderFinal=" + is("lower_order_final") + ",eulerAtFinal=" + is("euler_at_final");
        int order = setting("solver_order").asInt();
        if (algorithm.equals("dpmsolver")) {
            return "dpm:order=" + order + rest;
        }
        String rule = setting("solver_type").asString().equals("heun") ? "exact" : "midpoint";
        return "dpmpp:order=" + order + ",sde=" + algorithm.startsWith("sde") + ",rule=" + rule + rest;
    }

    private String grid(String spacing) {
        if (isFlow()) {
            if (set.has("mu")) {
                return "flow-dynamic:tokens=256,baseTokens=256,baseShift="
                        + set.get("mu").asDouble() + ",lowest=0.001";
            }
            double shift = number("shift");
            return "flow:shift=" + shift + ",lowest=" + TimeGrid.shifted(0.001, shift);
        }
        List<String> options = new ArrayList<>();
        String name = spacing;
        String offset = "offset=" + setting("steps_offset").asInt();
        if (kind.startsWith("LCM") || kind.startsWith("TCD")) {
            name = "consistency";
        } else if (is("use_karras_sigmas") || is("use_exponential_sigmas")) {
            name = is("use_karras_sigmas") ? "karras" : "exponential";
            if (multistep()) {
                options.add("wholeTimes=true");
            } else if (!spacing.equals("linspace")) {
                options.add("range=" + spacing);
                options.add(spacing.equals("leading") ? offset : "offset=0");
            }
        } else if (!spacing.equals("trailing")) {
            if (spacing.equals("leading")) {
                options.add(offset);
            } else if (kind.startsWith("Euler") || kind.startsWith("Heun")) {
                options.add("fractional=true");
            }
            options.add("dropLast=" + multistep());
        }
        boolean alphaOne = setting("set_alpha_to_one") == null || is("set_alpha_to_one");
        boolean zero = setting("final_sigmas_type") == null
                || setting("final_sigmas_type").asString().equals("zero");
        options.add("end=" + (kind.startsWith("TCD") || !alphaOne || !zero ? "lowest" : "clean"));
        return name + ":" + String.join(",", options);
    }
}
