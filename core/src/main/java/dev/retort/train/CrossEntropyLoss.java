package dev.retort.train;

import dev.retort.card.Part;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** The negative log-likelihood of each image's class under a classifier's logits. */
public final class CrossEntropyLoss implements Loss {
    @Override
    public String name() {
        return "cross-entropy";
    }

    /** Batch norms look at the whole batch. */
    @Override
    public boolean wholeBatch() {
        return true;
    }

    @Override
    public Tensor perSample(Pass pass) {
        Tensor logits = Dtype.F32.cast(pass.ask(pass.player()).output()); // (N, classes)
        Tensor label = pass.condition().get(Part.LABEL).view(-1, 1); // (N, 1)
        return Ops.logSoftmax(logits).gather(1, label).view(-1).neg(); // (N)
    }
}
