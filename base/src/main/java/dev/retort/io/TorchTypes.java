package dev.retort.io;

import dev.retort.io.PickleValue.Name;
import dev.retort.io.PickleValue.Storage;
import dev.retort.io.PickleValue.Tuple;
import dev.retort.io.PickleValue.Unread;
import dev.retort.io.PickleValue.View;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Torch's names of element types and storages, and the checks that a view lies inside its storage. */
final class TorchTypes {
    private static final int MOST_DIMENSIONS = 64;
    /** An expanded view may claim more values than its storage has, up to so many bytes: a file cannot fill memory by it. */
    private static final long MOST_EXPANDED = 1L << 26;

    private static final Map<String, TorchType> DTYPES = Stream.of(
                    TorchType.read("float32", Dtype.F32),
                    TorchType.read("float64", Dtype.F64),
                    TorchType.read("float16", Dtype.F16),
                    TorchType.read("bfloat16", Dtype.BF16),
                    TorchType.read("float8_e4m3fn", Dtype.F8_E4M3),
                    TorchType.read("float8_e5m2", Dtype.F8_E5M2),
                    TorchType.read("int64", Dtype.I64),
                    TorchType.read("int32", Dtype.I32),
                    TorchType.read("int16", Dtype.I16),
                    TorchType.read("int8", Dtype.I8),
                    TorchType.read("uint8", Dtype.U8),
                    TorchType.read("uint16", Dtype.U16),
                    TorchType.read("uint32", Dtype.U32),
                    TorchType.read("uint64", Dtype.U64),
                    TorchType.read("bool", Dtype.BOOL),
                    TorchType.listed("complex32", 4),
                    TorchType.listed("complex64", 8),
                    TorchType.listed("complex128", 16),
                    TorchType.listed("float8_e4m3fnuz", 1),
                    TorchType.listed("float8_e5m2fnuz", 1),
                    TorchType.listed("float8_e8m0fnu", 1),
                    TorchType.listed("float4_e2m1fn_x2", 1),
                    TorchType.listed("qint8", 1),
                    TorchType.listed("quint8", 1),
                    TorchType.listed("qint32", 4),
                    TorchType.listed("quint4x2", 1),
                    TorchType.listed("quint2x4", 1),
                    TorchType.listed("bits8", 1),
                    TorchType.listed("bits16", 2),
                    TorchType.listed("bits1x8", 1),
                    TorchType.listed("bits2x4", 1),
                    TorchType.listed("bits4x2", 1))
            .collect(Collectors.toUnmodifiableMap(TorchType::name, type -> type));
    private static final Map<String, String> STORAGES = Map.ofEntries(
            Map.entry("FloatStorage", "float32"),
            Map.entry("DoubleStorage", "float64"),
            Map.entry("HalfStorage", "float16"),
            Map.entry("BFloat16Storage", "bfloat16"),
            Map.entry("LongStorage", "int64"),
            Map.entry("IntStorage", "int32"),
            Map.entry("ShortStorage", "int16"),
            Map.entry("CharStorage", "int8"),
            Map.entry("ByteStorage", "uint8"),
            Map.entry("BoolStorage", "bool"),
            Map.entry("UntypedStorage", "uint8"),
            Map.entry("ComplexFloatStorage", "complex64"),
            Map.entry("ComplexDoubleStorage", "complex128"),
            Map.entry("QInt8Storage", "qint8"),
            Map.entry("QUInt8Storage", "quint8"),
            Map.entry("QInt32Storage", "qint32"),
            Map.entry("QUInt4x2Storage", "quint4x2"),
            Map.entry("QUInt2x4Storage", "quint2x4"));
    /** Where storages have lived over the years. */
    private static final Set<String> MODULES = Set.of("torch", "torch.cuda", "torch.storage");

    private TorchTypes() {}

    /** The element type of {@code torch.FloatStorage} and its like. */
    static Optional<TorchType> storage(String full) {
        int dot = full.lastIndexOf('.');
        return MODULES.contains(full.substring(0, Math.max(0, dot)))
                ? Optional.ofNullable(STORAGES.get(full.substring(dot + 1))).map(DTYPES::get)
                : Optional.empty();
    }

