package dev.retort.model;

import dev.retort.card.ConditionSpec;
import dev.retort.card.Part;
import dev.retort.card.TextCard;
import dev.retort.card.UNetSpec;
import dev.retort.data.Prompts;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.text.ClipTokenizer;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * Tells a network the tokens of a text for each of its encoders, and where it wants them the numbers that SDXL is told of a picture (Podell et
 * al. 2023, §2.2), in pixels: original height and width, the crop's top and left, height and width of the picture; here a picture as it is,
 * uncropped. A network of five numbers, as SDXL's refiner, is told in the place of the last two how the picture would be judged, from 0 to 10: 6, and
 * 2.5 where it stands for "no condition".
 *
 * @param spec what the network is conditioned on
 * @param text its tokenizers
 * @param height of the pictures in pixels
 * @param width of the pictures in pixels
 * @param negative the text that stands for "no condition"; usually the empty one; none where zeros are told in the place of its states
 */
public record TextConditioner(ConditionSpec spec, TextCard text, int height, int width, Optional<String> negative)
        implements Conditioner {
    /** In the place of every token of a text whose states are zeros. */
    static final int NO_TOKEN = -1;

    private static final int WITH_SCORE = 5;
    private static final float SCORE = 6;
    private static final float NEGATIVE_SCORE = 2.5f;

    /** Refuses a network that is told another number of numbers. */
    public TextConditioner {
        int ids = ids(spec);
        if (ids != 0 && ids != UNetSpec.Pooled.SIZES && ids != WITH_SCORE) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "the network is told " + ids + " numbers of a picture (pooled.ids), expected "
                            + UNetSpec.Pooled.SIZES + " (original size, crop, size) or " + WITH_SCORE
                            + " (original size, crop, score): what others mean is not known");
        }
    }

    private static int ids(ConditionSpec spec) {
        return spec.parts().containsKey(Part.TIME_IDS)
                ? spec.parts().get(Part.TIME_IDS).get(0)
                : 0;
    }

    @Override
    public Condition of(Prompts prompts, Device device) {
        return of(prompts.texts().stream().map(Optional::of).toList(), SCORE, device);
    }

    @Override
    public Condition none(int count, Device device) {
        return of(Collections.nCopies(count, negative), NEGATIVE_SCORE, device);
    }

    @Override
    public Conditioner withNegative(String other) {
        return new TextConditioner(spec, text, height, width, Optional.of(other));
    }

    private Condition of(List<Optional<String>> texts, float score, Device device) {
        List<ClipTokenizer> tokenizers = text.tokenizers();
        int length = spec.parts().get(Part.TOKENS).get(1);
        long[] ids = new long[texts.size() * tokenizers.size() * length];
        int at = 0;
        for (Optional<String> one : texts) {
            for (ClipTokenizer tokenizer : tokenizers) {
                int[] own = one.map(tokenizer::ids).orElse(null);
                for (int i = 0; i < length; i++) {
                    ids[at++] = own == null ? NO_TOKEN : own[i];
                }
            }
        }
        Map<Part, Tensor> parts = new EnumMap<>(Part.class);
        parts.put(Part.TOKENS, Ops.view(Tensors.of(ids, device), texts.size(), tokenizers.size(), length));
        int count = ids(spec);
        if (count > 0) {
            float[] told = count == WITH_SCORE
                    ? new float[] {height, width, 0, 0, score}
                    : new float[] {height, width, 0, 0, height, width};
            float[] rows = new float[texts.size() * count];
            for (int i = 0; i < texts.size(); i++) {
                System.arraycopy(told, 0, rows, i * count, count);
            }
            parts.put(Part.TIME_IDS, Tensors.of(rows, device, texts.size(), count));
        }
        return Condition.of(parts);
    }
}
