package dev.retort.io;

import dev.retort.io.PickleValue.Name;
import dev.retort.io.PickleValue.Storage;
import dev.retort.io.PickleValue.Tuple;
import dev.retort.io.PickleValue.View;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Torch's names of element types and storages, and the checks that a view lies inside its storage. */
final class TorchTypes {
    private static final int MOST_DIMENSIONS = 64;
    private static final Map<String, Dtype> STORAGES = Map.ofEntries(
            Map.entry("FloatStorage", Dtype.F32),
            Map.entry("DoubleStorage", Dtype.F64),
            Map.entry("HalfStorage", Dtype.F16),
            Map.entry("BFloat16Storage", Dtype.BF16),
            Map.entry("LongStorage", Dtype.I64),
            Map.entry("IntStorage", Dtype.I32),
            Map.entry("ShortStorage", Dtype.I16),
            Map.entry("CharStorage", Dtype.I8),
            Map.entry("ByteStorage", Dtype.U8),
            Map.entry("BoolStorage", Dtype.BOOL),
            Map.entry("UntypedStorage", Dtype.U8));
    private static final Map<String, Dtype> DTYPES = Map.ofEntries(
            Map.entry("float32", Dtype.F32),
            Map.entry("float64", Dtype.F64),
            Map.entry("float16", Dtype.F16),
            Map.entry("bfloat16", Dtype.BF16),
            Map.entry("float8_e4m3fn", Dtype.F8_E4M3),
            Map.entry("float8_e5m2", Dtype.F8_E5M2),
            Map.entry("int64", Dtype.I64),
            Map.entry("int32", Dtype.I32),
            Map.entry("int16", Dtype.I16),
            Map.entry("int8", Dtype.I8),
            Map.entry("uint8", Dtype.U8),
            Map.entry("uint16", Dtype.U16),
            Map.entry("uint32", Dtype.U32),
            Map.entry("uint64", Dtype.U64),
            Map.entry("bool", Dtype.BOOL));
    /** Where storages have lived over the years. */
    private static final Set<String> MODULES = Set.of("torch", "torch.cuda", "torch.storage");

    private TorchTypes() {}

    /** The element type of {@code torch.FloatStorage} and its like. */
    static Optional<Dtype> storage(String full) {
        int dot = full.lastIndexOf('.');
        return MODULES.contains(full.substring(0, Math.max(0, dot)))
                ? Optional.ofNullable(STORAGES.get(full.substring(dot + 1)))
                : Optional.empty();
    }

    /** The name of a typed storage; types that have none are refused. */
    static String storageName(Dtype dtype) {
        return STORAGES.entrySet().stream()
                .filter(entry -> entry.getValue() == dtype && !entry.getKey().equals("UntypedStorage"))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("torch has no typed storage of " + dtype));
    }

    /** Whether this is a name such as {@code torch.float32}. */
    static boolean named(String full) {
        return full.startsWith("torch.") && DTYPES.containsKey(full.substring(6));
    }

    static Dtype dtype(Name name) throws Malformed {
        if (!named(name.toString())) {
            throw new Malformed("its pickle takes " + name + " for an element type");
        }
        return DTYPES.get(name.name());
    }

    /** A part of a storage, as the oldest files cut them. */
    static Storage part(String key, Dtype dtype, long whole, long offset, long elements) throws Malformed {
        if (whole < 0 || offset < 0 || elements < 0 || offset > whole - elements) {
            throw new Malformed(
                    "its storage '" + key + "' has " + elements + " elements from " + offset + " of " + whole);
        }
        return new Storage(key, dtype, elements, offset);
    }

    /**
     * {@code (storage, offset, size, stride, …)}.
     *
     * @param dtype element type, in which offset and strides count; the storage may be an untyped one
     */
    static View tensor(Tuple arguments, Dtype dtype) throws IOException {
        Storage storage = (Storage) arguments.at(0);
        long offset = (Long) arguments.at(1);
        long[] shape = longs((Tuple) arguments.at(2));
        long[] strides = longs((Tuple) arguments.at(3));
        String what = "its tensor of " + dtype + Arrays.toString(shape) + " by " + Arrays.toString(strides) + " from "
                + offset;
        try {
            long available = storage.elements() * storage.dtype().bytes() / dtype.bytes();
            long elements = dtype.bytesOf(shape) / dtype.bytes();
            boolean negative = offset < 0
                    || Arrays.stream(shape).anyMatch(n -> n < 0)
                    || Arrays.stream(strides).anyMatch(n -> n < 0);
            if (negative || shape.length != strides.length || shape.length > MOST_DIMENSIONS) {
                throw new Malformed(what + " is no view of anything");
            }
            if (Math.addExact(offset, StoredTensor.span(shape, strides)) > available && elements > 0) {
                throw new Malformed(what + " reaches beyond its storage of " + available + " elements");
            }
            if (elements > available) {
                throw new Malformed(what + " repeats its storage of " + available
                        + " elements; save a clone of it, expanded views could claim any size");
            }
            long start = Math.addExact(
                    Math.multiplyExact(storage.offset(), storage.dtype().bytes()),
                    Math.multiplyExact(offset, dtype.bytes()));
            return new View(storage, dtype, start, shape, strides);
        } catch (ArithmeticException e) {
            throw new Malformed(what + " exceeds 63 bits");
        }
    }

    private static long[] longs(Tuple tuple) throws Malformed {
        long[] values = new long[tuple.size()];
        for (int i = 0; i < values.length; i++) {
            if (!(tuple.at(i) instanceof Long value)) {
                throw new Malformed("its pickle gives a size that is not an integer");
            }
            values[i] = value;
        }
        return values;
    }
}
