package dev.retort.onnx;

import dev.retort.graph.Shape;
import dev.retort.graph.Size;
import dev.retort.graph.Value;
import dev.retort.io.AtomicWrite;
import dev.retort.io.ProtoMessage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes models as ONNX files (IR 10): {@code ModelProto} of onnx.proto, encoded here. */
public final class OnnxWriter {
    /** Protocol Buffers take no message of 2 GiB; what is larger has its weights in a file beside it. */
    public static final long MOST_INSIDE = Integer.MAX_VALUE - (64L << 20);

    private static final int IR_VERSION = 10;
    private static final int ALIGNMENT = 1 << 16;
    /** What runtimes look at while they load a model, such as shapes, is small and stays inside. */
    private static final int LEAST_OUTSIDE = 1024;

    private OnnxWriter() {}

    /** The file beside a model that holds its weights where they are not inside. */
    public static Path outside(Path file) {
        return file.resolveSibling(file.getFileName() + ".data");
    }

    /**
     * Writes a model, whole or not at all.
     *
     * @param mostInside with more bytes of weights, these go to {@link #outside}, which is written first; {@link #MOST_INSIDE} at most
     */
    public static void write(Path file, OnnxModel model, long mostInside) {
        Map<String, Long> offsets = new LinkedHashMap<>();
        if (model.bytes() > mostInside) {
            AtomicWrite.file(outside(file), channel -> writeOutside(channel, model, offsets));
        }
        AtomicWrite.file(file, channel -> message(
                        model, outside(file).getFileName().toString(), offsets)
                .write(channel));
    }

    private static void writeOutside(FileChannel channel, OnnxModel model, Map<String, Long> offsets)
            throws IOException {
        for (Initializer initializer : model.initializers()) {
            if (initializer.bytes() < LEAST_OUTSIDE) {
                continue;
            }
            long offset = (channel.position() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
            ByteBuffer gap = ByteBuffer.allocate((int) (offset - channel.position()));
            while (gap.hasRemaining()) {
                channel.write(gap);
            }
            offsets.put(initializer.name(), offset);
            initializer.values().write(channel);
            if (channel.position() - offset != initializer.bytes()) {
                throw new IllegalArgumentException(initializer.name() + " of " + initializer.bytes()
                        + " bytes was given " + (channel.position() - offset) + " of them");
            }
        }
    }

    private static ProtoMessage message(OnnxModel model, String outside, Map<String, Long> offsets) {
        ProtoMessage graph = new ProtoMessage();
        model.nodes().forEach(node -> graph.message(1, node.message()));
        graph.string(2, "retort");
        for (Initializer initializer : model.initializers()) {
            Long offset = offsets.get(initializer.name());
            graph.message(5, offset == null ? initializer.inside() : initializer.outside(outside, offset));
        }
        model.inputs().forEach(input -> graph.message(11, message(input)));
        model.outputs().forEach(output -> graph.message(12, message(output)));
        ProtoMessage message =
                new ProtoMessage().integer(1, IR_VERSION).string(2, "retort").message(7, graph);
        model.opsets()
                .forEach((domain, version) -> message.message(
                        8, new ProtoMessage().string(1, domain).integer(2, version)));
        model.metadata().forEach((key, value) -> message.message(14, Initializer.pair(key, value)));
        return message;
    }

    /** A {@code ValueInfoProto}; what grows with the batch has the name of its size, such as {@code N}. */
    private static ProtoMessage message(Value value) {
        ProtoMessage tensor = new ProtoMessage()
                .integer(1, OnnxType.code(value.type()))
                .message(2, message(value.shape()));
        return new ProtoMessage().string(1, value.name()).message(2, new ProtoMessage().message(1, tensor));
    }

    private static ProtoMessage message(Shape shape) {
        ProtoMessage message = new ProtoMessage();
        for (Size size : shape.sizes()) {
            message.message(
                    1,
                    size.perSample() == 0
                            ? new ProtoMessage().integer(1, size.fixed())
                            : new ProtoMessage().string(2, size.toString()));
        }
        return message;
    }
}
