package dev.retort.torch;

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

    /** q, k, v (N, heads, T, d), without a graph → (N, T, heads·d). */
    static Tensor forward(Team team, Tensor q, Tensor k, Tensor v, double scale) {
        return mix(team, weights(team, q, k, scale), v).view(q.size(0), q.size(2), q.size(1) * q.size(3));
    }

    /** q, k and v beside each other, each head-major: joint (N, T, 3·heads·d), contiguous → (N, T, heads·d). */
    static Tensor joint(Team team, Tensor joint, int heads, double scale) {
        boolean graph = Differentiable.wanted(joint);
        Tensor out; // (N·T, heads·d)
        Tensor[] parts;
        Tensor weights;
        try (NoGrad off = NoGrad.on()) {
            parts = parts(joint.detach(), heads);
            weights = weights(team, parts[0], parts[1], scale);
            out = mix(team, weights, parts[2]);
        }
        if (graph) {
            out = Differentiable.tie(
                    out, joint, gradient -> backward(team, gradient, joint, parts, weights, heads, scale));
        }
        return out.view(joint.size(0), joint.size(1), out.size(1));
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

    /** gradient (N·T, heads·d) → that of joint. */
    private static Tensor backward(
            Team team, Tensor gradient, Tensor joint, Tensor[] parts, Tensor weights, int heads, double scale) {
        Tensor result = torch.empty(Tensors.shape(joint));
        Tensor[] into = parts(result, heads);
        Tensor of = gradient.view(joint.size(0), joint.size(1), heads, parts[0].size(3))
                .transpose(1, 2); // (N, heads, T, d)
        BlasProducts.multiply(team, weights.transpose(-2, -1), of, into[2], 1, 0);
        Tensor scores = torch.empty(Tensors.shape(weights));
        BlasProducts.multiply(team, of, parts[2].transpose(-2, -1), scores, 1, 0);
        softmaxBackward(scores, weights);
        BlasProducts.multiply(team, scores, parts[1], into[0], scale, 0);
        BlasProducts.multiply(team, scores.transpose(-2, -1), parts[0], into[1], scale, 0);
        return result;
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