    /** The name of a typed storage; types that have none are refused. */
    static String storageName(Dtype dtype) {
        return STORAGES.entrySet().stream()
                .filter(entry -> DTYPES.get(entry.getValue()).read() == dtype
                        && !entry.getKey().equals("UntypedStorage"))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("torch has no typed storage of " + dtype));
    }

    /** Whether this is a name such as {@code torch.float32}. */
    static boolean named(String full) {
        return full.startsWith("torch.") && DTYPES.containsKey(full.substring(6));
    }

    static TorchType dtype(Name name) throws Malformed {
        if (!named(name.toString())) {
            throw new Malformed("its pickle takes " + name + " for an element type");
        }
        return DTYPES.get(name.name());
    }

    /** A part of a storage, as the oldest files cut them. */
    static Storage part(String key, TorchType type, long whole, long offset, long elements) throws Malformed {
        if (whole < 0 || offset < 0 || elements < 0 || offset > whole - elements) {
            throw new Malformed(
                    "its storage '" + key + "' has " + elements + " elements from " + offset + " of " + whole);
        }
        return new Storage(key, type, elements, offset);
    }

    /**
     * {@code (storage, offset, size, stride, …)}.
     *
     * @param type element type, in which offset and strides count; the storage may be an untyped one
     */
    static View tensor(Tuple arguments, TorchType type) throws IOException {
        Storage storage = (Storage) arguments.at(0);
        long offset = (Long) arguments.at(1);
        long[] shape = longs((Tuple) arguments.at(2));
        long[] strides = longs((Tuple) arguments.at(3));
        String what = "its tensor of " + type.name() + Arrays.toString(shape) + " by " + Arrays.toString(strides)
                + " from " + offset;
        try {
            long available = storage.elements() * storage.type().bytes() / type.bytes();
            boolean negative = offset < 0
                    || Arrays.stream(shape).anyMatch(n -> n < 0)
                    || Arrays.stream(strides).anyMatch(n -> n < 0);
            if (negative || shape.length != strides.length || shape.length > MOST_DIMENSIONS) {
                throw new Malformed(what + " is not a view of any storage");
            }
            long claimed = type.bytesOf(shape);
            if (Math.addExact(offset, StoredTensor.span(shape, strides)) > available && claimed > 0) {
                throw new Malformed(what + " reaches beyond its storage of " + available + " elements");
            }
            if (claimed > Math.max(available * type.bytes(), MOST_EXPANDED)) {
                throw new Malformed(
                        what + " repeats its storage of " + available + " elements until they are " + claimed
                                + " bytes, more than " + MOST_EXPANDED,
                        "save a clone of it, expanded views could claim any size");
            }
            long start = Math.addExact(
                    Math.multiplyExact(storage.offset(), storage.type().bytes()),
                    Math.multiplyExact(offset, type.bytes()));
            return new View(storage, type, start, shape, strides);
        } catch (ArithmeticException e) {
            throw new Malformed(what + " exceeds 63 bits");
        }
    }

    /**
     * A tensor that is no view of one storage, such as a sparse one, as far as it can be listed.
     *
     * @param parts what it is made of; the last tuple of whole numbers among them is its shape
     */
    static Unread unread(String type, Tuple parts) throws IOException {
        long[] shape = new long[0];
        long bytes = 0;
        for (Object part : parts.items()) {
            if (part instanceof View view) {
                bytes += view.type().bytesOf(view.shape());
            } else if (part instanceof Tuple tuple
                    && tuple.items().stream().allMatch(item -> item instanceof Long size && size >= 0)) {
                shape = longs(tuple);
            }
        }
        try {
            Arrays.stream(shape).reduce(1, Math::multiplyExact);
        } catch (ArithmeticException e) {
            throw new Malformed("its " + type + " tensor of shape " + Arrays.toString(shape) + " exceeds 63 bits");
        }
        return new Unread(type, bytes, shape);
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
