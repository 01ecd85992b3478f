package dev.retort.sample;

import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.Solvers;
import dev.retort.diffusion.TimeGrid;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.ImageGrid;
import dev.retort.model.ModelCard;
import dev.retort.model.Network;
import dev.retort.model.SamplingSpec;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;

/** Draws pictures from a model as its card says, or otherwise where asked. */
public final class Draw {
    private Draw() {}

    /** A sampler for a network under a process. */
    public static Sampler sampler(Network network, ModelCard card, SamplingSpec spec, Precision precision) {
        Process process = card.process().process();
        if (spec.guidanceScale() != 1 && !network.spec().hasNullClass()) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "guidance " + spec.guidanceScale()
                            + " was asked of a network trained without label dropout; use --guidance 1");
        }
        return new Sampler(
                network,
                plan(process, spec.solver(), spec.steps()),
                spec.guidance(process.schedule().noisiestTime()),
                precision);
    }

    /** A solver's plan on the grid that suits the schedule: even times for flows, trailing ones for tables. */
    public static Plan plan(Process process, String solver, int steps) {
        try {
            NoiseSchedule schedule = process.schedule();
            TimeGrid grid;
            if (schedule instanceof FlowLinear flow) {
                grid = TimeGrid.flow(flow, steps, 1);
            } else if (schedule instanceof DiscreteSchedule table) {
                grid = TimeGrid.trailing(table, steps);
            } else {
                grid = TimeGrid.karras(schedule, steps);
            }
            return Solvers.named(solver).plan(process, grid);
        } catch (IllegalArgumentException e) {
            throw new RetortException(Kind.CONFIG, "sampling cannot be planned: " + e.getMessage(), e);
        }
    }

    /** Pixels of samples, (N, C, H, W) row-major in data units, drawn in batches. */
    public static float[] pixels(Sampler sampler, int[] labels, long seed, long firstIndex, int batch) {
        int size = sampler.network().spec().channels()
                * sampler.network().spec().height()
                * sampler.network().spec().width();
        float[] pixels = new float[labels.length * size];
        for (int from = 0; from < labels.length; from += batch) {
            int count = Math.min(batch, labels.length - from);
            int[] some = new int[count];
            long[] indices = new long[count];
            for (int i = 0; i < count; i++) {
                some[i] = labels[from + i];
                indices[i] = firstIndex + from + i;
            }
            try (Scope scope = Scope.open()) {
                float[] drawn = Tensors.floats(sampler.draw(some, seed, indices));
                System.arraycopy(drawn, 0, pixels, from * size, drawn.length);
            }
        }
        return pixels;
    }

    /** A grid with a row per class, from seed 0, as the model's card says to sample. */
    public static ImageGrid classGrid(
            Network network, ModelCard card, Precision precision, int classes, int samplesPerClass) {
        int[] labels = new int[classes * samplesPerClass];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = i / samplesPerClass;
        }
        float[] pixels = pixels(sampler(network, card, card.sampling(), precision), labels, 0, 0, 64);
        return ImageGrid.of(
                pixels,
                labels.length,
                network.spec().channels(),
                network.spec().height(),
                network.spec().width(),
                samplesPerClass);
    }
}
