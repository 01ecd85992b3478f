package dev.retort.io;

import dev.retort.io.PickleValue.Name;
import dev.retort.io.PickleValue.None;
import dev.retort.io.PickleValue.Plain;
import dev.retort.io.PickleValue.Tuple;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * Reads one pickle of protocol 2 to 5. It is a reader of data: names outside the allow list of {@link PickleNames} end
 * it, and the few that may be "called" are rebuilt here as values. No class is loaded, no code of the file is run.
 */
final class Unpickler {
    /** Each object costs memory; real checkpoints hold some ten thousands. */
    private static final int MOST_OBJECTS = 2_000_000;

    private static final Object MARK = new Object();

    private final PickleInput in;
    private final PickleNames names;
    private final List<Object> stack = new ArrayList<>();
    private final Map<Long, Object> memo = new HashMap<>();
    private int objects;

    Unpickler(PickleInput in, PickleNames names) {
        this.in = in;
        this.names = names;
    }

    /** The value; the stream then stands behind it. */
    Object read() throws IOException {
        try {
            int code = in.u8();
            while (code != '.') {
                step(code);
                code = in.u8();
            }
            Object value = pop();
            if (!stack.isEmpty()) {
                throw new Malformed("its pickle ends with values left over");
            }
            return value;
        } catch (ClassCastException | IndexOutOfBoundsException e) {
            throw new Malformed("its pickle puts values where others are expected");
        }
    }

    private void step(int code) throws IOException {
        switch (code) {
            case 0x80 -> protocol(in.u8());
            case 0x95 -> in.i64(); // a frame's length helps those who read ahead
            case '(' -> push(MARK);
            case '0' -> pop();
            case '1' -> popMark();
            case '2' -> push(top());
            case 'N' -> push(None.NONE);
            case 0x88 -> push(true);
            case 0x89 -> push(false);
            case 'K' -> push((long) in.u8());
            case 'M' -> push((long) in.u16());
            case 'J' -> push((long) in.i32());
            case 0x8a -> push(in.integer(in.u8()));
            case 0x8b -> push(in.integer(in.u32()));
            case 'G' -> push(in.f64());
            case 'U' -> push(in.latin1(in.u8()));
            case 'T' -> push(in.latin1(in.u32()));
            case 0x8c -> push(in.utf8(in.u8()));
            case 'X' -> push(in.utf8(in.u32()));
            case 0x8d -> push(in.utf8(in.i64()));
            case 'C' -> push(in.bytes(in.u8()));
            case 'B' -> push(in.bytes(in.u32()));
            case 0x8e, 0x96 -> push(in.bytes(in.i64()));
            case ')' -> push(new Tuple(List.of()));
            case 0x85 -> tuple(1);
            case 0x86 -> tuple(2);
            case 0x87 -> tuple(3);
            case 't' -> push(new Tuple(popMark()));
            case ']' -> push(new ArrayList<>());
            case 'l' -> push(popMark());
            case 'a' -> list(pop());
            case 'e' -> list(popMark().toArray());
            case '}' -> push(new LinkedHashMap<>());
            case 'd' -> {
                List<Object> pairs = popMark();
                push(new LinkedHashMap<>());
                pairs(pairs);
            }
            case 's' -> {
                Object value = pop();
                pairs(Arrays.asList(pop(), value));
            }
            case 'u' -> pairs(popMark());
            case 0x8f -> push(new LinkedHashSet<>());
            case 0x90 -> members(popMark());
            case 0x91 -> {
                List<Object> items = popMark();
                push(new LinkedHashSet<>());
                members(items);
            }
            case 'q' -> memo.put((long) in.u8(), top());
            case 'r' -> memo.put(in.u32(), top());
            case 0x94 -> memo.put((long) memo.size(), top());
            case 'h' -> push(remembered(in.u8()));
            case 'j' -> push(remembered(in.u32()));
            case 'c' -> push(names.find(in.line(), in.line()));
            case 'i' -> names.find(in.line(), in.line()); // the old way to make an object: named, then refused below
            case 0x93 -> {
                String name = (String) pop();
                push(names.find((String) pop(), name));
            }
            case 'R', 0x81 -> {
                Tuple arguments = (Tuple) pop();
                push(names.call((Name) pop(), arguments));
            }
            case 0x92 -> {
                Map<?, ?> named = (Map<?, ?>) pop();
                Tuple arguments = (Tuple) pop();
                if (!named.isEmpty()) {
                    throw new Malformed("its pickle passes named arguments");
                }
                push(names.call((Name) pop(), arguments));
            }
            case 'b' -> {
                Object state = pop();
                if (top() instanceof Plain plain) {
                    plain.state(state);
                } // A dictionary's own attributes (a state dict's _metadata) say nothing of tensors.
            }
            case 'Q' -> push(names.stored((Tuple) pop()));
            default ->
                throw new Malformed("its pickle uses the instruction 0x" + Integer.toHexString(code)
                        + ", which tensors do not need");
        }
        if (code == 'i') {
            throw new Malformed("its pickle makes an object in the way of protocol 0");
        }
    }

