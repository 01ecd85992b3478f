package dev.retort.evaluate;

import dev.retort.data.CaptionedShapes;
import dev.retort.data.DataConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Knows texts of which it can see whether a picture shows what they say. */
public interface PromptJudge {
    /** The texts, none of which a model was trained on. */
    List<String> prompts();

    /**
     * What of a text a picture shows.
     *
     * @param prompt which text
     * @param pixels values in [-1, 1], channel by channel, rows from the top
     * @return for each attribute that a text names, always the same ones in the same order, whether the picture has it
     */
    Map<String, Boolean> verdicts(int prompt, float[] pixels);

    /** The judge of data whose pictures can be read; empty of others. */
    static Optional<PromptJudge> of(DataConfig data, int size) {
        return data.pictures() instanceof DataConfig.CaptionedShapes
                ? Optional.of(new ShapesJudge(CaptionedShapes.prompts("test"), size))
                : Optional.empty();
    }
}
