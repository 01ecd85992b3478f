package dev.retort.torch;

import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Derivatives of functions of tensors along a direction (Jacobian-vector products): by central differences, which take two
 * evaluations and have an error of the square of the step beside rounding divided by the step, or exact.
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

    /**
     * The derivative by libtorch's forward mode: one evaluation of some three times the cost, exact. The function is computed by plain
     * ops meanwhile ({@link ExactMath}), since kernels of our own and fused attention have no forward derivative.
     *
     * @param at where to differentiate, one tensor for each argument
     * @param direction changes of the arguments, of their shapes
     * @return of the shape of the function's value, without graph, owned by the caller's scope
     */
    public static Tensor exact(Function<Tensor[], Tensor> f, Tensor[] at, Tensor[] direction) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                ExactMath plain = ExactMath.on()) {
            long level = torch.enter_dual_level();
            try {
                Tensor[] dual = new Tensor[at.length];
                for (int i = 0; i < dual.length; i++) {
                    dual[i] = Boxed.call("aten::_make_dual", "", at[i], direction[i], level)[0];
                }
                Tensor tangent = Boxed.call("aten::_unpack_dual", "", f.apply(dual), level)[1];
                if (!tangent.defined()) {
                    throw new IllegalStateException(
                            "the function does not depend on what it was to be differentiated by");
                }
                return scope.escape(Ops.copy(tangent));
            } finally {
                torch.exit_dual_level(level);
            }
        }
    }

    private static Tensor[] moved(Tensor[] at, Tensor[] direction, double step) {
        Tensor[] moved = new Tensor[at.length];
        for (int i = 0; i < at.length; i++) {
            moved[i] = Ops.addScaled(at[i], direction[i], step);
        }
        return moved;
    }
}
