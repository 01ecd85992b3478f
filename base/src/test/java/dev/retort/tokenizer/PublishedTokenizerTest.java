package dev.retort.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Shared;
import dev.retort.text.ClipTokenizer;
import org.junit.jupiter.api.Test;

class PublishedTokenizerTest {
    @Test
    void it_is_the_tokenizer_that_pipelines_have_in_a_folder() {
        ClipTokenizer there = TokenizerFolder.read(Shared.path("reference/clip-text/tokenizer"));
        ClipTokenizer ours = PublishedTokenizer.of(77, false);
        assertThat(ours).isEqualTo(there);
    }

    @Test
    void it_gives_the_known_ids_of_a_text_and_fills_with_either_id() {
        assertThat(PublishedTokenizer.of(8, false).ids("a photo of a cat"))
                .containsExactly(49406, 320, 1125, 539, 320, 2368, 49407, 49407);
        assertThat(PublishedTokenizer.of(8, true).ids("a photo of a cat"))
                .containsExactly(49406, 320, 1125, 539, 320, 2368, 49407, 0);
    }
}
