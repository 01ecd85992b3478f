package dev.retort.train;

import dev.retort.card.ConditionSpec;
import dev.retort.card.ImageShape;
import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.card.TapPoint;
import dev.retort.card.TextCard;
import dev.retort.data.Prompts;
import dev.retort.model.Condition;
import dev.retort.model.Conditioner;
import dev.retort.model.Network;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Init;
import dev.retort.nn.Linear;
import dev.retort.nn.Taps;
import dev.retort.pipeline.Architecture;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** A convolutional network that is told a text and a guidance scale, and hands out maps: one that the library does not know. */
public final class TextNetwork extends Network {
    static final int WIDTH_OF_TEXT = 4;

    /**
     * What it is.
     *
     * @param inside channels of its maps
     */
    public record Spec(int inside) implements NetworkSpec {
        @Override
        public String name() {
            return "Conv-" + inside;
        }

        @Override
        public int channels() {
            return 3;
        }

        @Override
        public int height() {
            return 16;
        }

        @Override
        public int width() {
            return 16;
        }

        @Override
        public ConditionSpec condition() {
            return new ConditionSpec(Map.of(Part.POOLED, List.of(WIDTH_OF_TEXT), Part.GUIDANCE, List.of()), 0, true);
        }

        @Override
        public boolean learnSigma() {
            return false;
        }

        @Override
        public long parameters() {
            return (12 + 9 * inside + 12 + WIDTH_OF_TEXT + 2 + 4L) * inside + 12;
        }

        @Override
        public long macs() {
            return (64 * (12 + 9 * inside + 12) + WIDTH_OF_TEXT + 2L) * inside;
        }

        @Override
        public List<TapPoint> taps() {
            return List.of(
                    new TapPoint("down", inside(), 8, 8, TapPoint.Form.MAP),
                    new TapPoint("middle", inside(), 8, 8, TapPoint.Form.MAP));
        }
    }

    /** Builds it; found by the name of its class on the tests' class path. */
    public static final class Kind implements Architecture<Spec> {
        @Override
        public Class<Spec> spec() {
            return Spec.class;
        }

        @Override
        public Network build(Spec spec, Init init) {
            return new TextNetwork(spec, init);
        }

        @Override
        public Spec minimal(Spec spec) {
            return new Spec(1);
        }

        @Override
        public Conditioner conditioner(Spec spec, TextCard text, ImageShape pictures) {
            return new Letters();
        }
    }

    /** A vector of a text's letters, and a guidance scale of 2. */
    record Letters() implements Conditioner {
        @Override
        public Condition of(Prompts prompts, Device device) {
            float[] rows = new float[prompts.size() * WIDTH_OF_TEXT];
            for (int i = 0; i < prompts.size(); i++) {
                String text = prompts.texts().get(i);
                for (int c = 0; c < text.length(); c++) {
                    rows[i * WIDTH_OF_TEXT + c % WIDTH_OF_TEXT] += text.charAt(c) / 1000f;
                }
            }
            return of(rows, prompts.size(), device);
        }

        @Override
        public Condition none(int count, Device device) {
            return of(new float[count * WIDTH_OF_TEXT], count, device);
        }

        private static Condition of(float[] rows, int count, Device device) {
            return Condition.of(Map.of(
                    Part.POOLED,
                    Tensors.of(rows, device, count, WIDTH_OF_TEXT),
                    Part.GUIDANCE,
                    Tensors.full(2, device, count)));
        }
    }

    private final Spec spec;
    private final Conv2d down;
    private final Conv2d middle;
    private final Conv2d up;
    private final Linear text;
    private final Linear scales;

    TextNetwork(Spec spec, Init init) {
        this.spec = spec;
        int c = spec.inside();
        try (Scope scope = Scope.open()) {
            down = child("down", Conv2d.xavier(init.at("down"), 3, c, 2, 2, 0));
            middle = child("middle", Conv2d.xavier(init.at("middle"), c, c, 3, 1, 1));
            up = child("up", Conv2d.xavier(init.at("up"), c, 12, 1, 1, 0));
            text = child("text", Linear.xavier(init.at("text"), WIDTH_OF_TEXT, c));
            scales = child("scales", Linear.xavier(init.at("scales"), 2, c));
        }
    }

    @Override
    public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
        long n = x.size(0);
        Tensor numbers = Ops.cat(1, Ops.view(Ops.mul(time, 1e-3), n, 1), Ops.view(condition.get(Part.GUIDANCE), n, 1));
        Tensor told = Ops.add(text.forward(condition.get(Part.POOLED)), scales.forward(numbers)); // (N, c)
        Tensor h = Ops.add(down.forward(x), Ops.view(told, n, spec.inside(), 1, 1)); // (N, c, 8, 8)
        taps.offer("down", h);
        Tensor m = Ops.add(h, middle.forward(Ops.silu(h)));
        taps.offer("middle", m);
        Tensor y = Ops.view(up.forward(Ops.silu(m)), n, 3, 2, 2, 8, 8); // (N, C, p, p, 8, 8)
        return Dtype.F32.cast(Ops.reshape(Ops.permute(y, 0, 1, 4, 2, 5, 3), n, 3, 16, 16));
    }

    @Override
    public NetworkSpec spec() {
        return spec;
    }

    @Override
    public void recompute(boolean on) {}
}
