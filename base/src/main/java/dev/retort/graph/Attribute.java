package dev.retort.graph;

import dev.retort.io.Dtype;
import java.util.List;

/**
 * What an {@link Op} needs to know beside its operands.
 *
 * @param name key in {@link Node#attributes}
 * @param type class of the value: {@link Long}, {@link Double}, {@link Boolean}, {@link Size}, {@link Shape}, {@link List} of
 *     {@link Long}, or {@link Dtype}
 */
public record Attribute(String name, Class<?> type) {
    static Attribute whole(String name) {
        return new Attribute(name, Long.class);
    }

    static Attribute wholes(String name) {
        return new Attribute(name, List.class);
    }

    static Attribute number(String name) {
        return new Attribute(name, Double.class);
    }

    static Attribute flag(String name) {
        return new Attribute(name, Boolean.class);
    }

    static Attribute size(String name) {
        return new Attribute(name, Size.class);
    }

    static Attribute shape(String name) {
        return new Attribute(name, Shape.class);
    }

    static Attribute type(String name) {
        return new Attribute(name, Dtype.class);
    }
}
