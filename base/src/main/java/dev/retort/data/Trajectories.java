package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.Dtype;
import dev.retort.io.Half;
import dev.retort.io.TextHash;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * A teacher's trajectories from a cache, from noise to sample, as {@link TrajectoryFolder} says. The files are mapped, not loaded;
 * several threads may read.
 */
public final class Trajectories {
    private static final String COMMAND = "retort trajectories";

    private record Shard(ByteBuffer states, Prompts prompts) {}

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
        trajectories.requireTexts(folder);
        return trajectories;
    }

    /** Refuses files of other texts: all others have their shape. */
    private void requireTexts(Path folder) {
        manifest.texts().ifPresent(texts -> {
            List<String> there = opened.stream()
                    .flatMap(shard -> shard.prompts().texts().stream())
                    .toList();
            if (!TextHash.sha256(there).equals(texts.sha256())) {
                throw new RetortException(
                        Kind.DATA,
                        folder + " holds trajectories under other texts than its " + TrajectoryFolder.MANIFEST
                                + " says; delete its files and run the same '" + COMMAND + "' again");
            }
        });
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
                    prompts(file, count));
        }
    }

    private Prompts prompts(ShardFile file, int count) {
        if (manifest.texts().isEmpty()) {
            return new Prompts.Labels(file.labels(count, manifest.classNames().size()));
        }
        List<List<String>> captions = CaptionTensors.read(file, count);
        if (captions.stream().anyMatch(some -> some.size() != 1)) {
            throw file.foreign(CaptionTensors.CAPTIONS, "a text for each trajectory");
        }
        return new Prompts.Texts(captions.stream().map(some -> some.get(0)).toList());
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

    /**
     * The class under which a trajectory was sampled.
     *
     * @throws RetortException of kind CONFIG where it was sampled under a text
     */
    public int label(int trajectory) {
        return prompts(trajectory).labels()[0];
    }

    /** What the teacher was told of some trajectories: classes or texts. */
    public Prompts prompts(int... trajectories) {
        List<Prompts> each = Arrays.stream(trajectories).mapToObj(this::prompt).toList();
        return manifest.texts().isPresent()
                ? new Prompts.Texts(each.stream().map(one -> one.texts().get(0)).toList())
                : new Prompts.Labels(
                        each.stream().mapToInt(one -> one.labels()[0]).toArray());
    }

    private Prompts prompt(int trajectory) {
        Objects.checkIndex(trajectory, size());
        return opened.get(shards.shardOf(trajectory)).prompts().slice(shards.placeOf(trajectory), 1);
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