    private static void protocol(int version) throws Malformed {
        if (version < 2 || version > 5) {
            throw new Malformed(
                    "its pickle is of protocol " + version + ", expected 2 to 5", "save it again with torch.save");
        }
    }

    private void push(Object value) throws Malformed {
        if (++objects > MOST_OBJECTS) {
            throw new Malformed("its pickle holds more than " + MOST_OBJECTS + " objects");
        }
        stack.add(value);
    }

    private Object top() {
        return stack.get(stack.size() - 1);
    }

    private Object pop() throws Malformed {
        Object value = stack.remove(stack.size() - 1);
        if (value == MARK) {
            throw new Malformed("its pickle takes more values than it put");
        }
        return value;
    }

    private List<Object> popMark() throws Malformed {
        int mark = stack.lastIndexOf(MARK);
        if (mark < 0) {
            throw new Malformed("its pickle closes a list that it did not open");
        }
        List<Object> tail = stack.subList(mark + 1, stack.size());
        List<Object> items = new ArrayList<>(tail);
        stack.subList(mark, stack.size()).clear();
        return items;
    }

    private Object remembered(long index) throws Malformed {
        Object value = memo.get(index);
        if (value == null) {
            throw new Malformed("its pickle recalls what it never kept");
        }
        return value;
    }

    private void tuple(int size) throws Malformed {
        Object[] items = new Object[size];
        for (int i = size - 1; i >= 0; i--) {
            items[i] = pop();
        }
        push(new Tuple(Arrays.asList(items)));
    }

    @SuppressWarnings("unchecked")
    private void list(Object... items) {
        ((ArrayList<Object>) top()).addAll(Arrays.asList(items));
    }

    @SuppressWarnings("unchecked")
    private void pairs(List<Object> items) throws Malformed {
        if (items.size() % 2 != 0) {
            throw new Malformed("its pickle gives a key without a value");
        }
        Map<Object, Object> map = (LinkedHashMap<Object, Object>) top();
        for (int i = 0; i < items.size(); i += 2) {
            map.put(key(items.get(i)), items.get(i + 1));
        }
    }

    @SuppressWarnings("unchecked")
    private void members(List<Object> items) throws Malformed {
        Collection<Object> set = (LinkedHashSet<Object>) top();
        for (Object item : items) {
            set.add(key(item));
        }
    }

    /** What Python lets be a key; lists would be hashed by content, without end where they hold themselves. */
    static Object key(Object value) throws Malformed {
        boolean plain = value == None.NONE
                || value instanceof String
                || value instanceof Number
                || value instanceof Boolean
                || value instanceof BigInteger
                || value instanceof Tuple
                || value instanceof Name;
        if (!plain) {
            throw new Malformed("its pickle uses a list or a tensor as a key");
        }
        return value;
    }
}
