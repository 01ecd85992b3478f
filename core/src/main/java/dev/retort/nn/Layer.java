package dev.retort.nn;

import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.bytedeco.pytorch.Tensor;

/**
 * A piece of a network: parameters of its own, then children, each under the name it has in checkpoints. Tensors given to
 * {@link #parameter} and {@link #buffer} belong to the layer until {@link #close()}.
 */
public abstract class Layer implements AutoCloseable {
    private final Map<String, Tensor> own = new LinkedHashMap<>();
    private final Set<String> buffers = new LinkedHashSet<>();
    private final Map<String, Layer> children = new LinkedHashMap<>();

    /** Takes ownership of a trainable tensor. */
    protected final Tensor parameter(String name, Tensor initial) {
        own(name, initial).set_requires_grad(true);
        return initial;
    }

    /** Takes ownership of a tensor that is saved but not trained (a position table, running statistics). */
    protected final Tensor buffer(String name, Tensor initial) {
        buffers.add(name);
        return own(name, initial);
    }

    private Tensor own(String name, Tensor tensor) {
        if (own.put(name, tensor) != null) {
            throw new IllegalStateException("two tensors are named " + name);
        }
        // One reference beyond those of the scopes it was made in: it lives until close().
        tensor.retainReference();
        return tensor;
    }

    /** Adds a child; dots in its name are part of the path, as in {@code blocks.0}. */
    protected final <L extends Layer> L child(String name, L layer) {
        if (children.put(name, layer) != null) {
            throw new IllegalStateException("two children are named " + name);
        }
        return layer;
    }

    /** Removes a child and frees its tensors. */
    final void drop(String name) {
        children.remove(name).close();
    }

    /** All layers below this one by their path, each before those inside it. */
    public final Map<String, Layer> layers() {
        Map<String, Layer> layers = new LinkedHashMap<>();
        collectLayers("", layers);
        return layers;
    }

    private void collectLayers(String prefix, Map<String, Layer> into) {
        children.forEach((name, layer) -> {
            into.put(prefix + name, layer);
            layer.collectLayers(prefix + name + ".", into);
        });
    }

    /** Every tensor of this layer and its children by full name, in checkpoint order. */
    public final Map<String, Tensor> state() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        collect("", state, true);
        return state;
    }

    /** Every tensor that can be trained by full name, in checkpoint order. */
    public final Map<String, Tensor> parameters() {
        Map<String, Tensor> parameters = new LinkedHashMap<>();
        collect("", parameters, false);
        return parameters;
    }

    /** {@link #state()} without the tensors of adapters: what the network is where all of them are taken off. */
    public final Map<String, Tensor> stateWithoutAdapters() {
        Map<String, Tensor> state = state();
        state.keySet().removeIf(LowRank::owns);
        return state;
    }

    /** {@link #state()} as it is once all adapters are merged; of a layer that has one, a new tensor. */
    public final Map<String, Tensor> mergedState() {
        Map<String, Tensor> state = stateWithoutAdapters();
        layers().forEach((path, layer) -> {
            if (layer instanceof Affine affine && affine.adapter().isPresent()) {
                state.put(path + ".weight", affine.mergedWeight());
            }
        });
        return state;
    }

    /** Every parameter that is trained now, by full name, in checkpoint order: those that {@link #train} chose. */
    public final Map<String, Tensor> trainable() {
        Map<String, Tensor> trainable = parameters();
        trainable.values().removeIf(tensor -> !tensor.requires_grad());
        return trainable;
    }

    private void collect(String prefix, Map<String, Tensor> into, boolean withBuffers) {
        own.forEach((name, tensor) -> {
            if (withBuffers || !buffers.contains(name)) {
                into.put(prefix + name, tensor);
            }
        });
        children.forEach((name, layer) -> layer.collect(prefix + name + ".", into, withBuffers));
    }

    /** Number of values that are trained. */
    public final long parameterCount() {
        return parameters().values().stream().mapToLong(Tensor::numel).sum();
    }

    /** Number of values in a checkpoint, buffers included. */
    public final long stateCount() {
        return state().values().stream().mapToLong(Tensor::numel).sum();
    }

    /**
     * Copies values in, by name. Nothing is copied unless all fits.
     *
     * @return what does not fit, empty when all was copied: missing, unexpected and mis-shaped names
     */
    public final List<String> load(Map<String, Tensor> values) {
        List<String> problems = new ArrayList<>();
        Map<String, Tensor> state = state();
        state.forEach((name, tensor) -> {
            Tensor value = values.get(name);
            if (value == null) {
                problems.add("missing " + name);
            } else if (!Arrays.equals(Tensors.shape(value), Tensors.shape(tensor))) {
                problems.add(name + " has shape " + Arrays.toString(Tensors.shape(value)) + ", expected "
                        + Arrays.toString(Tensors.shape(tensor)));
            }
        });
        values.keySet().stream()
                .filter(name -> !state.containsKey(name))
                .forEach(name -> problems.add("unexpected " + name));
        if (problems.isEmpty()) {
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on()) {
                state.forEach((name, tensor) -> tensor.copy_(values.get(name)));
            }
        }
        return problems;
    }

    /** Chooses by full name which parameters are trained: no gradients will be computed for the others. */
    public final void train(Predicate<String> chosen) {
        parameters().forEach((name, tensor) -> tensor.set_requires_grad(chosen.test(name)));
    }

    /** Freezes every parameter. */
    public final void freeze() {
        train(name -> false);
    }

    /** The device of the first tensor. */
    public final Device device() {
        return Device.of(state().values().iterator().next());
    }

    /** Frees every tensor. */
    @Override
    public void close() {
        own.values().forEach(Tensor::close);
        own.clear();
        children.values().forEach(Layer::close);
    }
}
