package dev.retort.io;

import dev.retort.error.RetortException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Writes a safetensors file tensor by tensor: the bytes of each are asked for when its turn comes, so no second copy of
 * all weights exists. Wider element types come first, which keeps every tensor aligned; otherwise the order is that of
 * the calls.
 */
public final class SafetensorsWriter {
    private record Pending(String name, Dtype dtype, long[] shape, Supplier<ByteBuffer> data) {}

    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, Pending> tensors = new LinkedHashMap<>();

    /** Adds a pair to the header's free text. */
    public SafetensorsWriter metadata(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    /** Adds pairs to the header's free text. */
    public SafetensorsWriter metadata(Map<String, String> pairs) {
        metadata.putAll(pairs);
        return this;
    }

    /**
     * Adds a tensor.
     *
     * @param shape dimensions, outermost first; empty for a scalar
     * @param data gives exactly the tensor's bytes, little-endian, between position and limit; called once, in
     *     {@link #write}
     */
    public SafetensorsWriter add(String name, Dtype dtype, long[] shape, Supplier<ByteBuffer> data) {
        Pending tensor = new Pending(name, dtype, shape.clone(), data);
        if (name.equals("__metadata__") || tensors.putIfAbsent(name, tensor) != null) {
            throw new IllegalArgumentException("tensor name '" + name + "' is taken");
        }
        return this;
    }

    /** Adds a tensor of F32. */
    public SafetensorsWriter add(String name, long[] shape, float[] values) {
        return add(name, Dtype.F32, shape, () -> {
            ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(values);
            return bytes;
        });
    }

    /**
     * Writes the file, whole or not at all.
     *
     * @throws RetortException of kind WRITE when the disk is full or refuses; a file that was there before stays
     */
    public void write(Path path) {
        List<Pending> inOrder = new ArrayList<>(tensors.values());
        inOrder.sort(Comparator.comparingInt((Pending tensor) -> tensor.dtype().bytes())
                .reversed());
        AtomicWrite.file(path, channel -> {
            byte[] header = header(inOrder);
            ByteBuffer start = ByteBuffer.allocate(8 + header.length).order(ByteOrder.LITTLE_ENDIAN);
            AtomicWrite.writeFully(
                    channel, start.putLong(header.length).put(header).flip());
            for (Pending tensor : inOrder) {
                write(channel, tensor);
            }
        });
    }

    private static void write(FileChannel channel, Pending tensor) throws IOException {
        ByteBuffer bytes = tensor.data().get().duplicate();
        long expected = tensor.dtype().bytesOf(tensor.shape());
        if (bytes.remaining() != expected) {
            throw new IllegalArgumentException("tensor '" + tensor.name() + "' of " + tensor.dtype()
                    + Arrays.toString(tensor.shape()) + " needs " + expected + " bytes, was given "
                    + bytes.remaining());
        }
        AtomicWrite.writeFully(channel, bytes);
    }

    private byte[] header(List<Pending> inOrder) {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try (JsonGenerator out = new JsonFactory().createGenerator(ObjectWriteContext.empty(), json)) {
            out.writeStartObject();
            if (!metadata.isEmpty()) {
                out.writeName("__metadata__").writeStartObject();
                metadata.forEach(out::writeStringProperty);
                out.writeEndObject();
            }
            long offset = 0;
            for (Pending tensor : inOrder) {
                long end = offset + tensor.dtype().bytesOf(tensor.shape());
                out.writeName(tensor.name()).writeStartObject();
                out.writeStringProperty("dtype", tensor.dtype().name());
                out.writeName("shape").writeArray(tensor.shape(), 0, tensor.shape().length);
                out.writeName("data_offsets").writeArray(new long[] {offset, end}, 0, 2);
                out.writeEndObject();
                offset = end;
            }
            out.writeEndObject();
        }
        while (json.size() % 8 != 0) {
            json.write(' ');
        }
        return json.toByteArray();
    }
}
