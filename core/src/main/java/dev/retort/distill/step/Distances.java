package dev.retort.distill.step;

import dev.retort.diffusion.step.PseudoHuber;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** Distances on tensors; {@link dev.retort.diffusion.step} has the same on numbers, with their slopes. */
final class Distances {
    /** Keeps the slope of a root finite where both are equal. */
    private static final double TINY = 1e-12;

    private Distances() {}

    /** √(s + c²) - c of squares s, as {@link PseudoHuber#of}. */
    static Tensor pseudoHuber(Tensor squares, PseudoHuber of) {
        double c = of.c();
        return Ops.add(Ops.add(squares, Math.max(c * c, TINY)).sqrt(), -c);
    }

    /** ln(1 + eˣ) without overflow: max(x, 0) + ln(1 + e^-|x|). */
    static Tensor softplus(Tensor x) {
        return Ops.relu(x).add(x.abs().neg().exp().log1p());
    }
}
