package dev.retort.data;

import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.config.CardFile;
import dev.retort.config.Difference;
import dev.retort.config.Require;
import java.util.List;
import java.util.Map;

/**
 * What a cache of trajectories holds and how it was made; stands in the cache's folder as {@code trajectories.json}. Trajectory
 * {@code i} starts from the noise of the address (seed, i), under the label {@code i} modulo the number of classes, and is cut into
 * {@code times} at the points of the sampling's grid.
 *
 * @param format version of the layout
 * @param teacherSha256 hash of the teacher's weights, in hex
 * @param teacher the teacher's place, as it was given
 * @param sampling how the teacher was sampled
 * @param process how the teacher's data were noised and what it returns
 * @param seed seed of all trajectories
 * @param count number of trajectories
 * @param channels channels of a state
 * @param height rows of a state
 * @param width columns of a state
 * @param times time of each stored state, from noise to where the last step lands: 0 for flows, -1 for tables that end on the
 *     clean sample
 * @param classNames what each label means
 * @param shardTrajectories trajectories in each file but the last
 * @param provenance where, when and by which command it was made
 */
public record TrajectoryManifest(
        int format,
        String teacherSha256,
        String teacher,
        SamplingSpec sampling,
        ProcessSpec process,
        long seed,
        int count,
        int channels,
        int height,
        int width,
        List<Double> times,
        List<String> classNames,
        int shardTrajectories,
        Map<String, String> provenance) {
    /** The version this program writes. */
    public static final int FORMAT = 2;

    /** Validates. */
    public TrajectoryManifest {
        Require.atLeast("count", count, 1);
        Require.atLeast("channels", channels, 1);
        Require.atLeast("height", height, 1);
        Require.atLeast("width", width, 1);
        Require.that(times.size() >= 2, "times", times, "at least two");
        Require.notEmpty("classNames", classNames);
        int most = (int) (Integer.MAX_VALUE / (2L * times.size() * channels * height * width));
        Require.that(
                shardTrajectories >= 1 && Math.min(shardTrajectories, count) <= most,
                "shardTrajectories",
                shardTrajectories,
                "between 1 and " + most + ", so that a file has less than 2 GiB");
    }

    /** How the trajectories are cut into files. */
    public Shards shards() {
        return new Shards("trajectories", count, shardTrajectories);
    }

    /** Values of one state. */
    public int values() {
        return channels * height * width;
    }

    /** The label of a trajectory: the classes in turn. */
    public int label(long trajectory) {
        return (int) (trajectory % classNames.size());
    }

    /** In which fields files written under the other manifest do not belong to this one; empty where they do. */
    public List<Difference> differences(TrajectoryManifest other) {
        return CardFile.differences(decisive(), other.decisive());
    }

    /** Without what may differ: the teacher may lie elsewhere, and the files may be made by several commands. */
    private TrajectoryManifest decisive() {
        return new TrajectoryManifest(
                format,
                teacherSha256,
                "",
                sampling,
                process,
                seed,
                count,
                channels,
                height,
                width,
                times,
                classNames,
                shardTrajectories,
                Map.of());
    }
}
