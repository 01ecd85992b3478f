package dev.retort.torch;

import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;

/**
 * Derivatives of functions of tensors along a direction (Jacobian-vector products), by central differences: two evaluations,
 * an error of the square of the step beside rounding divided by the step. The kernels of this library hide their arithmetic from
 * libtorch's forward mode, which would silently lose the derivative.
 */
public final class Jvp {
    private Jvp() {}

    /**
     * (f(at + h·direction) - f(at - h·direction)) / 2h.
     *
     * @param at where to differentiate, one tensor for each argument
     * @param direction changes of the arguments, of their shapes
     * @param step the h, above 0: some 1e-2 of what changes the function by its own size
     * @return of the shape of the function's value, owned by the caller's scope
     */
    public static Tensor central(Function<Tensor[], Tensor> f, Tensor[] at, Tensor[] direction, double step) {
        Tensor ahead = f.apply(moved(at, direction, step));
        Tensor behind = f.apply(moved(at, direction, -step));
        return Ops.mul(ahead.sub(behind), 1 / (2 * step));
    }

    private static Tensor[] moved(Tensor[] at, Tensor[] direction, double step) {
        Tensor[] moved = new Tensor[at.length];
        for (int i = 0; i < at.length; i++) {
            moved[i] = Ops.addScaled(at[i], direction[i], step);
        }
        return moved;
    }
}
