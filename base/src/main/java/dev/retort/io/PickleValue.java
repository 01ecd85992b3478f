package dev.retort.io;

import java.util.List;
import java.util.Map;

/**
 * What a pickle holds beyond numbers, text, bytes, lists ({@code ArrayList}), dictionaries ({@code LinkedHashMap}) and
 * sets ({@code LinkedHashSet}).
 */
sealed interface PickleValue {
    /** Python's None. */
    enum None implements PickleValue {
        /** The only one. */
        NONE
    }

    /** A tuple; equal to itself alone. */
    final class Tuple implements PickleValue {
        private final List<Object> items;

        Tuple(List<Object> items) {
            this.items = items;
        }

        List<Object> items() {
            return items;
        }

        Object at(int index) {
            return items.get(index);
        }

        int size() {
            return items.size();
        }
    }

    /** A name of the allow list: a class, a function, a dtype. It is a name and nothing else. */
    record Name(String module, String name) implements PickleValue {
        @Override
        public String toString() {
            return module + "." + name;
        }
    }

    /** An object that is kept as what was said of it, such as an argparse.Namespace; equal to itself alone. */
    final class Plain implements PickleValue {
        private final Name type;
        private final Tuple arguments;
        private Object state;

        Plain(Name type, Tuple arguments) {
            this.type = type;
            this.arguments = arguments;
        }

        Name type() {
            return type;
        }

        Tuple arguments() {
            return arguments;
        }

        Object state() {
            return state;
        }

        void state(Object given) {
            state = given;
        }
    }

    /**
     * Bytes that tensors are views of.
     *
     * @param key name of the storage in the file
     * @param type element type; uint8 for untyped ones
     * @param elements number of elements
     * @param offset elements of the whole storage before this part of it
     */
    record Storage(String key, TorchType type, long elements, long offset) implements PickleValue {}

    /** A tensor. */
    sealed interface Tensor extends PickleValue {}

    /**
     * A tensor that is a view of a storage.
     *
     * @param storage its bytes
     * @param type element type
     * @param start first element, in bytes from the storage's start
     * @param shape dimensions
     * @param strides elements from one index to the next
     */
    record View(Storage storage, TorchType type, long start, long[] shape, long[] strides) implements Tensor {}

    /**
     * A tensor of a kind that is only listed.
     *
     * @param type what it is
     * @param byteCount bytes of what it is made of
     * @param shape dimensions, as far as they are known
     */
    record Unread(String type, long byteCount, long[] shape) implements Tensor {}

    /** The attributes of a plain object, where it has some. */
    static Map<?, ?> attributes(Plain plain) {
        return plain.state() instanceof Map<?, ?> map ? map : Map.of();
    }
}
