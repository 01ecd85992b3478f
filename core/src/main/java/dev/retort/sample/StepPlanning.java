package dev.retort.sample;

import dev.retort.card.GridSpec;
import dev.retort.card.LevelGrid;
import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScheduleSpec;
import dev.retort.card.SolverSpec;
import dev.retort.card.TableGrid;
import dev.retort.config.Require;
import dev.retort.data.Prompts;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.TimeGrid;
import dev.retort.diffusion.step.ScheduleSearch;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.Denoiser;
import dev.retort.report.Progress;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.torch.TorchError;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.ObjIntConsumer;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Looks for the times at which a teacher is best called in few steps: what {@code retort plan-steps} does, as a call. The grid of each number of steps is
 * found on some noises ({@link ScheduleSearch}: the best of even points, a shortest path over the errors of single steps and the
 * grid of one step fewer with one point more, then moved by the errors of the solver's own walks) and held against known grids on others. Errors are the root mean square over values between where a walk ends and where
 * one on the fine grid does, from the same noise, in the mean over noises. In fp32.
 *
 * @param network the teacher's
 * @param card what it is
 * @param sampling how it is sampled: a solver without noise, and guidance
 * @param fine steps of the fine grid
 * @param most grids of 1 to so many steps
 * @param count noises to search on, and as many others to judge on
 * @param seed of the noises
 */
public record StepPlanning(
        Denoiser network, ModelCard card, SamplingSpec sampling, int fine, int most, int count, long seed) {
    private static final int SWEEPS = 2;
    private static final int BATCH = 32;
    /** Numbers of steps whose grids are held against known ones. */
    private static final List<Integer> JUDGED = List.of(1, 2, 4, 8, 16);

    /** Validates. */
    public StepPlanning {
        Require.atLeast("count", count, 1);
        Require.atLeast("most", most, 1);
        Require.atLeast("fine", fine, most);
    }

    /**
     * A grid of some steps.
     *
     * @param grid as {@code --grid} and recipes take it
     * @param byPath the error of the shortest path, at the end, on the noises searched on
     * @param searched the error of this grid there
     * @param usual that of the schedule's usual grid there
     * @param judged errors on noises that were not searched on, by grid, this one's under {@link #SEARCHED}; empty where it was not judged
     */
    public record Planned(
            int steps, GridSpec grid, double byPath, double searched, double usual, Map<String, Double> judged) {}

    /** Name of the searched grid among those it is held against. */
    public static final String SEARCHED = "searched";

    /**
     * Searches.
     *
     * @param interrupted polled before every walk
     */
    public List<Planned> run(Progress progress, BooleanSupplier interrupted) {
        Work work = new Work(progress, interrupted);
        try {
            return work.planned();
        } catch (RuntimeException e) {
            throw TorchError.translate(e, "walking " + count + " trajectories", "search on fewer", "count");
        }
    }

    private NoiseSchedule schedule() {
        return card.process().noiseSchedule();
    }

    private Sampler sampler(GridSpec grid, int steps) {
        return Sampling.sampler(network, card, sampling.with(steps, grid), Precision.FP32);
    }

    private final class Work {
        private final Progress progress;
        private final BooleanSupplier interrupted;
        private final TimeGrid grid;
        private final Sampler walk;

        Work(Progress progress, BooleanSupplier interrupted) {
            this.progress = progress;
            this.interrupted = interrupted;
            try {
                grid = new GridSpec.Default().on(schedule(), fine);
            } catch (IllegalArgumentException e) {
                throw new RetortException(
                                Kind.USAGE, "fine is " + fine + ": " + e.getMessage() + "; ask for a coarser grid", e)
                        .about("fine");
            }
            Sampling.requireOde(card, grid, "the model");
            Sampler asked = sampler(new GridSpec.Default(), most);
            if (asked.plan().addsNoise()) {
                throw refused("adds noise in its steps, so that no two walks from one noise end alike");
            }
            if (asked.plan().steps().size() != most) {
                throw refused("takes several calls a step, so that a grid does not say where it calls");
            }
            // of first order, whichever solver is planned for: only then two states tell what the network said between
            // them
            SolverSpec first = card.process().schedule() instanceof ScheduleSpec.Flow
                    ? new SolverSpec.FlowEuler()
                    : new SolverSpec.Ddim();
            walk = Sampling.sampler(
                    network, card, sampling.with(first).with(fine, new GridSpec.Default()), Precision.FP32);
        }

        private RetortException refused(String why) {
            return new RetortException(
                    Kind.USAGE,
                    "the solver " + sampling.solver().text() + " " + why
                            + "; use one of one call a step that adds none, such as flow-euler for a flow or ddim for others");
        }

        List<Planned> planned() {
            float[][][] states = states();
            float[][] others = ends(walk, count, count);
            double[][] errors = ScheduleSearch.errors(grid, states);
            List<Planned> all = new ArrayList<>();
            int[] former = {fine};
            for (int steps = 1; steps <= most; steps++) {
                int[] path = ScheduleSearch.shortest(errors, steps);
                List<int[]> starts = new ArrayList<>(List.of(path, ScheduleSearch.even(fine, steps)));
                starts.addAll(ScheduleSearch.longer(former));
                ScheduleSearch.Found found =
                        ScheduleSearch.refined(starts, tried -> error(along(tried), 0, states[fine]), SWEEPS);
                if (!Double.isFinite(found.error())) {
                    throw new RetortException(
                            Kind.CHECKPOINT,
                            "samples in " + steps
                                    + " steps are not finite; the statistics of 'retort inspect' tell whether the weights are");
                }
                former = found.path();
                GridSpec best = along(former);
                all.add(new Planned(
                        steps,
                        best,
                        error(along(path), 0, states[fine]),
                        found.error(),
                        distance(ends(sampler(new GridSpec.Default(), steps), 0, count), states[fine]),
                        JUDGED.contains(steps) ? judged(best, steps, others) : Map.of()));
                progress.update(steps, most, String.format(Locale.ROOT, "error %.4f", found.error()));
            }
            return all;
        }

        /** The fine walk's states, [state][trajectory][value]. */
        private float[][][] states() {
            float[][][] states = new float[fine + 1][count][];
            for (int first = 0; first < count; first += BATCH) {
                int from = first;
                float[][] last = walked(walk, first, Math.min(BATCH, count - first), (input, step) -> {
                    float[][] rows = rows(input);
                    System.arraycopy(rows, 0, states[step], from, rows.length);
                });
                System.arraycopy(last, 0, states[fine], first, last.length);
            }
            return states;
        }

        private float[][] ends(Sampler sampler, int first, int images) {
            float[][] all = new float[images][];
            for (int from = 0; from < images; from += BATCH) {
                float[][] some = walked(sampler, first + from, Math.min(BATCH, images - from), (input, step) -> {});
                System.arraycopy(some, 0, all, from, some.length);
            }
            return all;
        }

        private float[][] walked(Sampler sampler, int first, int images, ObjIntConsumer<Tensor> asked) {
            if (interrupted.getAsBoolean()) {
                throw new RetortException(Kind.INTERRUPTED, "stopped; nothing was written");
            }
            Prompts prompts = Prompts.inTurn(card, first, images);
            try (Scope scope = Scope.open()) {
                return rows(sampler.sample(
                        prompts, seed, LongStream.range(first, first + images).toArray(), asked));
            }
        }

        private float[][] rows(Tensor x) {
            float[] values = Tensors.floats(x);
            int rows = Math.toIntExact(x.size(0));
            int size = values.length / rows;
            return IntStream.range(0, rows)
                    .mapToObj(i -> Arrays.copyOfRange(values, i * size, (i + 1) * size))
                    .toArray(float[][]::new);
        }

        private GridSpec along(int[] path) {
            return new GridSpec.Times(Arrays.stream(path, 0, path.length - 1)
                    .mapToObj(i -> grid.from(i).time())
                    .toList());
        }

        private double error(GridSpec asked, int first, float[][] wanted) {
            int steps = asked.steps().orElseThrow();
            return distance(ends(sampler(asked, steps), first, wanted.length), wanted);
        }

        private Map<String, Double> judged(GridSpec best, int steps, float[][] wanted) {
            Map<String, GridSpec> grids = new LinkedHashMap<>();
            grids.put(SEARCHED, best);
            for (GridSpec known : List.of(
                    new GridSpec.Even(), new TableGrid.Trailing(), new TableGrid.Leading(), new LevelGrid.Karras())) {
                grids.put(known.text(), known);
            }
            Map<String, Double> errors = new LinkedHashMap<>();
            grids.forEach((name, known) -> {
                if (fits(known, steps)) {
                    errors.put(name, distance(ends(sampler(known, steps), count, count), wanted));
                }
            });
            return errors;
        }

        private boolean fits(GridSpec known, int steps) {
            try {
                known.on(schedule(), steps);
                return true;
            } catch (IllegalArgumentException | RetortException e) {
                return false; // this schedule has no such grid
            }
        }
    }

    /** Root mean square over values, mean over trajectories: the square over all would be that of a few which end elsewhere. */
    private static double distance(float[][] a, float[][] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            double squares = 0;
            for (int v = 0; v < a[i].length; v++) {
                double difference = (double) a[i][v] - b[i][v];
                squares += difference * difference;
            }
            sum += Math.sqrt(squares / a[i].length);
        }
        return sum / a.length;
    }
}
