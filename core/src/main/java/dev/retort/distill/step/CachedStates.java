package dev.retort.distill.step;

import dev.retort.data.Trajectories;
import dev.retort.data.TrajectoryManifest;
import dev.retort.model.Condition;
import dev.retort.torch.Device;
import dev.retort.torch.Tensors;
import dev.retort.train.Pass;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Trajectories that a teacher left, one drawn for each image of a pass: losses that read them ask no teacher, and nothing of the
 * pass but its place on the clock.
 *
 * @param trajectories the cache
 * @param places which of them may be drawn
 */
public record CachedStates(Trajectories trajectories, int[] places) {
    private static final String STREAM = "trajectory";
    private static final double SAME_TIME = 1e-6;

    /**
     * Those under some labels.
     *
     * @param labels no label for all
     * @throws IllegalArgumentException where there are none under one of them
     */
    public static CachedStates of(Trajectories trajectories, List<Integer> labels) {
        int[] places = IntStream.range(0, trajectories.size())
                .filter(i -> labels.isEmpty() || labels.contains(trajectories.label(i)))
                .toArray();
        for (int label : labels) {
            if (IntStream.of(places).noneMatch(i -> trajectories.label(i) == label)) {
                throw new IllegalArgumentException("it holds no trajectory of class "
                        + trajectories.manifest().classNames().get(label) + "; record more");
            }
        }
        return new CachedStates(trajectories, places);
    }

    /**
     * Some of the trajectories.
     *
     * @param which their numbers, one for each image
     * @param condition what the teacher was told of them
     */
    record Drawn(CachedStates of, int[] which, Condition condition, Device device) {
        /** A state of each (N, C, H, W): 0 is the noise it began with. */
        Tensor states(IntUnaryOperator stateOfImage) {
            TrajectoryManifest manifest = of.trajectories.manifest();
            int size = manifest.values();
            float[] values = new float[which.length * size];
            for (int i = 0; i < which.length; i++) {
                of.trajectories.read(which[i], stateOfImage.applyAsInt(i), values, i * size);
            }
            return Tensors.of(values, device, which.length, manifest.channels(), manifest.height(), manifest.width());
        }
    }

    /** Some for each image of a pass, the same however often they are asked for. */
    Drawn draw(Pass pass) {
        return pass.once("trajectories of " + this, () -> {
            int[] which = Arrays.stream(pass.draws(STREAM).index(places.length))
                    .map(drawn -> places[drawn])
                    .toArray();
            Device device = pass.player(pass.player()).network().device();
            return new Drawn(this, which, pass.condition(trajectories.prompts(which)), device);
        });
    }

    /** Number of the last state, the finished image. */
    int last() {
        return trajectories.states() - 1;
    }

    /** When the teacher was at a state. */
    double time(int state) {
        return trajectories.manifest().times().get(state);
    }

    /**
     * The state at a time.
     *
     * @throws IllegalArgumentException where none was kept
     */
    int at(double time) {
        for (int state = 0; state <= last(); state++) {
            if (Math.abs(time(state) - time) <= SAME_TIME * (1 + Math.abs(time))) {
                return state;
            }
        }
        throw new IllegalArgumentException("no state at time " + time + " was kept, only at "
                + trajectories.manifest().times() + "; record the trajectories with a multiple of the student's steps");
    }
}
