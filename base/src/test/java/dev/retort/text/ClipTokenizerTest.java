package dev.retort.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Shared;
import dev.retort.error.RetortException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

class ClipTokenizerTest {
    private static final List<String> CAPTIONS = List.of(
            "a small red circle at the top left",
            "a big blue square at the bottom right",
            "A small green Triangle in the middle!",
            "a big red square at the top right");

    @TempDir
    Path folder;

    private static ClipTokenizer published() {
        return ClipTokenizer.read(Shared.path("reference/clip-text/tokenizer"));
    }

    private static JsonNode reference() {
        return JsonMapper.shared()
                .readTree(Shared.path("reference/clip-text/tokenizer.json").toFile());
    }

    private static int[] ids(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::asInt).toArray();
    }

    @Test
    void every_string_of_the_reference_gets_the_ids_of_the_transformers_library() {
        requireReferenceIds(published());
    }

    private static void requireReferenceIds(ClipTokenizer tokenizer) {
        JsonNode reference = reference();
        int[] pad = new int[77];
        Arrays.fill(pad, reference.get("pad_id").asInt());
        assertThat(reference.get("rows")).hasSize(60);
        for (JsonNode row : reference.get("rows")) {
            int[] stored = ids(row.get("ids"));
            int[] expected = pad.clone();
            System.arraycopy(stored, 0, expected, 0, stored.length);
            String text = row.get("text").asString();
            assertThat(tokenizer.ids(text)).as(text).isEqualTo(expected);
            assertThat(tokenizer.cut(text).isEmpty())
                    .as(text)
                    .isEqualTo(row.get("untruncated_length").asInt() <= 77);
        }
    }

    @Test
    void what_does_not_fit_is_told_as_text() {
        String words =
                String.join(" ", IntStream.range(0, 74).mapToObj(i -> "x").toList());
        assertThat(published().cut(words + " a café, 🐱 and a Dog")).isEqualTo("café , 🐱 and a dog");
        assertThat(published().cut(words + " fits")).isEmpty();
    }

    @Test
    void several_threads_get_the_same_ids() {
        ClipTokenizer tokenizer = published();
        List<int[]> all = IntStream.range(0, 2000)
                .parallel()
                .mapToObj(i -> tokenizer.ids("a photo of cat number " + i % 50))
                .toList();
        for (int i = 50; i < all.size(); i++) {
            assertThat(all.get(i)).isEqualTo(all.get(i - 50));
        }
    }

    @Test
    void a_folder_written_here_reads_back_equal() {
        ClipTokenizer published = published();
        published.write(folder);
        assertThat(folder.resolve("vocab.json")).exists();
        assertThat(ClipTokenizer.read(folder)).isEqualTo(published);
        ClipTokenizer learned = ClipTokenizer.learn(CAPTIONS, 80, 16);
        learned.write(folder);
        assertThat(ClipTokenizer.read(folder)).isEqualTo(learned).isNotEqualTo(published);
    }

    @Test
    void tokenizer_json_alone_is_enough_whether_merges_are_pairs_or_texts() throws IOException {
        for (boolean pairs : List.of(true, false)) {
            writeWhole(published(), pairs);
            requireReferenceIds(ClipTokenizer.read(folder));
        }
    }

    private void writeWhole(ClipTokenizer tokenizer, boolean pairs) throws IOException {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        ArrayNode added = root.putArray("added_tokens");
        for (String special : List.of("<|startoftext|>", "<|endoftext|>")) {
            added.addObject().put("id", tokenizer.tokens().get(special)).put("content", special);
        }
        ObjectNode model = root.putObject("model");
        model.put("type", "BPE").put("end_of_word_suffix", "</w>");
        ObjectNode vocabulary = model.putObject("vocab");
        tokenizer.tokens().forEach(vocabulary::put);
        ArrayNode merges = model.putArray("merges");
        for (BytePairs.Merge merge : tokenizer.merges()) {
            if (pairs) {
                merges.addArray().add(merge.left()).add(merge.right());
            } else {
                merges.add(merge.left() + " " + merge.right());
            }
        }
        Files.writeString(folder.resolve("tokenizer.json"), root.toString());
    }

    @Test
    void a_folder_may_pad_with_another_token_and_be_shorter() throws IOException {
        published().write(folder);
        replace(
                "special_tokens_map.json",
                "\"pad_token\" : \"<|endoftext|>\"",
                "\"pad_token\" : {\"content\" : \"!\"}");
        replace("tokenizer_config.json", "77", "8");
        ClipTokenizer tokenizer = ClipTokenizer.read(folder);
        assertThat(tokenizer.ids("a photo")).containsExactly(49406, 320, 1125, 49407, 0, 0, 0, 0);
        // the library takes a special token out of the text wherever it stands, and this one is special here
        assertThat(tokenizer.ids("wow!")).containsExactly(49406, 2781, 0, 49407, 0, 0, 0, 0);
        tokenizer.write(folder);
        assertThat(ClipTokenizer.read(folder)).isEqualTo(tokenizer);
    }

    @Test
    void tokens_that_were_added_later_are_not_spelled() throws IOException {
        published().write(folder);
        Files.writeString(folder.resolve("added_tokens.json"), "{\"<cat-toy>\": 49408}");
        ClipTokenizer tokenizer = ClipTokenizer.read(folder);
        assertThat(tokenizer.vocabulary()).isEqualTo(49409);
        assertThat(Arrays.copyOf(tokenizer.ids("a <cat-toy> photo"), 5))
                .containsExactly(49406, 320, 49408, 1125, 49407);
        Files.delete(folder.resolve("added_tokens.json"));
        tokenizer.write(folder);
        assertThat(ClipTokenizer.read(folder)).isEqualTo(tokenizer);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "vocab.json              ; \"left</w>\"  ; \"lost</w>\"  ; merges.txt merges 'l' and 'eft</w>'",
                "vocab.json              ; {            ; [           ; vocab.json cannot be read as JSON (line",
                "vocab.json              ; : 3,         ; : 4,        ; the same id 4",
                "vocab.json              ; : 3,         ; : -3,       ; the id -3, expected a whole number",
                "vocab.json              ; <|endoftext|>; <|end|>     ; has no '<|endoftext|>', the eos_token of",
                "merges.txt              ; t o          ; t           ; merges.txt line 8 is 't', expected two tokens",
                "tokenizer_config.json   ; CLIPTokenizer; T5Tokenizer ; tokenizer_class T5Tokenizer, expected CLIPTokenizer",
                "tokenizer_config.json   ; 16           ; 1           ; a length of 1 tokens, expected a whole number",
                "special_tokens_map.json ; <|endoftext|>; \u00a0      ; has no '\u00a0', the eos_token of special_tokens_map.json"
            })
    void a_damaged_file_is_named_with_what_is_wrong(String file, String from, String to, String message)
            throws IOException {
        ClipTokenizer.learn(CAPTIONS, 200, 16).write(folder);
        replace(file, from, to);
        assertThatThrownBy(() -> ClipTokenizer.read(folder))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining(file)
                .hasMessageContaining(message)
                .hasMessageContaining("fetch the tokenizer again");
    }

    @Test
    void a_folder_without_a_tokenizer_is_refused() {
        assertThatThrownBy(() -> ClipTokenizer.read(folder))
                .hasMessageContaining("holds no tokenizer: expected vocab.json and merges.txt, or tokenizer.json");
    }

    private void replace(String file, String from, String to) throws IOException {
        String text = Files.readString(folder.resolve(file));
        assertThat(text).contains(from);
        Files.writeString(folder.resolve(file), text.replaceFirst(Pattern.quote(from), to));
    }

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
                .extracting(BytePairs.Merge::joined)
                .containsExactly("pu", "hu", "pun</w>", "hug</w>");
    }

    @Test
    void a_word_without_end_is_spelled_in_time() {
        Random random = new Random(1);
        String word =
                random.ints(300_000, 'a', 'z' + 1).mapToObj(Character::toString).collect(Collectors.joining());
        assertThat(published().ids(word)[76]).isEqualTo(49407);
    }
}
