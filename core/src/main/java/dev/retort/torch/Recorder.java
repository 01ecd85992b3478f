package dev.retort.torch;

import dev.retort.graph.Constant;
import dev.retort.graph.Graph;
import dev.retort.graph.Node;
import dev.retort.graph.Op;
import dev.retort.graph.Shape;
import dev.retort.graph.Size;
import dev.retort.graph.Value;
import dev.retort.graph.Weight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Notes what {@link Ops} computes on this thread, from {@link #on} to {@link #close}, as a {@link Graph}. An op is noted
 * once, whatever kernels compute it. A tensor that is neither an input nor a weight nor made by an op is a constant, and its
 * numbers are kept. All that is seen stays in memory until the end.
 *
 * <p>Where nothing is recorded an op asks a thread-local variable and goes on: some nanoseconds beside the microsecond that
 * the smallest op takes.
 */
public final class Recorder implements AutoCloseable {
    private static final ThreadLocal<Recorder> CURRENT = new ThreadLocal<>();

    /** What each tensor is, by the address of libtorch's own object: several Java objects may stand for one tensor. */
    private final Map<Long, Value> values = new HashMap<>();
    /** References to all of these, so that no address is given to a second tensor. */
    private final List<Tensor> held = new ArrayList<>();

    private final List<Weight> weights = new ArrayList<>();
    private final List<Value> inputs = new ArrayList<>();
    private final List<Constant> constants = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();

    private Recorder() {}

    /**
     * Begins.
     *
     * @param weights tensors of a layer under their names in checkpoints
     * @param trained names of those that are parameters
     * @param inputs what the forward gets, under the names they are to have in the graph
     */
    public static Recorder on(Map<String, Tensor> weights, Set<String> trained, Map<String, Tensor> inputs) {
        if (isOn()) {
            throw new IllegalStateException("this thread records already, expected one recorder at a time");
        }
        Recorder recorder = new Recorder();
        weights.forEach((name, tensor) ->
                recorder.weights.add(new Weight(recorder.define(name, tensor), trained.contains(name))));
        inputs.forEach((name, tensor) -> recorder.inputs.add(recorder.define(name, tensor)));
        CURRENT.set(recorder);
        return recorder;
    }

    /** Whether this thread records: what is noted then is to be the same ops for any batch. */
    public static boolean isOn() {
        return CURRENT.get() != null;
    }

    /**
     * What was computed so far, as far as the outputs depend on it.
     *
     * @param outputs tensors that were computed, or inputs
     * @return with sizes as they are: {@link Graph#over} makes the batch a symbol
     */
    public Graph graph(Tensor... outputs) {
        List<Value> results = new ArrayList<>();
        for (Tensor output : outputs) {
            Value value = values.get(address(output));
            if (value == null) {
                throw new IllegalStateException("an output of shape " + shape(output)
                        + " was not made by a recorded op, expected all arithmetic to go through Ops");
            }
            results.add(value);
        }
        Set<Value> needed = new HashSet<>(results);
        List<Node> needing = new ArrayList<>();
        for (int i = nodes.size() - 1; i >= 0; i--) {
            Node node = nodes.get(i);
            if (needed.contains(node.out())) {
                needed.addAll(node.in());
                needing.add(0, node);
            }
        }
        return new Graph(
                inputs,
                weights.stream()
                        .filter(weight -> needed.contains(weight.value()))
                        .toList(),
                constants.stream()
                        .filter(constant -> needed.contains(constant.value()))
                        .toList(),
                needing,
                results);
    }

    /** Notes an op that was computed; one that returned its operand itself changed nothing. */
    static Tensor note(Tensor result, Op op, Map<String, Object> attributes, Tensor... operands) {
        Recorder recorder = CURRENT.get();
        if (recorder != null && address(result) != address(operands[0])) {
            recorder.add(recorder.operands(operands), result, op, attributes);
        }
        return result;
    }

    /** {@link #note(Tensor, Op, Map, Tensor...)} without attributes. */
    static Tensor note(Tensor result, Op op, Tensor... operands) {
        return note(result, op, Map.of(), operands);
    }

    /** Computes and notes an op that may be made of others, which are not noted, or that overwrites its first operand. */
    static Tensor note(Supplier<Tensor> kernel, Op op, Map<String, Object> attributes, Tensor... operands) {
        Recorder recorder = CURRENT.get();
        if (recorder == null) {
            return kernel.get();
        }
        List<Value> in = recorder.operands(operands);
        Tensor result = recorder.paused(kernel);
        recorder.add(in, result, op, attributes);
        return result;
    }

    private <T> T paused(Supplier<T> supplier) {
        CURRENT.remove();
        try {
            return supplier.get();
        } finally {
            CURRENT.set(this);
        }
    }

    /** Notes that a tensor holds the values of another in another shape. */
    static Tensor reshaped(Tensor result, Tensor x) {
        return isOn() ? note(result, Op.RESHAPE, Map.of("shape", shape(result)), x) : result;
    }

    /** Notes that a tensor is a part of another. */
    static Tensor sliced(Tensor result, Tensor x, long dim, long start, long length) {
        return isOn()
                ? note(
                        result,
                        Op.SLICE,
                        Map.of("dim", dim, "start", Size.of(start), "end", Size.of(start + length), "step", 1L),
                        x)
                : result;
    }

    /** Notes that a tensor holds the same values in the same shape as another. */
    static Tensor same(Tensor result, Tensor as) {
        Recorder recorder = CURRENT.get();
        if (recorder != null) {
            recorder.bind(result, recorder.operand(as));
        }
        return result;
    }

    private void add(List<Value> in, Tensor result, Op op, Map<String, Object> attributes) {
        if (values.containsKey(address(result))) {
            requireUnshared(result);
        }
        Value out = new Value("%" + nodes.size(), Dtype.of(result).stored(), shape(result));
        nodes.add(new Node(op, in, out, fromFirst(attributes, in.get(0).shape().rank())));
        bind(result, out);
    }

    /** With the dimension counted from the first. */
    private static Map<String, Object> fromFirst(Map<String, Object> attributes, int rank) {
        if (!(attributes.get("dim") instanceof Long dim) || dim >= 0) {
            return attributes;
        }
        Map<String, Object> counted = new HashMap<>(attributes);
        counted.put("dim", dim + rank);
        return counted;
    }

    /** What is overwritten must be seen through one tensor alone, since the graph's values never change. */
    private void requireUnshared(Tensor overwritten) {
        long address = address(overwritten);
        for (Tensor tensor : held) {
            if (address(tensor) != address && tensor.is_alias_of(overwritten)) {
                throw new IllegalStateException("a tensor of shape " + shape(overwritten)
                        + " is overwritten that another one shares, which cannot be recorded");
            }
        }
    }

    private List<Value> operands(Tensor... tensors) {
        List<Value> in = new ArrayList<>();
        for (Tensor tensor : tensors) {
            if (tensor != null) {
                in.add(operand(tensor));
            }
        }
        return in;
    }

    private Value operand(Tensor tensor) {
        Value value = values.get(address(tensor));
        if (value == null) {
            value = define("constant." + constants.size(), tensor);
            constants.add(new Constant(value, paused(() -> numbers(tensor))));
        }
        return value;
    }

    private Value define(String name, Tensor tensor) {
        Value value = new Value(name, Dtype.of(tensor).stored(), shape(tensor));
        bind(tensor, value);
        return value;
    }

    private void bind(Tensor tensor, Value value) {
        if (values.put(address(tensor), value) == null) {
            try (Scope scope = Scope.open()) {
                held.add(scope.keep(new Tensor(tensor)));
            }
        }
    }

    private static double[] numbers(Tensor tensor) {
        if (Dtype.of(tensor) == Dtype.I64) {
            return LongStream.of(Tensors.longs(tensor)).asDoubleStream().toArray();
        }
        float[] floats = Tensors.floats(tensor);
        double[] numbers = new double[floats.length];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = floats[i];
        }
        return numbers;
    }

    private static long address(Tensor tensor) {
        return tensor.unsafeGetTensorImpl().address();
    }

    private static Shape shape(Tensor tensor) {
        return Shape.of(Tensors.shape(tensor));
    }

    /** Ends. */
    @Override
    public void close() {
        CURRENT.remove();
        held.forEach(Tensor::close);
    }
}
