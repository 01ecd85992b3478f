package dev.retort.layout;

import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScheduleSpec;
import dev.retort.card.TableGrid;
import dev.retort.diffusion.Prediction;
import java.util.Map;

/** Programs that train the same network under the same names, each with a process of its own (dit.md §2 and §6). */
public enum DitFamily {
    /** DiT and fast-DiT: 1000 noise levels, noise predicted, respaced, guided on three channels. */
    DIT(
            ProcessSpec.ddpm(),
            SamplingSpec.of("ddpm", 250, 4).withGuidance(4, 0, 1, 3).with(250, new TableGrid.Respaced())),
    /** The diffusers pipeline without a scheduler: the same noise levels, the library's usual grid, guided on all channels. */
    DIFFUSERS(ProcessSpec.ddpm(), SamplingSpec.of("ddim", 50, 4).with(50, new TableGrid.Leading())),
    /**
     * SiT: a flow whose time runs from noise (0) to data (1) and whose velocity is data - noise. On loading, the weights
     * are rewritten to our direction, exactly: {@link ReversedTime}.
     */
    SIT(flow(), SamplingSpec.of("flow-heun", 125, 1.5).withGuidance(1.5, 0, 1, 3)),
    /** REPA: a flow whose time runs from data (0) to noise (1), as ours does; its projectors serve training alone. */
    REPA(flow(), SamplingSpec.of("flow-heun", 125, 1.8).withGuidance(1.8, 0, 0.7, 3));

    private final ProcessSpec process;
    private final SamplingSpec sampling;

    DitFamily(ProcessSpec process, SamplingSpec sampling) {
        this.process = process;
        this.sampling = sampling;
    }

    private static ProcessSpec flow() {
        return new ProcessSpec(new ScheduleSpec.Flow(1), Prediction.FLOW, 0);
    }

    /** How its data were noised and what the network returns. */
    public ProcessSpec process() {
        return process;
    }

    /** How its own scripts sample it by default, as far as our solvers go. */
    public SamplingSpec sampling() {
        return sampling;
    }

    /** The family of a training file, by the options that only its script has. */
    static DitFamily of(Map<String, String> metadata, boolean projectors) {
        if (projectors || metadata.containsKey("args.proj_coeff")) {
            return REPA;
        }
        return metadata.containsKey("args.path_type") ? SIT : DIT;
    }
}
