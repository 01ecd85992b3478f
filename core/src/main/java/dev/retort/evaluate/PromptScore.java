package dev.retort.evaluate;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Shares of pictures that show what they were asked for.
 *
 * @param images how many were judged
 * @param whole those that show all of it
 * @param byAttribute those that show one attribute, by its name
 */
public record PromptScore(int images, int whole, Map<String, Integer> byAttribute) {
    private static final double Z = 1.96; // 95 %

    /** Looks at the pictures of a stream. */
    static final class Counting {
        private final PromptJudge judge;
        private final int[] asked;
        private final Map<String, Integer> byAttribute = new HashMap<>();
        private int images;
        private int whole;

        /** @param asked which text each picture was to show */
        Counting(PromptJudge judge, int[] asked) {
            this.judge = judge;
            this.asked = asked;
        }

        /** The same function of a batch, whose pictures are looked at first. */
        <T> Function<PixelBatch, T> before(Function<PixelBatch, T> look) {
            return batch -> {
                count(batch);
                return look.apply(batch);
            };
        }

        private void count(PixelBatch batch) {
            float[] picture = new float[batch.imageSize()];
            for (int i = 0; i < batch.count(); i++) {
                for (int p = 0; p < picture.length; p++) {
                    picture[p] = (batch.pixels()[i * picture.length + p] & 0xFF) / 127.5f - 1;
                }
                Map<String, Boolean> verdicts = judge.verdicts(asked[images++], picture);
                verdicts.forEach((name, right) -> byAttribute.merge(name, right ? 1 : 0, Integer::sum));
                whole += verdicts.containsValue(false) ? 0 : 1;
            }
        }

        PromptScore score() {
            return new PromptScore(images, whole, byAttribute);
        }
    }

    /** Copies, in the order of the attributes' names. */
    public PromptScore {
        byAttribute = Collections.unmodifiableMap(new TreeMap<>(byAttribute));
    }

    /** Share of pictures that show all they were asked for. */
    public double share() {
        return (double) whole / images;
    }

    /** Share of pictures that show one attribute. */
    public double share(String attribute) {
        return (double) byAttribute.get(attribute) / images;
    }

    /** Bounds of {@link #share} with 95 % confidence (Wilson 1927), low and high. */
    public List<Double> interval() {
        double p = share();
        double z2 = Z * Z / images;
        double middle = (p + z2 / 2) / (1 + z2);
        double half = Z / (1 + z2) * Math.sqrt(p * (1 - p) / images + z2 / (4.0 * images));
        return List.of(middle - half, middle + half);
    }

    /** How sure it is, in a sentence. */
    public String note(String model) {
        return String.format(
                Locale.ROOT,
                "Prompts right of %s: %d of %d pictures of texts that no training showed, %.1f to %.1f %% with 95 %% confidence; read from"
                        + " the pixels without learned weights.",
                model,
                whole,
                images,
                100 * interval().get(0),
                100 * interval().get(1));
    }
}
