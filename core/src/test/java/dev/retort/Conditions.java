package dev.retort;

import dev.retort.card.Part;
import dev.retort.model.Condition;
import dev.retort.torch.Device;
import dev.retort.torch.Tensors;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Conditions of networks that are told a class. */
public final class Conditions {
    private Conditions() {}

    /** A class for each sample. */
    public static Condition classes(int... labels) {
        return classes(Tensors.of(labels, Device.CPU));
    }

    /** A class for each sample, from 64-bit integers (N). */
    public static Condition classes(Tensor labels) {
        return Condition.of(Map.of(Part.LABEL, labels));
    }
}
