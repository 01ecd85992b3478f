package dev.retort.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Shared;
import dev.retort.error.RetortException;
import dev.retort.text.ClipTokenizer;
import dev.retort.text.Merge;
import dev.retort.text.TokenizerText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

class TokenizerFolderTest {
    private static final List<String> CAPTIONS = List.of(
            "a small red circle at the top left",
            "a big blue square at the bottom right",
            "A small green Triangle in the middle!",
            "a big red square at the top right");

    @TempDir
    Path folder;

    private static ClipTokenizer published() {
        return TokenizerFolder.read(Shared.path("reference/clip-text/tokenizer"));
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
        TokenizerFolder.write(published, folder);
        assertThat(folder.resolve("vocab.json")).exists();
        assertThat(TokenizerFolder.read(folder)).isEqualTo(published);
        ClipTokenizer learned = ClipTokenizer.learn(CAPTIONS, 80, 16);
        TokenizerFolder.write(learned, folder);
        assertThat(TokenizerFolder.read(folder)).isEqualTo(learned).isNotEqualTo(published);
    }

    @Test
    void the_published_tokenizer_as_text_gives_every_string_of_the_reference_the_same_ids() {
        ClipTokenizer parsed = TokenizerText.parse(TokenizerText.of(published()));
        assertThat(parsed).isEqualTo(published());
        requireReferenceIds(parsed);
    }

    @Test
    void tokenizer_json_alone_is_enough_whether_merges_are_pairs_or_texts() throws IOException {
        for (boolean pairs : List.of(true, false)) {
            writeWhole(published(), pairs);
            requireReferenceIds(TokenizerFolder.read(folder));
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
        for (Merge merge : tokenizer.merges()) {
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
        TokenizerFolder.write(published(), folder);
        replace(
                "special_tokens_map.json",
                "\"pad_token\" : \"<|endoftext|>\"",
                "\"pad_token\" : {\"content\" : \"!\"}");
        replace("tokenizer_config.json", "77", "8");
        ClipTokenizer tokenizer = TokenizerFolder.read(folder);
        assertThat(tokenizer.ids("a photo")).containsExactly(49406, 320, 1125, 49407, 0, 0, 0, 0);
        // the library takes a special token out of the text wherever it stands, and this one is special here
        assertThat(tokenizer.ids("wow!")).containsExactly(49406, 2781, 0, 49407, 0, 0, 0, 0);
        TokenizerFolder.write(tokenizer, folder);
        assertThat(TokenizerFolder.read(folder)).isEqualTo(tokenizer);
    }

    @Test
    void tokens_that_were_added_later_are_not_spelled() throws IOException {
        TokenizerFolder.write(published(), folder);
        Files.writeString(folder.resolve("added_tokens.json"), "{\"<cat-toy>\": 49408}");
        ClipTokenizer tokenizer = TokenizerFolder.read(folder);
        assertThat(tokenizer.vocabulary()).isEqualTo(49409);
        assertThat(Arrays.copyOf(tokenizer.ids("a <cat-toy> photo"), 5))
                .containsExactly(49406, 320, 49408, 1125, 49407);
        Files.delete(folder.resolve("added_tokens.json"));
        TokenizerFolder.write(tokenizer, folder);
        assertThat(TokenizerFolder.read(folder)).isEqualTo(tokenizer);
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
        TokenizerFolder.write(ClipTokenizer.learn(CAPTIONS, 200, 16), folder);
        replace(file, from, to);
        assertThatThrownBy(() -> TokenizerFolder.read(folder))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining(file)
                .hasMessageContaining(message)
                .hasMessageContaining("fetch the tokenizer again");
    }

    @Test
    void a_folder_without_a_tokenizer_is_refused() {
        assertThatThrownBy(() -> TokenizerFolder.read(folder))
                .hasMessageContaining("holds no tokenizer: expected vocab.json and merges.txt, or tokenizer.json");
    }

    private void replace(String file, String from, String to) throws IOException {
        String text = Files.readString(folder.resolve(file));
        assertThat(text).contains(from);
        Files.writeString(folder.resolve(file), text.replaceFirst(Pattern.quote(from), to));
    }

    @Test
    void a_word_without_end_is_spelled_in_time() {
        Random random = new Random(1);
        String word =
                random.ints(300_000, 'a', 'z' + 1).mapToObj(Character::toString).collect(Collectors.joining());
        assertThat(published().ids(word)[76]).isEqualTo(49407);
    }
}
