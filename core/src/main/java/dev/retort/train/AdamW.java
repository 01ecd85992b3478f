package dev.retort.train;

import dev.retort.torch.Boxed;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** AdamW (Loshchilov and Hutter 2019) by libtorch's fused kernel; state in fp32 under the parameters' names. */
public final class AdamW implements Optimizer {
    private final Map<String, Tensor> parameters = new LinkedHashMap<>();
    private final Map<String, Tensor> means = new LinkedHashMap<>();
    private final Map<String, Tensor> squares = new LinkedHashMap<>();
    private final Map<String, Tensor> steps = new LinkedHashMap<>();
    private OptimizerConfig config;

    /** For parameters by name. */
    public AdamW(Map<String, Tensor> parameters, OptimizerConfig config) {
        this.config = config;
        add(parameters);
    }

    @Override
    public void add(Map<String, Tensor> added) {
        parameters.putAll(added);
        try (Scope scope = Scope.open()) {
            added.forEach((name, p) -> {
                Device device = Device.of(p);
                means.put(name, scope.keep(Tensors.zeros(device, Tensors.shape(p))));
                squares.put(name, scope.keep(Tensors.zeros(device, Tensors.shape(p))));
                steps.put(name, scope.keep(Tensors.zeros(device)));
            });
        }
    }

    @Override
    public void remove(Collection<String> names) {
        for (Map<String, Tensor> remembered : List.of(means, squares, steps)) {
            names.forEach(name -> remembered.remove(name).close());
        }
        parameters.keySet().removeAll(names);
    }

    @Override
    public void configure(OptimizerConfig settings) {
        config = settings;
    }

    @Override
    public List<String> unreached() {
        return parameters.entrySet().stream()
                .filter(entry -> !entry.getValue().mutable_grad().defined())
                .map(Map.Entry::getKey)
                .toList();
    }

    @Override
    public void step(double rate) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            List<String> reached = reached();
            // The kernel takes the number of the step it is to make, counted from 1.
            Boxed.call("aten::_foreach_add_", "Scalar", pick(steps, reached), 1.0);
            Boxed.call(
                    "aten::_fused_adamw_",
                    "",
                    pick(parameters, reached),
                    gradients(reached),
                    pick(means, reached),
                    pick(squares, reached),
                    List.of(),
                    pick(steps, reached),
                    rate,
                    config.beta1(),
                    config.beta2(),
                    config.weightDecay(),
                    config.eps(),
                    false,
                    false,
                    null,
                    null);
        }
    }

    private List<String> reached() {
        return parameters.entrySet().stream()
                .filter(entry -> entry.getValue().mutable_grad().defined())
                .map(Map.Entry::getKey)
                .toList();
    }

    private List<Tensor> gradients(List<String> names) {
        return names.stream().map(name -> parameters.get(name).mutable_grad()).toList();
    }

    private static List<Tensor> pick(Map<String, Tensor> from, List<String> names) {
        return names.stream().map(from::get).toList();
    }

    @Override
    public double clip() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            List<Tensor> gradients = gradients(reached());
            double norm = Ops.norm(gradients);
            if (config.clip() > 0 && norm > config.clip()) {
                double factor = config.clip() / (norm + 1e-6);
                Boxed.call("aten::_foreach_mul_", "Scalar", gradients, factor);
            }
            return norm;
        }
    }

    @Override
    public void dropGradients() {
        parameters.values().forEach(parameter -> parameter.mutable_grad().reset());
    }

    /** As {@code mean.NAME}, {@code square.NAME} and the number of steps as {@code step.NAME}. */
    @Override
    public Map<String, Tensor> state() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        means.forEach((name, tensor) -> state.put("mean." + name, tensor));
        squares.forEach((name, tensor) -> state.put("square." + name, tensor));
        steps.forEach((name, tensor) -> state.put("step." + name, tensor));
        return state;
    }

    @Override
    public void reset() {
        try (NoGrad off = NoGrad.on()) {
            state().values().forEach(Tensor::zero_);
        }
    }

    @Override
    public void close() {
        means.values().forEach(Tensor::close);
        squares.values().forEach(Tensor::close);
        steps.values().forEach(Tensor::close);
    }
}
