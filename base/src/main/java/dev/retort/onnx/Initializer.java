package dev.retort.onnx;

import dev.retort.io.Dtype;
import dev.retort.io.ProtoMessage;
import dev.retort.io.SafetensorsWriter;
import java.util.Arrays;

/**
 * A tensor that the file holds.
 *
 * @param name its own within the model
 * @param type of its elements
 * @param dims its shape; empty for a single number
 * @param values writes exactly its bytes, row-major and little-endian, whenever asked
 */
public record Initializer(String name, Dtype type, long[] dims, SafetensorsWriter.Values values) {
    /** Copies. */
    public Initializer {
        dims = dims.clone();
    }

    @Override
    public long[] dims() {
        return dims.clone();
    }

    /** Size of its values. */
    public long bytes() {
        return type.bytesOf(dims);
    }

    /** A {@code TensorProto} with the values inside. */
    ProtoMessage inside() {
        return head().streamed(9, bytes(), values);
    }

    /** A {@code TensorProto} whose values lie in another file. */
    ProtoMessage outside(String file, long offset) {
        return head().message(13, pair("location", file))
                .message(13, pair("offset", Long.toString(offset)))
                .message(13, pair("length", Long.toString(bytes())))
                .integer(14, 1);
    }

    private ProtoMessage head() {
        ProtoMessage message = new ProtoMessage();
        Arrays.stream(dims).forEach(dim -> message.integer(1, dim));
        return message.integer(2, OnnxType.code(type)).string(8, name);
    }

    /** A {@code StringStringEntryProto}. */
    static ProtoMessage pair(String key, String value) {
        return new ProtoMessage().string(1, key).string(2, value);
    }
}
