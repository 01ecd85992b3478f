package dev.retort.examples;

import dev.retort.card.NetworkSpec;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.model.Condition;
import dev.retort.model.Network;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.nn.Taps;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * The U-Net of {@link OpenPublishedUNet}, tensors under the names of its file: three stages on the way down (10, 20 and 40 channels
 * at 28, 14 and 7 pixels a side), a middle of 3 pixels a side, and three on the way up, each beside what its size was on the way
 * down. It is told the time by a row of a table, and nothing else. Transposed convolutions are what they are: a convolution of
 * the pixels with zeros between them, by the kernel turned around.
 */
final class UNet28 extends Network {
    static final int SIDE = 28;
    private static final double EPS = 1e-5;
    private static final int TOLD = 100;

    /** Norm over channels and pixels together, with a weight and a bias for each of them. */
    private static final class Norm extends Layer {
        private final Tensor weight;
        private final Tensor bias;

        Norm(Init init, int channels, int side) {
            weight = parameter("weight", init.ones("weight", channels, side, side));
            bias = parameter("bias", init.zeros("bias", channels, side, side));
        }

        Tensor forward(Tensor x) {
            Tensor normed = Ops.layerNorm(Ops.flatten(x, 1, -1), EPS);
            Tensor map = Ops.view(normed, x.size(0), x.size(1), x.size(2), x.size(3));
            return Ops.add(Ops.mul(map, weight), bias);
        }
    }

    /** Norm, then two convolutions. */
    private static final class Block extends Layer {
        private final Norm ln;
        private final Conv2d conv1;
        private final Conv2d conv2;

        Block(Init init, int in, int out, int side, boolean norm) {
            ln = norm ? child("ln", new Norm(init.at("ln"), in, side)) : null;
            conv1 = child("conv1", Conv2d.xavier(init.at("conv1"), in, out, 3, 1, 1));
            conv2 = child("conv2", Conv2d.xavier(init.at("conv2"), out, out, 3, 1, 1));
        }

        Tensor forward(Tensor x) {
            return Ops.silu(conv2.forward(Ops.silu(conv1.forward(ln == null ? x : ln.forward(x)))));
        }
    }

    /** Three blocks, and two layers that tell them the time. */
    private final class Stage {
        private final Linear[] told;
        private final Block[] blocks = new Block[3];

        Stage(Init init, String suffix, int side, int... channels) {
            String time = "te" + suffix;
            int in = channels[0];
            told = new Linear[] {linear(init, time + ".0", TOLD, in), linear(init, time + ".2", in, in)};
            for (int i = 0; i < blocks.length; i++) {
                String name = "b" + suffix + "." + i;
                boolean norm = !name.equals("b_out.2"); // its file has numbers for one, which it leaves alone
                blocks[i] = child(name, new Block(init.at(name), channels[i], channels[i + 1], side, norm));
            }
        }

        Tensor forward(Tensor x, Tensor time) {
            Tensor row = told[1].forward(Ops.silu(told[0].forward(time))); // (N, in)
            Tensor h = Ops.add(x, Ops.unsqueeze(Ops.unsqueeze(row, -1), -1));
            for (Block block : blocks) {
                h = block.forward(h);
            }
            return h;
        }
    }

    private final UNet28Spec spec;
    private final Tensor times;
    private final Tensor levels;
    private final Stage[] down;
    private final Stage middle;
    private final Stage[] up;
    private final Conv2d[] smaller;
    private final Conv2d[] larger;
    private final Conv2d out;

