package dev.retort.model;

import dev.retort.card.ConditionSpec;
import dev.retort.card.Part;
import dev.retort.card.TextCard;
import dev.retort.data.Prompts;
import dev.retort.text.ClipTokenizer;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Tells a network the tokens of a text for each of its encoders, and where it wants them the sizes that SDXL is told: original height and
 * width, the crop's top and left, height and width of the picture (Podell et al. 2023, §2.2); here a picture as it is, uncropped.
 *
 * @param spec what the network is conditioned on
 * @param text its tokenizers
 * @param height of the pictures in pixels
 * @param width of the pictures in pixels
 * @param negative the text that stands for "no condition"; usually the empty one
 */
public record TextConditioner(ConditionSpec spec, TextCard text, int height, int width, String negative)
        implements Conditioner {
    @Override
    public Condition of(Prompts prompts, Device device) {
        return of(prompts.texts(), device);
    }

    @Override
    public Condition none(int count, Device device) {
        return of(Collections.nCopies(count, negative), device);
    }

    @Override
    public Conditioner withNegative(String other) {
        return new TextConditioner(spec, text, height, width, other);
    }

    private Condition of(List<String> texts, Device device) {
        List<ClipTokenizer> tokenizers = text.tokenizers();
        int length = spec.parts().get(Part.TOKENS).get(1);
        long[] ids = new long[texts.size() * tokenizers.size() * length];
        int at = 0;
        for (String one : texts) {
            for (ClipTokenizer tokenizer : tokenizers) {
                int[] own = tokenizer.ids(one);
                for (int i = 0; i < length; i++) {
                    ids[at++] = own[i];
                }
            }
        }
        Map<Part, Tensor> parts = new EnumMap<>(Part.class);
        parts.put(Part.TOKENS, Ops.view(Tensors.of(ids, device), texts.size(), tokenizers.size(), length));
        if (spec.parts().containsKey(Part.TIME_IDS)) {
            float[] sizes = new float[texts.size() * 6];
            for (int i = 0; i < sizes.length; i += 6) {
                sizes[i] = height;
                sizes[i + 1] = width;
                sizes[i + 4] = height;
                sizes[i + 5] = width;
            }
            parts.put(Part.TIME_IDS, Tensors.of(sizes, device, texts.size(), 6));
        }
        return Condition.of(parts);
    }
}
