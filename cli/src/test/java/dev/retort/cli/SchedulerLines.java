package dev.retort.cli;

import dev.retort.card.ProcessSpec;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.SchedulerSettings;
import dev.retort.diffusion.TimeGrid;
import java.util.ArrayList;
import java.util.List;

/** The settings of a group of reference trajectories as a person would type them. */
record SchedulerLines(SchedulerSettings settings) {
    private double number(String key) {
        return settings.setting(key).asDouble();
    }

    private String word(String key) {
        return settings.setting(key).asString();
    }

    ProcessSpec process(String prediction) {
        if (settings.isFlow()) {
            return ProcessSpec.of("flow", Prediction.FLOW, 0);
        }
        String schedule = word("beta_schedule").replace('_', '-');
        return ProcessSpec.of(
                schedule + ":betaStart=" + number("beta_start") + ",betaEnd=" + number("beta_end") + ",zeroTerminalSnr="
                        + settings.is("rescale_betas_zero_snr"),
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
        if (settings.is("clip_sample")) {
            words.addAll(List.of("--clamp", "range:limit=" + number("clip_sample_range")));
        } else if (settings.is("thresholding")) {
            words.addAll(List.of(
                    "--clamp",
                    "dynamic:quantile=" + number("dynamic_thresholding_ratio") + ",max=" + number("sample_max_value")));
        }
        return words;
    }

    private String solver() {
        return switch (settings.kind()) {
            case "DDPMScheduler" -> "ddpm:variance=" + word("variance_type").replace('_', '-');
            case "DDIMScheduler" ->
                "ddim:strided=true,rawEps=" + !settings.is("use_clipped_model_output")
                        + (settings.step().has("eta") ? ",eta=" + number("eta") : "");
            case "PNDMScheduler" -> "pndm:strided=true,rungeKuttaStart=" + !settings.is("skip_prk_steps");
            case "EulerDiscreteScheduler" ->
                settings.step().has("s_churn")
                        ? "euler:sChurn=" + number("s_churn") + ",sTmin=" + number("s_tmin") + ",sTmax="
                                + number("s_tmax") + ",sNoise=" + number("s_noise")
                        : "euler";
            case "EulerAncestralDiscreteScheduler" -> "euler-ancestral";
            case "HeunDiscreteScheduler" -> "heun";
            case "DPMSolverMultistepScheduler" -> dpm();
            case "UniPCMultistepScheduler" ->
                "unipc:order=" + settings.setting("solver_order").asInt() + ",base=" + word("solver_type")
                        + ",lowerOrderFinal=" + settings.is("lower_order_final");
            case "LCMScheduler" -> "lcm";
            case "TCDScheduler" -> "tcd:gamma=" + number("eta");
            case "FlowMatchEulerDiscreteScheduler" -> "flow-euler:stochastic=" + settings.is("stochastic_sampling");
            default -> throw new IllegalArgumentException(settings.kind());
        };
    }

    private String dpm() {
        String algorithm = word("algorithm_type");
        String rest = ",lowerOrderFinal=" + settings.is("lower_order_final") + ",eulerAtFinal="
                + settings.is("euler_at_final");
        int order = settings.setting("solver_order").asInt();
        if (algorithm.equals("dpmsolver")) {
            return "dpm:order=" + order + rest;
        }
        String rule = word("solver_type").equals("heun") ? "exact" : "midpoint";
        return "dpmpp:order=" + order + ",sde=" + algorithm.startsWith("sde") + ",rule=" + rule + rest;
    }

    private String grid(String spacing) {
        if (settings.isFlow()) {
            if (settings.set().has("mu")) {
                return "flow-dynamic:tokens=256,baseTokens=256,baseShift="
                        + settings.set().get("mu").asDouble() + ",lowest=0.001";
            }
            double shift = number("shift");
            return "flow:shift=" + shift + ",lowest=" + TimeGrid.shifted(0.001, shift);
        }
        List<String> options = new ArrayList<>();
        String name = spacing;
        String offset = "offset=" + settings.setting("steps_offset").asInt();
        if (settings.kind().startsWith("LCM") || settings.kind().startsWith("TCD")) {
            name = "consistency";
        } else if (settings.is("use_karras_sigmas") || settings.is("use_exponential_sigmas")) {
            name = settings.is("use_karras_sigmas") ? "karras" : "exponential";
            if (settings.multistep()) {
                options.add("wholeTimes=true");
            } else if (!spacing.equals("linspace")) {
                options.add("range=" + spacing);
                options.add(spacing.equals("leading") ? offset : "offset=0");
            }
        } else if (!spacing.equals("trailing")) {
            if (spacing.equals("leading")) {
                options.add(offset);
            } else if (settings.kind().startsWith("Euler") || settings.kind().startsWith("Heun")) {
                options.add("fractional=true");
            }
            options.add("dropLast=" + settings.multistep());
        }
        options.add("end=" + (settings.endsAtFirstEntry() ? "lowest" : "clean"));
        return name + ":" + String.join(",", options);
    }
}
