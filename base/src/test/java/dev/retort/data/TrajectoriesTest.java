package dev.retort.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrajectoriesTest {
    @TempDir
    private Path folder;

    private static TrajectoryManifest manifest(int count, int shard) {
        return new TrajectoryManifest(
                TrajectoryManifest.FORMAT,
                "ab".repeat(32),
                "runs/teacher",
                SamplingSpec.of("flow-euler", 2, 1.5).withGuidance(1.5, 0.1, 0.9, 1),
                ProcessSpec.flow(),
                Long.MIN_VALUE,
                count,
                1,
                1,
                2,
                List.of(1000.0, 1000 / 3.0, 0.0),
                List.of("a", "b"),
                Optional.empty(),
                shard,
                Map.of("by", "a test"));
    }

    private static Prompts inTurn(TrajectoryManifest manifest) {
        return new Prompts.Labels(
                IntStream.range(0, manifest.count()).map(i -> i % 2).toArray());
    }

    private void write(TrajectoryManifest manifest, Prompts prompts) {
        new TrajectoryFolder(folder).write(manifest);
        for (int index = 0; index < manifest.shards().count(); index++) {
            TrajectoryShard shard = new TrajectoryShard(manifest, index, prompts);
            long first = manifest.shards().firstOf(index);
            for (int state = 0; state < 3; state++) {
                float[] values = new float[2 * manifest.shards().rowsOf(index)];
                for (int i = 0; i < values.length; i++) {
                    values[i] = 100 * (first + i / 2) + 10 * state + i % 2;
                }
                shard.states(first, state, values);
            }
            shard.write(manifest.shards().file(folder, index));
        }
    }

    @Test
    void what_is_written_is_read_state_by_state_and_the_classes_come_in_turn() {
        TrajectoryManifest manifest = manifest(5, 2);
        write(manifest, inTurn(manifest));
        Trajectories read = Trajectories.open(folder);
        assertThat(read.manifest()).isEqualTo(manifest);
        assertThat(read.size()).isEqualTo(5);
        assertThat(read.states()).isEqualTo(3);
        for (int i = 0; i < 5; i++) {
            assertThat(read.label(i)).isEqualTo(i % 2);
            for (int state = 0; state < 3; state++) {
                float[] out = new float[4];
                read.read(i, state, out, 1);
                assertThat(out).containsExactly(0, 100 * i + 10 * state, 100 * i + 10 * state + 1, 0);
            }
        }
        assertThatThrownBy(() -> read.read(0, 3, new float[2], 0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> read.read(5, 0, new float[2], 0)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void a_value_that_half_precision_cannot_hold_is_refused_with_its_place() {
        TrajectoryShard shard = new TrajectoryShard(manifest(5, 2), 1, inTurn(manifest(5, 2)));
        shard.states(2, 0, new float[] {0, 65504, -65504, 0});
        for (float value : new float[] {65520, Float.NaN, Float.NEGATIVE_INFINITY}) {
            assertThatThrownBy(() -> shard.states(3, 2, new float[] {0, value}))
                    .isInstanceOfSatisfying(
                            RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                    .hasMessageContaining(
                            "state 2 of trajectory 3 has the value " + value + ", beyond half precision (65504)");
        }
    }
}
