package dev.retort.model.classifier;

import dev.retort.card.ClassifierShape;
import dev.retort.nn.BatchNorm2d;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * ResNet-20 for CIFAR-10 (He et al. 2015, section 4.2) with shortcuts of option A: every second pixel, new channels zero,
 * half of them before and half behind. Tensors are named as in akamaster's published checkpoints. Features: 64.
 */
public final class ResNet20 extends Classifier {
    private static final int BLOCKS = 3;
    private static final int[] WIDTHS = {16, 32, 64};
    private static final float[] MEAN = {.485f, .456f, .406f};
    private static final float[] STD = {.229f, .224f, .225f};

    private final Conv2d conv1;
    private final BatchNorm2d bn1;
    private final List<Block> blocks = new ArrayList<>();
    private final Linear linear;

    /** To be filled from a file. */
    public ResNet20(Init init) {
        conv1 = child("conv1", Conv2d.withoutBias(init.at("conv1"), 3, WIDTHS[0], 3, 1, 1));
        bn1 = child("bn1", new BatchNorm2d(init.at("bn1"), WIDTHS[0]));
        int in = WIDTHS[0];
        for (int stage = 0; stage < WIDTHS.length; stage++) {
            for (int b = 0; b < BLOCKS; b++) {
                String name = "layer" + (stage + 1) + "." + b;
                int stride = stage > 0 && b == 0 ? 2 : 1;
                blocks.add(child(name, new Block(init.at(name), in, WIDTHS[stage], stride)));
                in = WIDTHS[stage];
            }
        }
        linear = child("linear", Linear.xavier(init.at("linear"), in, shape().classes()));
    }

    @Override
    public Output forward(Tensor pixels, boolean training) {
        Device device = Device.of(pixels);
        Tensor mean = Tensors.of(MEAN, device, 1, 3, 1, 1);
        Tensor std = Tensors.of(STD, device, 1, 3, 1, 1);
        Tensor x = Ops.div(Ops.sub(pixels, mean), std); // (N, 3, 32, 32)
        x = Ops.relu(bn1.forward(conv1.forward(x), training)); // (N, 16, 32, 32)
        for (Block block : blocks) {
            x = block.forward(x, training); // (N, 16..64, 32..8, 32..8)
        }
        Tensor features = Ops.mean(Ops.flatten(x, 2, 3), 2, false); // (N, 64)
        return new Output(features, linear.forward(features));
    }

    @Override
    public ClassifierShape shape() {
        return new ClassifierShape(3, 32, 32, WIDTHS[WIDTHS.length - 1], 10);
    }

    @Override
    public String preprocessing() {
        return "rgb/255, mean .485 .456 .406, std .229 .224 .225";
    }

    private static final class Block extends Layer {
        private final Conv2d conv1;
        private final BatchNorm2d bn1;
        private final Conv2d conv2;
        private final BatchNorm2d bn2;
        private final int added;

        Block(Init init, int in, int out, int stride) {
            conv1 = child("conv1", Conv2d.withoutBias(init.at("conv1"), in, out, 3, stride, 1));
            bn1 = child("bn1", new BatchNorm2d(init.at("bn1"), out));
            conv2 = child("conv2", Conv2d.withoutBias(init.at("conv2"), out, out, 3, 1, 1));
            bn2 = child("bn2", new BatchNorm2d(init.at("bn2"), out));
            added = out - in;
        }

        Tensor forward(Tensor x, boolean training) {
            Tensor y = Ops.relu(bn1.forward(conv1.forward(x), training));
            y = bn2.forward(conv2.forward(y), training);
            return Ops.relu(Ops.add(y, shortcut(x)));
        }

        private Tensor shortcut(Tensor x) {
            if (added == 0) {
                return x;
            }
            Tensor half = Ops.slice(Ops.slice(x, 2, 0, x.size(2), 2), 3, 0, x.size(3), 2); // (N, in, H/2, W/2)
            return Ops.padZeros(half, 0, 0, 0, 0, added / 2, added / 2); // (N, out, H/2, W/2)
        }
    }
}
