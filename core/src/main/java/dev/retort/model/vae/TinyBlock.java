package dev.retort.model.vae;

import dev.retort.card.TinySpec;
import dev.retort.nn.Conv2d;
import dev.retort.nn.GroupNorm;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** Three 3x3 convolutions with ReLU, added to their input, with ReLU; before them, in TAEF2, a normalised 1x1 branch. */
final class TinyBlock extends Layer {
    private static final int POOL_FACTOR = 4;
    private static final double POOL_EPS = 1e-5;

    private final Conv2d first;
    private final Conv2d second;
    private final Conv2d third;
    private final Conv2d widen;
    private final GroupNorm norm;
    private final Conv2d narrow;

    TinyBlock(Init init, int width, boolean pooled) {
        first = child("conv.0", Conv2d.xavier(init.at("conv.0"), width, width, 3, 1, 1));
        second = child("conv.2", Conv2d.xavier(init.at("conv.2"), width, width, 3, 1, 1));
        third = child("conv.4", Conv2d.xavier(init.at("conv.4"), width, width, 3, 1, 1));
        int wide = POOL_FACTOR * width;
        widen = pooled ? child("pool.0", Conv2d.withoutBias(init.at("pool.0"), width, wide, 1, 1, 0)) : null;
        norm = pooled ? child("pool.1", new GroupNorm(init.at("pool.1"), TinySpec.POOL_GROUPS, wide, POOL_EPS)) : null;
        narrow = pooled ? child("pool.3", Conv2d.withoutBias(init.at("pool.3"), wide, width, 1, 1, 0)) : null;
    }

    /** x (N, C, H, W) → the same shape. */
    Tensor forward(Tensor x) {
        Tensor y = widen == null ? x : Ops.add(x, narrow.forward(Ops.relu(norm.forward(widen.forward(x)))));
        Tensor z = Ops.relu(second.forward(Ops.relu(first.forward(y))));
        return Ops.relu(Ops.add(third.forward(z), y));
    }
}
