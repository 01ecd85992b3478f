package dev.retort.onnx;

import dev.retort.io.ProtoMessage;
import java.util.List;

/**
 * What an {@link OnnxOp} says beside its operands.
 *
 * @param name as ONNX calls it
 * @param kind type of its value
 * @param required whether a node must say it
 */
public record OnnxAttribute(String name, Kind kind, boolean required) {
    /** Types of values, with the Java class that holds one. */
    public enum Kind {
        /** A real number, written as float. */
        FLOAT(Double.class, 1),
        /** A whole number. */
        INT(Long.class, 2),
        /** A word. */
        STRING(String.class, 3),
        /** Whole numbers, a {@link List} of {@link Long}. */
        INTS(List.class, 7);

        private final Class<?> type;
        private final int code;

        Kind(Class<?> type, int code) {
            this.type = type;
            this.code = code;
        }

        Class<?> type() {
            return type;
        }
    }

    static OnnxAttribute optional(String name, Kind kind) {
        return new OnnxAttribute(name, kind, false);
    }

    static OnnxAttribute required(String name, Kind kind) {
        return new OnnxAttribute(name, kind, true);
    }

    /** An {@code AttributeProto}. */
    ProtoMessage message(Object value) {
        ProtoMessage message = new ProtoMessage().string(1, name);
        switch (kind) {
            case FLOAT -> message.float32(2, ((Double) value).floatValue());
            case INT -> message.integer(3, (Long) value);
            case STRING -> message.string(4, (String) value);
            case INTS -> ((List<?>) value).forEach(number -> message.integer(8, (Long) number));
        }
        return message.integer(20, kind.code);
    }
}
