package dev.retort.train;

import dev.retort.torch.Boxed;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;

/** An exponential moving average of weights in fp32, with a decay that warms up. */
public final class Ema implements AutoCloseable {
    private final double decay;
    private final EmaWarmup warmup;
    private final long delay;
    private final Supplier<Map<String, Tensor>> source;
    private final Map<String, Tensor> average = new LinkedHashMap<>();

    /** Starts at the weights' present values, with the usual warm-up. */
    public Ema(double decay, Supplier<Map<String, Tensor>> source) {
        this(decay, new EmaWarmup.Inverse(), 0, source);
    }

    /**
     * Starts at the weights' present values.
     *
     * @param decay full decay
     * @param warmup how it rises
     * @param delay number of the update at which averaging begins; until then the average is a copy of the weights
     * @param source gives the weights as they are, always under the same names; those that come to it later are averaged from {@link #add} on
     */
    public Ema(double decay, EmaWarmup warmup, long delay, Supplier<Map<String, Tensor>> source) {
        this.decay = decay;
        this.warmup = warmup;
        this.delay = delay;
        this.source = source;
        add();
    }

    /** Averages from now on what the source has and had not, from its present values. */
    void add() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            source.get()
                    .forEach((name, tensor) -> average.computeIfAbsent(
                            name, absent -> scope.keep(tensor.detach().clone())));
        }
    }

    /** Averages no longer what these names are of. */
    void remove(Predicate<String> names) {
        List<String> gone = average.keySet().stream().filter(names).toList();
        gone.forEach(name -> average.remove(name).close());
    }

    /** The decay used for the update after {@code updates} earlier ones. */
    public double decayAt(long updates) {
        return delay > 0 && updates <= delay ? 0 : warmup.decay(decay, updates - delay);
    }

    /** average ← d·average + (1-d)·weights. */
    public void update(long updates) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            List<Tensor> weights = new ArrayList<>();
            Map<String, Tensor> now = source.get();
            average.keySet().forEach(name -> weights.add(now.get(name).detach()));
            Boxed.call("aten::_foreach_lerp_", "Scalar", List.copyOf(average.values()), weights, 1 - decayAt(updates));
        }
    }

    /** The full decay. */
    public double decay() {
        return decay;
    }

    /** The averages by name; they belong to this object. */
    public Map<String, Tensor> weights() {
        return average;
    }

    /** Begins anew at the weights' present values. */
    void restart() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Map<String, Tensor> now = source.get();
            average.forEach((name, tensor) -> tensor.copy_(now.get(name)));
        }
    }

    @Override
    public void close() {
        average.values().forEach(Tensor::close);
    }
}
