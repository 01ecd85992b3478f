package dev.retort.card;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.ClipTextSpec.Activation;
import dev.retort.config.CardFile;
import dev.retort.error.RetortException.Kind;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClipTextSpecTest {
    private static final ClipTextSpec SMALL = new ClipTextSpec(60, 16, 64, 3, 4);

    @TempDir
    Path folder;

    @Test
    void a_card_holds_the_shape_and_gives_it_back() {
        CardFile<ClipTextSpec> card =
                new CardFile<>(ClipTextSpec.class, "card.json", "an encoder", 1, Kind.CHECKPOINT, "", "");
        card.write(folder, SMALL);
        assertThat(folder.resolve("card.json")).content().contains("\"quick-gelu\"");
        assertThat(card.read(folder)).isEqualTo(SMALL);
    }

    @Test
    void the_encoders_of_stable_diffusion_have_their_published_sizes() {
        assertThat(new ClipTextSpec(49408, 77, 768, 3072, 12, 12, Activation.QUICK_GELU, 1e-5, 0, 0, true, 2)
                        .parameters())
                .isEqualTo(123_060_480);
        assertThat(new ClipTextSpec(49408, 77, 1280, 5120, 32, 20, Activation.GELU, 1e-5, 1280, 1, false, 2)
                        .parameters())
                .isEqualTo(694_659_840);
    }

    @Test
    void blocks_that_nothing_reads_are_those_behind_handed_states_where_none_is_pooled() {
        assertThat(SMALL.handing(1, true).withoutUnused().layers()).isEqualTo(2);
        assertThat(SMALL.handing(1, false).withoutUnused().layers()).isEqualTo(3);
        assertThat(SMALL.withoutUnused()).isEqualTo(SMALL);
    }

    @Test
    void a_shape_that_cannot_be_is_refused_by_its_field() {
        assertThatThrownBy(() -> new ClipTextSpec(60, 16, 64, 3, 5))
                .hasMessageContaining("width is 64, expected a multiple of heads 5");
        assertThatThrownBy(() -> SMALL.handing(3, true)).hasMessageContaining("skip is 3, expected between 0 and 2");
        assertThatThrownBy(() -> new ClipTextSpec(60, 16, 64, 96, 3, 4, Activation.GELU, 1e-5, 0, 0, true, 60))
                .hasMessageContaining("endToken is 60, expected between 0 and 59");
    }
}
