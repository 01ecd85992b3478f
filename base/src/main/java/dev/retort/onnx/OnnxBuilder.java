package dev.retort.onnx;

import dev.retort.graph.Shape;
import dev.retort.graph.Value;
import dev.retort.io.Dtype;
import dev.retort.io.SafetensorsWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** Puts an {@link OnnxModel} together: each node is checked when it is added, results get names of their own, equal constants are held once. */
public final class OnnxBuilder {
    private final List<Value> inputs = new ArrayList<>();
    private final Map<String, Initializer> initializers = new LinkedHashMap<>();
    private final List<OnnxNode> nodes = new ArrayList<>();
    private final List<Value> outputs = new ArrayList<>();
    private final Map<String, Integer> counts = new HashMap<>();
    private String label = "";

    /** From now on results are named after this place in the network, such as {@code blocks.0.attn.qkv}. */
    public void label(String place) {
        label = place;
    }

    /** An input of the model; its name. */
    public String input(String name, Dtype type, Shape shape) {
        inputs.add(new Value(name, type, shape));
        return name;
    }

    /** An output of the model under a name of its own. */
    public void output(String name, Dtype type, Shape shape, String value) {
        nodes.add(new OnnxNode(OnnxOp.IDENTITY, List.of(value), List.of(name), Map.of()));
        outputs.add(new Value(name, type, shape));
    }

    /** The first of the results of a node. */
    public String add(OnnxOp op, Map<String, Object> attributes, String... in) {
        return add(1, op, attributes, in).get(0);
    }

    /** The result of a node that says nothing beside its operands. */
    public String add(OnnxOp op, String... in) {
        return add(op, Map.of(), in);
    }

    /**
     * The results of a node.
     *
     * @throws IllegalArgumentException where operands or attributes are not the operator's
     */
    public List<String> add(int results, OnnxOp op, Map<String, Object> attributes, String... in) {
        List<String> out = new ArrayList<>();
        for (int i = 0; i < results; i++) {
            out.add(fresh(label + "/" + op.type()));
        }
        nodes.add(new OnnxNode(op, Arrays.asList(in), out, attributes));
        return out;
    }

    private String fresh(String name) {
        int count = counts.merge(name, 1, Integer::sum);
        return count == 1 ? name : name + "." + count;
    }

    /** A tensor of the file; held once under a name, whose values whoever comes first decides. */
    public String initializer(String name, Dtype type, long[] dims, SafetensorsWriter.Values values) {
        initializers.computeIfAbsent(name, own -> new Initializer(own, type, dims, values));
        return name;
    }

    /** A single number. */
    public String number(Dtype type, double value) {
        return constant("number." + type + "." + value, type, new double[] {value});
    }

    /** A single fp32 number. */
    public String number(double value) {
        return number(Dtype.F32, value);
    }

    /** A row of 64-bit integers, such as a shape. */
    public String wholes(long... values) {
        String name = "wholes." + LongStream.of(values).mapToObj(Long::toString).collect(Collectors.joining("."));
        return constant(name, Dtype.I64, LongStream.of(values).asDoubleStream().toArray(), values.length);
    }

    /** As many fp32 numbers, all the same. */
    public String repeated(double value, long count) {
        double[] values = new double[Math.toIntExact(count)];
        Arrays.fill(values, value);
        return constant("repeated." + value + "." + count, Dtype.F32, values, count);
    }

    /** Numbers under a name, row-major; 64-bit integers, truth values, fp32 or bytes. */
    public String constant(String name, Dtype type, double[] values, long... dims) {
        return initializer(name, type, dims, out -> {
            ByteBuffer bytes = ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            for (double value : values) {
                put(bytes, type, value);
            }
            out.write(bytes.flip());
        });
    }

    private static void put(ByteBuffer bytes, Dtype type, double value) {
        switch (type) {
            case F32 -> bytes.putFloat((float) value);
            case I64 -> bytes.putLong((long) value);
            case BOOL, U8, I8 -> bytes.put((byte) value);
            default -> throw new IllegalArgumentException("no constants are written as " + type);
        }
    }

    /** All of it. */
    public OnnxModel model(Map<String, String> metadata) {
        return new OnnxModel(inputs, List.copyOf(initializers.values()), nodes, outputs, metadata);
    }
}
