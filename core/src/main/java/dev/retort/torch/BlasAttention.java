package dev.retort.torch;

import java.util.function.Function;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * softmax(scale·q·kᵀ)·v and its gradients by {@link BlasProducts}, which read q, k and v where one projection left them
 * and write their gradients to where it expects its own: no copies in between, one tensor of weights per call.
 */
final class BlasAttention {
    private BlasAttention() {}

    /** Whether these can be multiplied here: fp32 on the CPU, read where they lie. */
    static boolean fits(Tensor... tensors) {
        for (Tensor t : tensors) {
            if (t.is_cuda() || Dtype.of(t) != Dtype.F32 || !BlasProducts.fits(t)) {
                return false;
            }
        }
        return true;
    }

    /** q (N, heads, T, d), k and v (N, heads, T', d) → (N, T, heads·d). */
    static Tensor forward(Team team, Tensor q, Tensor k, Tensor v, double scale) {
        Tensor[] parts = new Tensor[3];
        Tensor out = run(
                team,
                new Tensor[] {q, k, v},
                scale,
                parts,
                weights -> gradient -> {
                    Tensor[] into = new Tensor[3];
                    for (int i = 0; i < into.length; i++) {
                        into[i] = torch.empty(Tensors.shape(parts[i]));
                    }
                    backward(team, gradient, parts, weights, scale, into);
                    return into;
                },
                q,
                k,
                v);
        return out.view(q.size(0), q.size(2), out.size(1));
    }

    /** q, k and v beside each other, each head-major: joint (N, T, 3·heads·d), contiguous → (N, T, heads·d). */
    static Tensor joint(Team team, Tensor joint, int heads, double scale) {
        Tensor[] parts = new Tensor[3];
        Tensor out = run(
                team,
                parts(joint.detach(), heads),
                scale,
                parts,
                weights -> gradient -> {
                    Tensor result = torch.empty(Tensors.shape(joint));
                    backward(team, gradient, parts, weights, scale, parts(result, heads));
                    return new Tensor[] {result};
                },
                joint);
        return out.view(joint.size(0), joint.size(1), out.size(1));
    }

    /** The value (N·T, heads·d), tied to the inputs by the backward pass that is made for its weights. */
    private static Tensor run(
            Team team,
            Tensor[] from,
            double scale,
            Tensor[] parts,
            Function<Tensor, Function<Tensor, Tensor[]>> backward,
            Tensor... inputs) {
        boolean graph = Differentiable.wanted(inputs);
        Tensor out;
        Tensor weights;
        try (NoGrad off = NoGrad.on()) {
            for (int i = 0; i < parts.length; i++) {
                parts[i] = from[i].detach();
            }
            weights = weights(team, parts[0], parts[1], scale);
            out = mix(team, weights, parts[2]);
        }
        return graph ? Differentiable.tie(out, backward.apply(weights), inputs) : out;
    }

    /** (N, T, 3·heads·d) → views of q, k and v, each (N, heads, T, d). */
    static Tensor[] parts(Tensor joint, int heads) {
        long n = joint.size(0);
        long t = joint.size(1);
        return Ops.unbind(
                joint.view(n, t, 3, heads, joint.size(2) / (3L * heads)).permute(2, 0, 3, 1, 4), 0);
    }

    /** softmax(scale·q·kᵀ), (N, heads, T, T'). */
    private static Tensor weights(Team team, Tensor q, Tensor k, double scale) {
        Tensor scores = torch.empty(q.size(0), q.size(1), q.size(2), k.size(2));
        BlasProducts.multiply(team, q, k.transpose(-2, -1), scores, scale, 0);
        return torch.softmax_out(scores, scores, -1, new ScalarTypeOptional());
    }

    /** weights·v, (N·T, heads·d). */
    private static Tensor mix(Team team, Tensor weights, Tensor v) {
        long n = v.size(0);
        long heads = v.size(1);
        long t = weights.size(2);
        Tensor out = torch.empty(n * t, heads * v.size(3));
        BlasProducts.multiply(team, weights, v, out.view(n, t, heads, v.size(3)).transpose(1, 2), 1, 0);
        return out;
    }

    /** gradient (N·T, heads·d) → those of q, k and v, written into {@code into}. */
    private static void backward(
            Team team, Tensor gradient, Tensor[] parts, Tensor weights, double scale, Tensor[] into) {
        Tensor q = parts[0];
        Tensor of = gradient.view(q.size(0), q.size(2), q.size(1), q.size(3)).transpose(1, 2); // (N, heads, T, d)
        BlasProducts.multiply(team, weights.transpose(-2, -1), of, into[2], 1, 0);
        Tensor scores = torch.empty(Tensors.shape(weights));
        BlasProducts.multiply(team, of, parts[2].transpose(-2, -1), scores, 1, 0);
        softmaxBackward(scores, weights);
        BlasProducts.multiply(team, scores, parts[1], into[0], scale, 0);
        BlasProducts.multiply(team, scores.transpose(-2, -1), q, into[1], scale, 0);
    }

    /** From the gradient of the softmax's value to that of its argument, in place. */
    private static void softmaxBackward(Tensor gradient, Tensor value) {
        Boxed.call(
                "aten::_softmax_backward_data",
                "out",
                gradient,
                value,
                -1L,
                (long) torch.ScalarType.Float.value,
                gradient);
    }
}
