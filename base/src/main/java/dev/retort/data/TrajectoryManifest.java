package dev.retort.data;

import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TextCard;
import dev.retort.config.CardFile;
import dev.retort.config.Difference;
import dev.retort.config.Require;
import dev.retort.io.TextHash;
import dev.retort.tokenizer.TokenizerFolder;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a cache of trajectories holds and how it was made; stands in the cache's folder as {@code trajectories.json}. Trajectory
 * {@code i} starts from the noise of the address (seed, i), under the label {@code i} modulo the number of classes or under a text of its own, and is cut
 * into {@code times} at the points of the sampling's grid.
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
 * @param classNames what each label means; none where the teacher is told no classes
 * @param texts under which texts the teacher was sampled; empty where it is told none
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
        Optional<Texts> texts,
        int shardTrajectories,
        Map<String, String> provenance) {
    /** The version this program writes. */
    public static final int FORMAT = 3;

    /**
     * The texts, which themselves stand in the files.
     *
     * @param sha256 hash of the texts of all trajectories in their order, in hex
     * @param tokenizers hash of each of the teacher's tokenizers, in hex
     */
    public record Texts(String sha256, List<String> tokenizers) {
        /** Those of some texts, one for each trajectory, of a teacher that has these tokenizers. */
        public static Texts of(List<String> texts, TextCard card) {
            return new Texts(TextHash.sha256(texts), hashes(Optional.of(card)));
        }
    }

    /** Validates. */
    public TrajectoryManifest {
        Require.atLeast("count", count, 1);
        Require.atLeast("channels", channels, 1);
        Require.atLeast("height", height, 1);
        Require.atLeast("width", width, 1);
        Require.that(times.size() >= 2, "times", times, "at least two");
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

    /** Whether a model of these texts, or of none, reads a text as the teacher did. */
    public boolean readsAlike(Optional<TextCard> card) {
        return texts.map(Texts::tokenizers).orElse(List.of()).equals(hashes(card));
    }

    private static List<String> hashes(Optional<TextCard> card) {
        return card.map(told ->
                        told.tokenizers().stream().map(TokenizerFolder::sha256).toList())
                .orElse(List.of());
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
                texts,
                shardTrajectories,
                Map.of());
    }
}
