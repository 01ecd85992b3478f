package dev.retort.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.ClipTextSpec;
import dev.retort.card.ImageShape;
import dev.retort.card.LatentScale;
import dev.retort.card.ModelCard;
import dev.retort.card.Part;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TextCard;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.UNetSizes;
import dev.retort.card.UNetSpec.Pooled;
import dev.retort.card.UNetSpec.Text;
import dev.retort.card.UNetSpec.Told;
import dev.retort.data.Prompts;
import dev.retort.error.RetortException;
import dev.retort.pipeline.Architectures;
import dev.retort.text.ClipTokenizer;
import dev.retort.torch.Device;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TextConditionerTest {
    private static final List<String> TEXTS = List.of("a circle", "a square");

    /** A model of latents with two levels, for pictures of 64 x 64. */
    private static ModelCard card(int ids) {
        TextCard text = new TextCard(TEXTS, List.of(ClipTokenizer.learn(TEXTS, 270, 6)));
        int vocabulary = text.tokenizers().get(0).vocabulary();
        ClipTextSpec encoder = new ClipTextSpec(
                vocabulary, 6, 8, 16, 1, 2, ClipTextSpec.Activation.GELU, 1e-5, 4, 0, false, vocabulary - 1);
        Told told = new Told(Optional.of(new Text(6, 8)), Optional.of(new Pooled(4, ids, 8)), 0);
        TextToImageSpec spec = new TextToImageSpec(
                UNetSizes.of(new ImageShape(4, 8, 8), List.of(8, 8), 1, List.of(0, 1), 4, told), List.of(encoder));
        return ModelCard.of(
                        spec,
                        ProcessSpec.flow(),
                        SamplingSpec.of("flow-euler", 2, 1),
                        List.of(),
                        "",
                        0,
                        1,
                        "",
                        Map.of())
                .withText(text)
                .withAutoencoder(new AutoencoderCard("AutoencoderKL", "vae", "", 3, 4, 8, LatentScale.of(1)));
    }

    private static float[] told(ModelCard card) {
        try (Scope scope = Scope.open()) {
            Condition told = Architectures.conditioner(card).of(new Prompts.Texts(TEXTS), Device.CPU);
            return Tensors.floats(told.get(Part.TIME_IDS));
        }
    }

    private static float[] toldOfNothing(ModelCard card) {
        try (Scope scope = Scope.open()) {
            return Tensors.floats(
                    Architectures.conditioner(card).none(1, Device.CPU).get(Part.TIME_IDS));
        }
    }

    @Test
    void sizes_are_told_in_pixels_though_the_network_works_on_latents() {
        assertThat(told(card(6))).containsExactly(64, 64, 0, 0, 64, 64, 64, 64, 0, 0, 64, 64);
        assertThat(told(card(6).atSize(48, 80))).containsExactly(48, 80, 0, 0, 48, 80, 48, 80, 0, 0, 48, 80);
        assertThat(toldOfNothing(card(6).atSize(48, 80))).containsExactly(48, 80, 0, 0, 48, 80);
    }

    /** As the library's refiner: its size, its crop, and how it would be judged. */
    @Test
    void a_network_of_five_numbers_is_told_a_score() {
        assertThat(told(card(5))).containsExactly(64, 64, 0, 0, 6, 64, 64, 0, 0, 6);
        assertThat(toldOfNothing(card(5).atSize(48, 80))).containsExactly(48, 80, 0, 0, 2.5f);
    }

    @Test
    void numbers_whose_meaning_is_not_known_are_refused() {
        assertThatThrownBy(() -> told(card(4)))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("told 4 numbers of a picture (pooled.ids), expected 6");
    }
}
