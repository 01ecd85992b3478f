package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.Dtype;
import dev.retort.io.SafetensorsWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;

/**
 * One file of a cache of trajectories while it is being filled, state by state, in half precision; {@link TrajectoryFolder} says what
 * stands in it, {@link Trajectories} reads it.
 */
public final class TrajectoryShard {
    static final String STATES = "states";

    private final TrajectoryManifest manifest;
    private final long first;
    private final int count;
    private final HalfTensor states;
    private final Prompts prompts;

    /**
     * An empty one.
     *
     * @param index its number among the manifest's files
     * @param prompts what the teacher is told of all trajectories
     */
    public TrajectoryShard(TrajectoryManifest manifest, int index, Prompts prompts) {
        this.manifest = manifest;
        first = manifest.shards().firstOf(index);
        count = manifest.shards().rowsOf(index);
        this.prompts = prompts.slice(Math.toIntExact(first), count);
        states = new HalfTensor(count * manifest.times().size() * manifest.values(), this::beyond);
    }

    /**
     * One state of several trajectories.
     *
     * @param trajectory number of the first of them among all
     * @param state which state
     * @param values state after state, (n, C, H, W)
     * @throws RetortException of kind CHECKPOINT where half precision cannot hold one
     */
    public void states(long trajectory, int state, float[] values) {
        int size = manifest.values();
        int place = (int) (trajectory - first);
        for (int i = 0; i < values.length / size; i++) {
            states.put(((place + i) * manifest.times().size() + state) * size, values, i * size, size);
        }
    }

    private RetortException beyond(int at, float value) {
        int state = at / manifest.values();
        int each = manifest.times().size();
        return new RetortException(
                Kind.CHECKPOINT,
                "state " + state % each + " of trajectory " + (first + state / each) + " has the value " + value
                        + ", beyond half precision (65504); the statistics of 'retort inspect' tell whether the weights are"
                        + " finite, and where they are, less guidance or more steps may help");
    }

    /** Writes the file, whole or not at all. */
    public void write(Path file) {
        long[] shape = {count, manifest.times().size(), manifest.channels(), manifest.height(), manifest.width()};
        SafetensorsWriter writer = new SafetensorsWriter()
                .metadata("first", Long.toString(first))
                .metadata("teacher", manifest.teacherSha256())
                .metadata("seed", Long.toString(manifest.seed()))
                .add(STATES, Dtype.F16, shape, states::bytes);
        if (manifest.texts().isPresent()) {
            CaptionTensors.write(writer, prompts.texts().stream().map(List::of).toList());
        } else {
            writer.add(ShardFile.LABELS, Dtype.I64, new long[] {count}, this::labels);
        }
        writer.write(file);
    }

    private ByteBuffer labels() {
        ByteBuffer labels = ByteBuffer.allocate(8 * count).order(ByteOrder.LITTLE_ENDIAN);
        for (int label : prompts.labels()) {
            labels.putLong(label);
        }
        return labels.flip();
    }
}
