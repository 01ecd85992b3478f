package dev.retort.distill.loss;

import dev.retort.card.ConditionSpec;
import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.card.TapPoint;
import dev.retort.model.Condition;
import dev.retort.model.Network;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Embedding;
import dev.retort.nn.Init;
import dev.retort.nn.Linear;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.bytedeco.pytorch.Tensor;

/** A small denoiser whose blocks hand out maps on grids of several sizes: down, middle and up, with a skip between. */
final class MapNetwork extends Network {
    private static final int SIZE = 8;
    private final Spec spec;
    private final BooleanSupplier broken;
    private final Conv2d in;
    private final Linear time;
    private final Embedding classes;
    private final Conv2d down;
    private final Conv2d mid;
    private final Conv2d up;
    private final Conv2d out;

    /** Its shape: channels of the outer blocks; those of the middle one are twice as many. */
    record Spec(int wide) implements NetworkSpec {
        @Override
        public String name() {
            return "Map-" + wide;
        }

        @Override
        public int channels() {
            return 2;
        }

        @Override
        public int height() {
            return SIZE;
        }

        @Override
        public int width() {
            return SIZE;
        }

        @Override
        public ConditionSpec condition() {
            return ConditionSpec.ofClasses(3, false);
        }

        @Override
        public boolean learnSigma() {
            return false;
        }

        @Override
        public long parameters() {
            return 0;
        }

        @Override
        public long macs() {
            return 0;
        }

        @Override
        public List<TapPoint> taps() {
            return List.of(
                    new TapPoint("down_blocks.0", wide, SIZE, SIZE, TapPoint.Form.MAP),
                    new TapPoint("mid_block", 2 * wide, SIZE / 2, SIZE / 2, TapPoint.Form.MAP),
                    new TapPoint("up_blocks.0", wide, SIZE, SIZE, TapPoint.Form.MAP));
        }
    }

    /** @param broken while true, it says nothing finite */
    MapNetwork(Spec spec, long seed, BooleanSupplier broken) {
        this.spec = spec;
        this.broken = broken;
        Init init = Init.of(seed, Device.CPU);
        int wide = spec.wide;
        try (Scope scope = Scope.open()) {
            in = child("conv_in", Conv2d.xavier(init.at("conv_in"), 2, wide, 3, 1, 1));
            time = child("time", Linear.xavier(init.at("time"), 3, wide));
            classes = child("classes", new Embedding(init.at("classes"), 3, wide));
            down = child("down_blocks.0", Conv2d.xavier(init.at("down_blocks.0"), wide, wide, 3, 1, 1));
            mid = child("mid_block", Conv2d.xavier(init.at("mid_block"), wide, 2 * wide, 3, 2, 1));
            up = child("up_blocks.0", Conv2d.xavier(init.at("up_blocks.0"), 2 * wide, wide, 3, 1, 1));
            out = child("conv_out", Conv2d.xavier(init.at("conv_out"), wide, 2, 3, 1, 1));
        }
    }

    @Override
    public Tensor forward(Tensor x, Tensor times, Condition condition, Taps taps) {
        Tensor t = Ops.view(times, -1, 1);
        Tensor seen = Ops.cat(1, t, Ops.sin(Ops.mul(t, 3)), Ops.cos(Ops.mul(t, 3)));
        Tensor told = Ops.add(time.forward(seen), classes.forward(condition.get(Part.LABEL)));
        Tensor picture = broken.getAsBoolean() ? Ops.mul(x, Double.NaN) : x;
        Tensor h = Ops.add(in.forward(picture), Ops.view(told, -1, spec.wide, 1, 1));
        Tensor skip = Ops.add(h, down.forward(Ops.silu(h)));
        taps.offer("down_blocks.0", skip);
        Tensor middle = mid.forward(Ops.silu(skip));
        taps.offer("mid_block", middle);
        Tensor last = Ops.add(skip, up.forward(Ops.doubleSize(Ops.silu(middle))));
        taps.offer("up_blocks.0", last);
        return out.forward(Ops.silu(last));
    }

    @Override
    public NetworkSpec spec() {
        return spec;
    }

    @Override
    public void recompute(boolean on) {}
}
