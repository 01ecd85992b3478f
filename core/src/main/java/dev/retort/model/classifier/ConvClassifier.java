package dev.retort.model.classifier;

import dev.retort.card.ClassifierShape;
import dev.retort.card.ConvSpec;
import dev.retort.nn.BatchNorm2d;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Init;
import dev.retort.nn.Linear;
import dev.retort.torch.Ops;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** The network of a {@link ConvSpec}. Tensors {@code stages.I.J.conv.*}, {@code stages.I.J.norm.*}, {@code head.*}. */
public final class ConvClassifier extends Classifier {
    private record Unit(Conv2d conv, BatchNorm2d norm) {}

    private final ConvSpec spec;
    private final List<List<Unit>> stages = new ArrayList<>();
    private final Linear head;

    /** Random weights. */
    public ConvClassifier(ConvSpec spec, Init init) {
        this.spec = spec;
        int in = spec.channels();
        for (int i = 0; i < spec.stages().size(); i++) {
            List<Unit> units = new ArrayList<>();
            for (int j = 0; j < spec.stages().get(i).size(); j++) {
                int out = spec.stages().get(i).get(j);
                String name = "stages." + i + "." + j + ".";
                units.add(new Unit(
                        child(name + "conv", Conv2d.withoutBias(init.at(name + "conv"), in, out, 3, 1, 1)),
                        child(name + "norm", new BatchNorm2d(init.at(name + "norm"), out))));
                in = out;
            }
            stages.add(units);
        }
        head = child("head", Linear.xavier(init.at("head"), in, spec.classes()));
    }

    @Override
    public Output forward(Tensor pixels, boolean training) {
        Tensor x = Ops.add(Ops.mul(pixels, 2), -1); // (N, C, H, W) in [-1, 1]
        for (int i = 0; i < stages.size(); i++) {
            x = i == 0 ? x : Ops.maxPool(x, 2, 2); // (N, c, h/2, w/2)
            for (Unit unit : stages.get(i)) {
                x = Ops.relu(unit.norm().forward(unit.conv().forward(x), training)); // (N, c', h, w)
            }
        }
        Tensor features = Ops.mean(Ops.flatten(x, 2, 3), 2, false); // (N, featureSize)
        return new Output(features, head.forward(features));
    }

    @Override
    public ClassifierShape shape() {
        return new ClassifierShape(spec.channels(), spec.height(), spec.width(), spec.featureSize(), spec.classes());
    }

    @Override
    public String preprocessing() {
        return "uint8/127.5-1";
    }

    /** What was built. */
    public ConvSpec spec() {
        return spec;
    }
}