    UNet28(UNet28Spec spec, Init init) {
        this.spec = spec;
        NoiseSchedule schedule = OpenPublishedUNet.PROCESS.noiseSchedule();
        int steps = (int) schedule.noisiestTime() + 1;
        times = buffer("time_embed.weight", init.normal("time_embed.weight", 1, steps, TOLD));
        levels = buffer("levels", init.fixed("levels", () -> {
            float[] values = new float[2 * steps];
            for (int t = 0; t < steps; t++) {
                values[2 * t] = (float) schedule.alpha(t);
                values[2 * t + 1] = (float) schedule.sigma(t);
            }
            return Tensors.of(values, init.device(), steps, 2);
        }));
        down = new Stage[] {
            new Stage(init, "1", 28, 1, 10, 10, 10),
            new Stage(init, "2", 14, 10, 20, 20, 20),
            new Stage(init, "3", 7, 20, 40, 40, 40)
        };
        smaller = new Conv2d[] {
            conv(init, "down1", 10, 4, 2, 1), conv(init, "down2", 20, 4, 2, 1),
            conv(init, "down3.0", 40, 2, 1, 0), conv(init, "down3.2", 40, 4, 2, 1)
        };
        middle = new Stage(init, "_mid", 3, 40, 20, 20, 40);
        larger = new Conv2d[] {
            conv(init, "up1.0", 40, 4, 1, 0), conv(init, "up1.2", 40, 2, 1, 1),
            conv(init, "up2", 20, 4, 1, 0), conv(init, "up3", 10, 4, 1, 0)
        };
        up = new Stage[] {
            new Stage(init, "4", 7, 80, 40, 20, 20),
            new Stage(init, "5", 14, 40, 20, 10, 10),
            new Stage(init, "_out", 28, 20, 10, 10, 10)
        };
        out = child("conv_out", Conv2d.xavier(init.at("conv_out"), 10, 1, 3, 1, 1));
    }

    private Linear linear(Init init, String name, int in, int out) {
        return child(name, Linear.xavier(init.at(name), in, out));
    }

    private Conv2d conv(Init init, String name, int channels, int kernel, int stride, int padding) {
        return child(name, Conv2d.xavier(init.at(name), channels, channels, kernel, stride, padding));
    }

    @Override
    public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
        Tensor step = Dtype.I64.cast(Ops.add(time, 0.5)); // solvers may ask between two rows
        Tensor said = Dtype.F32.cast(said(x, step, taps));
        if (!spec.ofNoise()) {
            return said;
        }
        Tensor level = Ops.unsqueeze(Ops.unsqueeze(Ops.embedding(levels, step), -1), -1); // (N, 2, 1, 1)
        Tensor alpha = Ops.narrow(level, 1, 0, 1);
        Tensor sigma = Ops.narrow(level, 1, 1, 1);
        Tensor picture = Ops.clamp(Ops.div(Ops.sub(x, Ops.mul(sigma, said)), alpha), -1, 1);
        return Ops.div(Ops.sub(Ops.mul(alpha, x), picture), sigma); // v of that picture: alpha·noise - sigma·picture
    }

    /** What the last layer says of x (N, 1, 28, 28) at whole steps (N). */
    Tensor said(Tensor x, Tensor step, Taps taps) {
        Tensor time = Ops.embedding(times, step); // (N, 100)
        Tensor at28 = down[0].forward(x, time); // (N, 10, 28, 28)
        Tensor at14 = down[1].forward(smaller[0].forward(at28), time); // (N, 20, 14, 14)
        Tensor at7 = down[2].forward(smaller[1].forward(at14), time); // (N, 40, 7, 7)
        Tensor at3 = smaller[3].forward(Ops.silu(smaller[2].forward(at7))); // (N, 40, 3, 3)
        at3 = middle.forward(at3, time);
        taps.offer("b_mid", at3);
        Tensor h = larger[1].forward(Ops.silu(larger[0].forward(apart(at3)))); // (N, 40, 7, 7)
        h = up[0].forward(Ops.cat(1, at7, h), time); // (N, 20, 7, 7)
        h = up[1].forward(Ops.cat(1, at14, larger[2].forward(apart(h))), time); // (N, 10, 14, 14)
        h = up[2].forward(Ops.cat(1, at28, larger[3].forward(apart(h))), time); // (N, 10, 28, 28)
        return out.forward(h);
    }

    /** Zeros between and around the pixels, so that a kernel of 4 makes twice as many of them: (N, C, H, W) → (N, C, 2H + 3, 2W + 3). */
    private static Tensor apart(Tensor x) {
        long n = x.size(0);
        long c = x.size(1);
        long h = x.size(2);
        long w = x.size(3);
        Tensor between = Ops.padZeros(Ops.reshape(x, n, c, h, 1, w, 1), 0, 1, 0, 0, 0, 1); // (N, C, H, 2, W, 2)
        return Ops.padZeros(Ops.reshape(between, n, c, 2 * h, 2 * w), 2, 1, 2, 1);
    }

    @Override
    public NetworkSpec spec() {
        return spec;
    }

    /** Its blocks are too small to be worth computing twice. */
    @Override
    public void recompute(boolean on) {
        if (on) {
            throw new IllegalArgumentException(
                    "this network keeps its activations; leave run.compute.checkpointActivations off");
        }
    }
}
