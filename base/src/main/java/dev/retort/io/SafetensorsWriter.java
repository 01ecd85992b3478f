package dev.retort.io;

import dev.retort.error.RetortException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Writes safetensors, one file or several with an index, tensor by tensor: the bytes of each are asked for when its turn
 * comes, so no second copy of all weights exists. Wider element types come first, which keeps every tensor aligned;
 * otherwise the order is that of the calls.
 */
public final class SafetensorsWriter {
    /** Streams the values of one tensor. */
    @FunctionalInterface
    public interface Values {
        /** Writes all values' bytes, row-major and little-endian, in as many portions as it likes. */
        void write(WritableByteChannel out) throws IOException;
    }

    private record Pending(String name, Dtype dtype, long[] shape, Values values) {
        long bytes() {
            return dtype.bytesOf(shape);
        }
    }

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
        return add(name, dtype, shape, out -> {
            ByteBuffer bytes = data.get().duplicate();
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        });
    }

    /**
     * Adds a tensor of any size whose values are streamed.
     *
     * @param shape dimensions, outermost first; empty for a scalar
     * @param values writes exactly the tensor's bytes; called once
     */
    public SafetensorsWriter add(String name, Dtype dtype, long[] shape, Values values) {
        Pending tensor = new Pending(name, dtype, shape.clone(), values);
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
     * Writes one file, whole or not at all.
     *
     * @throws RetortException of kind WRITE when the disk is full or refuses; a file that was there before stays
     */
    public void write(Path path) {
        write(path, List.copyOf(tensors.values()));
    }

    /**
     * Writes {@code BASE.safetensors} or, where all tensors together exceed {@code mostBytes}, files
     * {@code BASE-00001-of-0000N.safetensors} of at most that size and {@code BASE.safetensors.index.json}. A tensor is
     * never cut: one that is larger has a file of its own.
     *
     * @throws RetortException of kind WRITE when the disk is full or refuses
     */
    public void writeShards(Path folder, String base, long mostBytes) {
        List<List<Pending>> shards = new ArrayList<>();
        long total = 0;
        long inLast = 0;
        for (Pending tensor : tensors.values()) {
            if (shards.isEmpty() || inLast + tensor.bytes() > mostBytes && inLast > 0) {
                shards.add(new ArrayList<>());
                inLast = 0;
            }
            shards.get(shards.size() - 1).add(tensor);
            inLast += tensor.bytes();
            total += tensor.bytes();
        }
        if (shards.size() <= 1) {
            write(folder.resolve(base + ".safetensors"));
            return;
        }
        Map<String, String> fileOf = new TreeMap<>();
        for (int i = 0; i < shards.size(); i++) {
            String file = String.format(Locale.ROOT, "%s-%05d-of-%05d.safetensors", base, i + 1, shards.size());
            write(folder.resolve(file), shards.get(i));
            shards.get(i).forEach(tensor -> fileOf.put(tensor.name(), file));
        }
        AtomicWrite.bytes(folder.resolve(base + ".safetensors.index.json"), index(fileOf, total));
    }

    private static byte[] index(Map<String, String> fileOf, long total) {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try (JsonGenerator out = new JsonFactory().createGenerator(ObjectWriteContext.empty(), json)) {
            out.writeStartObject();
            out.writeName("metadata").writeStartObject();
            out.writeNumberProperty("total_size", total);
            out.writeEndObject();
            out.writeName("weight_map").writeStartObject();
            fileOf.forEach(out::writeStringProperty);
            out.writeEndObject();
            out.writeEndObject();
        }
        return json.toByteArray();
    }

    private void write(Path path, List<Pending> ofFile) {
        List<Pending> inOrder = new ArrayList<>(ofFile);
        inOrder.sort(Comparator.comparingInt((Pending tensor) -> tensor.dtype().bytes())
                .reversed());
        AtomicWrite.file(path, channel -> {
            byte[] header = header(inOrder);
            ByteBuffer start = ByteBuffer.allocate(8 + header.length).order(ByteOrder.LITTLE_ENDIAN);
            AtomicWrite.writeFully(
                    channel, start.putLong(header.length).put(header).flip());
            for (Pending tensor : inOrder) {
                long before = channel.position();
                tensor.values().write(channel);
                long written = channel.position() - before;
                if (written != tensor.bytes()) {
                    throw new IllegalArgumentException("tensor '" + tensor.name() + "' of " + tensor.dtype()
                            + Arrays.toString(tensor.shape()) + " needs " + tensor.bytes() + " bytes, was given "
                            + written);
                }
            }
        });
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
                long end = offset + tensor.bytes();
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
