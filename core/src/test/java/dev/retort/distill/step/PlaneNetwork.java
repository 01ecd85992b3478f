package dev.retort.distill.step;

import dev.retort.card.ConditionSpec;
import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.card.ScalarInputs;
import dev.retort.card.TapPoint;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.model.Condition;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.nn.Embedding;
import dev.retort.nn.Init;
import dev.retort.nn.Linear;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.bytedeco.pytorch.Tensor;

/**
 * A small denoiser of points of the plane, pictures of two channels and one pixel: it is told a time 0..1, a class, and perhaps where
 * a step ends.
 */
final class PlaneNetwork extends Network {
    private final Spec spec;
    private final BooleanSupplier broken;
    private final Linear in;
    private final Embedding classes;
    private final Linear end;
    private final List<Linear> inside = new ArrayList<>();
    private final Linear out;

    /** Its shape. */
    record Spec(int wide, int classes, ScalarInputs scalars, int outputs) implements NetworkSpec {
        private static final int BLOCKS = 2;

        Spec(int wide, int classes) {
            this(wide, classes, ScalarInputs.NONE, 1);
        }

        @Override
        public Spec with(ScalarInputs told) {
            return new Spec(wide, classes, told, outputs);
        }

        @Override
        public Spec withOutputs(int heads) {
            return new Spec(wide, classes, scalars, heads);
        }

        @Override
        public String name() {
            return "Plane-" + wide;
        }

        @Override
        public int channels() {
            return 2;
        }

        @Override
        public int height() {
            return 1;
        }

        @Override
        public int width() {
            return 1;
        }

        @Override
        public ConditionSpec condition() {
            return ConditionSpec.ofClasses(classes, false).withNumbers(scalars.parts());
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
            return List.of(tap(0), tap(1));
        }

        private TapPoint tap(int block) {
            return new TapPoint("blocks." + block, wide, 1, 1, TapPoint.Form.MAP);
        }
    }

    /** @param broken while true, it says nothing finite */
    PlaneNetwork(Spec spec, long seed, BooleanSupplier broken) {
        this.spec = spec;
        this.broken = broken;
        Init init = Init.of(seed, Device.CPU);
        try (Scope scope = Scope.open()) {
            in = child("in", Linear.xavier(init.at("in"), 9, spec.wide));
            classes = child("classes", new Embedding(init.at("classes"), spec.classes, spec.wide));
            end = spec.scalars.hasEndTime() ? child("end", Linear.xavier(init.at("end"), 7, spec.wide)) : null;
            for (int k = 0; k < Spec.BLOCKS; k++) {
                String name = "blocks." + k;
                inside.add(child(name, Linear.xavier(init.at(name), spec.wide, spec.wide)));
            }
            out = child("out", Linear.xavier(init.at("out"), spec.wide, 2L * spec.outputs));
        }
    }

    /** Asked about what it predicts on a schedule. */
    Predictor predicts(Prediction prediction, NoiseSchedule schedule) {
        return new Predictor(this, new LabelConditioner(spec.condition()), schedule, prediction, 1, Precision.FP32);
    }

    @Override
    public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
        long n = x.size(0);
        Tensor point = Ops.view(broken.getAsBoolean() ? Ops.mul(x, Double.NaN) : x, n, 2);
        Tensor h = Ops.add(in.forward(Ops.cat(1, point, seen(time))), classes.forward(condition.get(Part.LABEL)));
        if (end != null) {
            h = Ops.add(h, end.forward(seen(condition.has(Part.END_TIME) ? condition.get(Part.END_TIME) : time)));
        }
        for (int k = 0; k < Spec.BLOCKS; k++) {
            h = Ops.add(h, inside.get(k).forward(Ops.silu(h)));
            taps.offer("blocks." + k, Ops.view(h, n, spec.wide, 1, 1));
        }
        return Ops.view(out.forward(Ops.silu(h)), n, 2L * spec.outputs, 1, 1);
    }

    /** A time (N) and its sines and cosines (N, 7). */
    private static Tensor seen(Tensor time) {
        Tensor t = Ops.view(time, -1, 1);
        List<Tensor> seen = new ArrayList<>(List.of(t));
        for (int k = 1; k <= 4; k *= 2) {
            Tensor angle = Ops.mul(t, k * Math.PI / 2);
            seen.add(Ops.sin(angle));
            seen.add(Ops.cos(angle));
        }
        return Ops.cat(1, seen.toArray(Tensor[]::new));
    }

    @Override
    public NetworkSpec spec() {
        return spec;
    }

    @Override
    public void recompute(boolean on) {}
}
