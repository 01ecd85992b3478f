package dev.retort.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClipTokenizerTest {
    private static final List<String> CAPTIONS = List.of(
            "a small red circle at the top left",
            "a big blue square at the bottom right",
            "A small green Triangle in the middle!",
            "a big red square at the top right");

    @Test
    void with_enough_tokens_every_word_of_the_captions_is_one() {
        ClipTokenizer tokenizer = ClipTokenizer.learn(CAPTIONS, 500, 16);
        for (String caption : CAPTIONS) {
            int words = caption.replace("!", " !").split(" ").length;
            int[] ids = tokenizer.ids(caption);
            assertThat(IntStream.of(ids).filter(id -> id == tokenizer.end()).count())
                    .isEqualTo(16 - words - 1);
        }
        assertThat(tokenizer.ids("a red circle")).isEqualTo(tokenizer.ids("A  RED circle"));
        assertThat(tokenizer.vocabulary()).isLessThan(500);
        assertThat(tokenizer.end()).isEqualTo(tokenizer.vocabulary() - 1);
    }

    @Test
    void the_same_captions_in_any_order_give_the_same_tokenizer_of_the_size_asked_for() {
        List<String> turned = new ArrayList<>(CAPTIONS);
        Collections.reverse(turned);
        ClipTokenizer tokenizer = ClipTokenizer.learn(CAPTIONS, 70, 16);
        assertThat(ClipTokenizer.learn(turned, 70, 16)).isEqualTo(tokenizer);
        assertThat(tokenizer.vocabulary()).isEqualTo(70);
    }

    @Test
    void words_that_no_caption_had_are_spelled_and_letters_that_none_had_are_unknown() {
        ClipTokenizer tokenizer = ClipTokenizer.learn(CAPTIONS, 80, 16);
        assertThat(tokenizer.ids("target")[1]).isNotEqualTo(tokenizer.end());
        assertThat(tokenizer.ids("x")[1]).isEqualTo(tokenizer.end());
    }

    @Test
    void a_vocabulary_that_does_not_hold_the_letters_is_refused() {
        assertThatThrownBy(() -> ClipTokenizer.learn(CAPTIONS, 30, 16))
                .hasMessageContaining("vocabulary is 30, expected at least 42");
        assertThatThrownBy(() -> ClipTokenizer.learn(CAPTIONS, 80, 2)).hasMessageContaining("length is 2");
    }

    @Test
    void pairs_are_learned_in_the_order_of_their_frequency() {
        // by hand: p·u 17, u·n</w> 16, h·u 15, u·g</w> 15, u·g 5, g·s</w> 5; after pu 17: h·u 15, pu·n</w> 12, u·g</w>
        // 10, …
        List<String> captions = Map.of("hug", 10, "pug", 5, "pun", 12, "bun", 4, "hugs", 5).entrySet().stream()
                .flatMap(word -> Stream.generate(word::getKey).limit(word.getValue()))
                .toList();
        assertThat(ClipTokenizer.learn(captions, 20, 16).merges())
                .extracting(Merge::joined)
                .containsExactly("pu", "hu", "pun</w>", "hug</w>");
    }

    @Test
    void every_white_space_of_unicode_and_nothing_else_ends_a_word() {
        ClipTokenizer tokenizer = ClipTokenizer.learn(List.of("a b"), 20, 5);
        Pattern space = Pattern.compile("\\s", Pattern.UNICODE_CHARACTER_CLASS);
        int[] apart = tokenizer.ids("a b");
        for (char c = 0; c < Character.MIN_SURROGATE; c++) {
            boolean white = space.matcher(Character.toString(c)).matches();
            boolean ends = Arrays.equals(tokenizer.ids("a" + c + "b"), apart);
            assertThat(ends).as("U+%04x", (int) c).isEqualTo(white);
        }
    }

    @Test
    void as_text_it_is_read_back_equal() {
        ClipTokenizer learned = ClipTokenizer.learn(CAPTIONS, 80, 16);
        assertThat(TokenizerText.parse(TokenizerText.of(learned))).isEqualTo(learned);
        Map<String, Integer> ids = new LinkedHashMap<>(learned.tokens());
        ids.put("<a toy>", 90); // and no token for the ids between
        ClipTokenizer more =
                new ClipTokenizer(ids, learned.merges(), learned.specials(), Set.of("<a toy>"), learned.length());
        assertThat(TokenizerText.parse(TokenizerText.of(more))).isEqualTo(more);
        assertThat(more.ids("a <a toy>")).contains(90);
    }

    @ParameterizedTest
    @CsvSource({
        "length 16, length, the lengths []",
        "length 16, long 16, line 1 begins with 'long'",
        "specials 78 79, specials 78 99, specials has 99",
        "merges , merges 0 0 , merge 0 makes",
        "merges , merges x , For input string"
    })
    void a_damaged_text_is_refused_with_what_is_wrong(String from, String to, String message) {
        String text = TokenizerText.of(ClipTokenizer.learn(CAPTIONS, 80, 16));
        assertThat(text).contains(from);
        assertThatThrownBy(() -> TokenizerText.parse(text.replaceFirst(from, to)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }
}
