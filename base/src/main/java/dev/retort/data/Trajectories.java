package dev.retort.data;

import dev.retort.io.Dtype;
import dev.retort.io.Half;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A teacher's trajectories from a cache, from noise to sample, as {@link TrajectoryFolder} says. The files are mapped, not loaded;
 * several threads may read.
 */
public final class Trajectories {
    private static final String COMMAND = "retort trajectories";

    private record Shard(ByteBuffer states, int[] labels) {}

    private final TrajectoryManifest manifest;
    private final Shards shards;
    private final List<Shard> opened = new ArrayList<>();

    private Trajectories(TrajectoryManifest manifest) {
        this.manifest = manifest;
        shards = manifest.shards();
    }

    /** Opens a cache; a missing, damaged or foreign file is refused by name. */
    public static Trajectories open(Path folder) {
        Trajectories trajectories = new Trajectories(new TrajectoryFolder(folder).manifest());
        trajectories.shards.requireAll(folder, COMMAND);
        for (int i = 0; i < trajectories.shards.count(); i++) {
            trajectories.opened.add(trajectories.map(trajectories.shards.file(folder, i), i));
        }
        return trajectories;
    }

    private Shard map(Path path, int index) {
        int count = shards.rowsOf(index);
        try (ShardFile file = new ShardFile(path, COMMAND)) {
            return new Shard(
                    file.data(
                            TrajectoryShard.STATES,
                            Dtype.F16,
                            count,
                            states(),
                            manifest.channels(),
                            manifest.height(),
                            manifest.width()),
                    file.labels(count, manifest.classNames().size()));
        }
    }

    /** What they are and how they were made. */
    public TrajectoryManifest manifest() {
        return manifest;
    }

    /** Number of trajectories. */
    public int size() {
        return manifest.count();
    }

    /** States of each: one more than the steps of the grid. */
    public int states() {
        return manifest.times().size();
    }

    /** The class under which a trajectory was sampled. */
    public int label(int trajectory) {
        Objects.checkIndex(trajectory, size());
        return opened.get(shards.shardOf(trajectory)).labels()[shards.placeOf(trajectory)];
    }

    /**
     * Reads one state.
     *
     * @param state 0 for the noise, {@link #states()} - 1 for the sample
     * @param out gets C·H·W values from {@code at} on
     */
    public void read(int trajectory, int state, float[] out, int at) {
        Objects.checkIndex(trajectory, size());
        Objects.checkIndex(state, states());
        ByteBuffer bytes = opened.get(shards.shardOf(trajectory)).states();
        int size = manifest.values();
        int from = (shards.placeOf(trajectory) * states() + state) * size;
        for (int i = 0; i < size; i++) {
            out[at + i] = Half.fromF16(bytes.getShort(2 * (from + i)));
        }
    }
}
