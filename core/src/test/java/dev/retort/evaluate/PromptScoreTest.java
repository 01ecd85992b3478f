package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.data.CaptionedShapes;
import dev.retort.data.DataConfig;
import dev.retort.data.ShapeAttributes;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PromptScoreTest {
    private static final int SIZE = 32;
    private static final PromptJudge JUDGE = PromptJudge.of(new DataConfig.CaptionedShapes("train", SIZE, false), SIZE)
            .orElseThrow();

    @Test
    void drawn_pictures_show_what_their_own_captions_ask_for_and_not_what_others_do() {
        CaptionedShapes drawn = new CaptionedShapes(SIZE, "test");
        List<ShapeAttributes> prompts = CaptionedShapes.prompts("test");
        int count = 100;
        int[] own = new int[count];
        int[] others = new int[count];
        byte[] bytes = new byte[count * drawn.pixels()];
        float[] values = new float[drawn.pixels()];
        for (int i = 0; i < count; i++) {
            drawn.read(i, values, 0);
            PixelBatch.quantise(values, 0, bytes, i * values.length, values.length);
            own[i] = prompts.indexOf(drawn.attributes(i));
            String colour = prompts.get(own[i]).colour();
            others[i] = IntStream.range(0, prompts.size())
                    .filter(p -> !prompts.get(p).colour().equals(colour))
                    .findFirst()
                    .orElseThrow();
        }
        PixelBatch batch = new PixelBatch(bytes, count, 3, SIZE, SIZE);
        PromptScore right = score(own, batch);
        PromptScore wrong = score(others, batch);
        assertThat(right.images()).isEqualTo(count);
        assertThat(right.share()).isGreaterThanOrEqualTo(0.99);
        assertThat(wrong.share()).isZero();
        assertThat(wrong.share("colour")).isLessThanOrEqualTo(0.01);
        assertThat(right.byAttribute()).containsOnlyKeys("colour", "kind", "place", "size");
    }

    private static PromptScore score(int[] asked, PixelBatch batch) {
        PromptScore.Counting counting = new PromptScore.Counting(JUDGE, asked);
        assertThat(counting.<Integer>before(PixelBatch::count).apply(batch)).isEqualTo(batch.count());
        return counting.score();
    }

    @Test
    void its_interval_is_that_of_wilson() {
        PromptScore score = new PromptScore(50, 45, Map.of());
        assertThat(score.interval().get(0))
                .isCloseTo(0.7864, within(1e-4)); // (0.9 + z²/100 ± z √(0.09/50 + z²/10⁴)) / (1 + z²/50), z = 1.96
        assertThat(score.interval().get(1)).isCloseTo(0.9565, within(1e-4));
    }

    @Test
    void data_that_nobody_can_read_have_no_judge() {
        assertThat(PromptJudge.of(DataConfig.shapes(SIZE), SIZE)).isEmpty();
    }
}
