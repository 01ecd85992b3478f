package dev.retort.model;

import dev.retort.card.NetworkSpec;
import dev.retort.diffusion.Heads;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Makes one head of several that are only ever read in one sum: the last product is linear, so its rows may be summed beforehand. The sums are
 * made in double, and rounded once.
 */
public final class FusedOutputs {
    private FusedOutputs() {}

    /**
     * The weights of the smaller network.
     *
     * @param spec the network of many heads
     * @param last path of its last product, whose rows are all heads' for one pixel after another
     * @param pixels that one row of its inputs makes
     * @param weights its weights by name
     * @param heads of what each head of the smaller network is the sum
     */
    public static Map<String, Tensor> of(
            NetworkSpec spec, String last, int pixels, Map<String, Tensor> weights, List<Heads> heads) {
        Map<String, Tensor> fused = new LinkedHashMap<>(weights);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            for (String name : List.of(last + ".weight", last + ".bias")) {
                fused.put(name, scope.escape(rows(spec, pixels, weights.get(name), heads)));
            }
        }
        return fused;
    }

    /** (pixels·K·C, …) → (pixels·heads·C, …). */
    private static Tensor rows(NetworkSpec spec, long pixels, Tensor rows, List<Heads> heads) {
        long[] shape = Tensors.shape(rows);
        Tensor each = Ops.view(Dtype.F64.cast(rows), pixels, spec.outputs(), spec.channels(), -1); // (pixels, K, C, D)
        Tensor[] sums = heads.stream().map(sum -> sum(each, sum)).toArray(Tensor[]::new); // (pixels, 1, C, D)
        shape[0] = pixels * heads.size() * spec.channels();
        return Dtype.of(rows).cast(Ops.reshape(Ops.cat(1, sums), shape));
    }

    private static Tensor sum(Tensor each, Heads heads) {
        Tensor sum = Ops.mul(Ops.narrow(each, 1, heads.first(), 1), heads.factor(heads.first()));
        for (int head = heads.first() + 1; head < heads.end(); head++) {
            sum = Ops.addScaled(sum, Ops.narrow(each, 1, head, 1), heads.factor(head));
        }
        return sum;
    }
}
