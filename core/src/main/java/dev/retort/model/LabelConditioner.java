package dev.retort.model;

import dev.retort.card.ConditionSpec;
import dev.retort.card.Part;
import dev.retort.data.Prompts;
import dev.retort.torch.Device;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.Map;

/**
 * Tells a network the class and nothing else; one that knows no classes is told nothing.
 *
 * @param spec what the network is conditioned on
 */
public record LabelConditioner(ConditionSpec spec) implements Conditioner {
    @Override
    public Condition of(Prompts prompts, Device device) {
        return spec.classes() == 0 ? Condition.empty(prompts.size(), device) : of(prompts.labels(), device);
    }

    @Override
    public Condition none(int count, Device device) {
        int[] labels = new int[count];
        Arrays.fill(labels, spec.nullClass());
        return of(labels, device);
    }

    private static Condition of(int[] labels, Device device) {
        return Condition.of(Map.of(Part.LABEL, Tensors.of(labels, device)));
    }
}
