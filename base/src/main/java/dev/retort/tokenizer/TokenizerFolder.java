package dev.retort.tokenizer;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.TextHash;
import dev.retort.text.ClipTokenizer;
import dev.retort.text.ClipTokenizer.Specials;
import dev.retort.text.Merge;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** A CLIP tokenizer in a folder, as the transformers library reads and writes it. */
public final class TokenizerFolder {
    private static final String VOCABULARY = "vocab.json";
    private static final String MERGES = "merges.txt";
    private static final String WHOLE = "tokenizer.json";
    private static final String CONFIG = "tokenizer_config.json";
    private static final String SPECIALS = "special_tokens_map.json";
    private static final String ADDED = "added_tokens.json";

    private static final String VERSION = "#version: 0.2";
    private static final List<String> CLASSES = List.of("CLIPTokenizer", "CLIPTokenizerFast", "");
    /** Above it {@code model_max_length} means that there is no limit. */
    private static final int MOST = 1 << 16;

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private final Path folder;
    /** Of what the vocabulary is told, for errors. */
    private Path source;
    /** Of what the merges are told. */
    private Path mergeSource;

    private Map<String, Integer> ids = Map.of();
    private final List<Merge> merges = new ArrayList<>();
    private final Map<Integer, String> added = new TreeMap<>();
    private int length = ClipTokenizer.LENGTH;

    private TokenizerFolder(Path folder) {
        this.folder = folder;
    }

    /**
     * Reads a folder: {@code vocab.json} and {@code merges.txt}, else {@code tokenizer.json}; and beside them, where they are
     * there, {@code tokenizer_config.json}, {@code special_tokens_map.json} and {@code added_tokens.json}.
     *
     * @throws RetortException of kind CHECKPOINT naming the file that is missing or damaged
     */
    public static ClipTokenizer read(Path folder) {
        return new TokenizerFolder(folder).read();
    }

    private ClipTokenizer read() {
        Optional<TokenizerJson> vocabulary = TokenizerJson.find(folder.resolve(VOCABULARY));
        Path lines = folder.resolve(MERGES);
        Optional<TokenizerJson> whole = TokenizerJson.find(folder.resolve(WHOLE));
        if (vocabulary.isPresent() && Files.isRegularFile(lines)) {
            ids = vocabulary.get().ids(vocabulary.get().root());
            source = vocabulary.get().file();
            merges(lines);
        } else if (whole.isPresent()) {
            whole(whole.get());
        } else {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    folder + " holds no tokenizer: expected " + VOCABULARY + " and " + MERGES + ", or " + WHOLE
                            + "; fetch it again");
        }
        Optional<TokenizerJson> config = TokenizerJson.find(folder.resolve(CONFIG));
        config.ifPresent(this::config);
        TokenizerJson.find(folder.resolve(ADDED))
                .ifPresent(file -> file.ids(file.root()).forEach((token, id) -> added.put(id, token)));
        added.forEach((id, token) -> ids.putIfAbsent(token, id));
        Specials specials = specials(config, TokenizerJson.find(folder.resolve(SPECIALS)));
        requireMergesKnown();
        added.values().removeAll(specials.all());
        return new ClipTokenizer(ids, merges, specials, Set.copyOf(added.values()), length);
    }

    private void merges(Path file) {
        mergeSource = file;
        List<String> lines = TokenizerJson.lines(file);
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (!line.isEmpty() && !(i == 0 && line.startsWith("#version"))) {
                merges.add(merge(file, "line " + (i + 1), line.split(" ", -1)));
            }
        }
    }

    private static Merge merge(Path file, String place, String[] pair) {
        if (pair.length != 2 || pair[0].isEmpty() || pair[1].isEmpty()) {
            throw TokenizerJson.damaged(
                    file,
                    place + " is '" + String.join(" ", pair) + "', expected two tokens with a space between",
                    null);
        }
        return new Merge(pair[0], pair[1]);
    }

    private void whole(TokenizerJson file) {
        JsonNode model = file.root().path("model");
        String type = model.path("type").asString("BPE");
        String end = model.path("end_of_word_suffix").asString("");
        if (!type.equals("BPE") || !end.equals(ClipTokenizer.END_OF_WORD)) {
            throw file.damaged("is a " + type + " whose words end with '" + end + "', expected CLIP's byte pairs (BPE, "
                    + ClipTokenizer.END_OF_WORD + ")");
        }
        source = mergeSource = file.file();
        ids = file.ids(model.path("vocab"));
        for (JsonNode pair : model.path("merges")) {
            String[] sides = pair.isArray()
                    ? pair.valueStream().map(side -> side.asString("")).toArray(String[]::new)
                    : pair.asString("").split(" ", -1);
            merges.add(merge(file.file(), "merge " + merges.size(), sides));
        }
        for (JsonNode token : file.root().path("added_tokens")) {
            String content = token.path("content").asString("");
            added.put(file.id(content, token.path("id")), content);
        }
        length(file, file.root().path("truncation").path("max_length"));
    }

    private void config(TokenizerJson file) {
        String type = file.root().path("tokenizer_class").asString("");
        if (!CLASSES.contains(type)) {
            throw file.damaged("has tokenizer_class " + type + ", expected " + CLASSES.get(0));
        }
        length(file, file.root().path("model_max_length"));
        file.root().path("added_tokens_decoder").properties().forEach(entry -> {
            String token = entry.getValue().path("content").asString("");
            added.put(file.id(token, JsonMapper.shared().readTree(entry.getKey())), token);
        });
    }

    private void length(TokenizerJson file, JsonNode value) {
        if (value.isMissingNode() || value.isNull() || value.isNumber() && value.asDouble() > MOST) {
            return;
        }
        if (!value.isIntegralNumber() || value.asInt() < ClipTokenizer.SHORTEST) {
            throw file.damaged("has a length of " + value + " tokens, expected a whole number of at least "
                    + ClipTokenizer.SHORTEST);
        }
        length = value.asInt();
    }

    /** The map goes before the configuration, as in the library; what neither names is as in every published encoder. */
    private Specials specials(Optional<TokenizerJson> config, Optional<TokenizerJson> map) {
        String end = special("eos_token", Specials.CLIP.end(), map, config);
        return new Specials(
                special("bos_token", Specials.CLIP.start(), map, config),
                end,
                special("unk_token", end, map, config),
                special("pad_token", end, map, config));
    }

    private String special(
            String field, String otherwise, Optional<TokenizerJson> map, Optional<TokenizerJson> config) {
        Optional<TokenizerJson> from = Stream.of(map, config)
                .flatMap(Optional::stream)
                .filter(file -> file.token(field).isPresent())
                .findFirst();
        String token = from.flatMap(file -> file.token(field)).orElse(otherwise);
        if (!ids.containsKey(token)) {
            throw TokenizerJson.damaged(
                    source,
                    "has no '" + token + "', the " + field
                            + from.map(file -> " of " + file.file().getFileName())
                                    .orElse(""),
                    null);
        }
        return token;
    }

    private void requireMergesKnown() {
        for (Merge merge : merges) {
            for (String token : List.of(merge.left(), merge.right(), merge.joined())) {
                if (!ids.containsKey(token)) {
                    throw TokenizerJson.damaged(
                            mergeSource,
                            "merges '" + merge.left() + "' and '" + merge.right() + "', but " + source.getFileName()
                                    + " has no '" + token + "'",
                            null);
                }
            }
        }
    }

    /**
     * Writes {@code vocab.json}, {@code merges.txt}, {@code tokenizer_config.json} and {@code special_tokens_map.json} into a
     * folder, as other programs read them.
     */
    public static void write(ClipTokenizer tokenizer, Path folder) {
        AtomicWrite.text(folder.resolve(VOCABULARY), json(tokenizer.tokens()));
        StringBuilder merges = new StringBuilder(VERSION).append('\n');
        tokenizer.merges().forEach(merge -> merges.append(merge.left())
                .append(' ')
                .append(merge.right())
                .append('\n'));
        AtomicWrite.text(folder.resolve(MERGES), merges.toString());
        Map<String, Object> specials = specials(tokenizer.specials());
        AtomicWrite.text(folder.resolve(SPECIALS), json(specials));
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("add_prefix_space", false);
        config.putAll(specials);
        if (!tokenizer.added().isEmpty()) {
            config.put("added_tokens_decoder", added(tokenizer));
        }
        config.put("do_lower_case", true);
        config.put("errors", "replace");
        config.put("model_max_length", tokenizer.length());
        config.put("tokenizer_class", CLASSES.get(0));
        AtomicWrite.text(folder.resolve(CONFIG), json(config));
    }

    private static Map<String, Object> specials(Specials specials) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("bos_token", specials.start());
        map.put("eos_token", specials.end());
        map.put("unk_token", specials.unknown());
        map.put("pad_token", specials.pad());
        return map;
    }

    private static Map<String, Object> added(ClipTokenizer tokenizer) {
        Map<String, Object> decoder = new LinkedHashMap<>();
        tokenizer.added().stream()
                .sorted()
                .forEach(token -> decoder.put(String.valueOf(tokenizer.tokens().get(token)), Map.of("content", token)));
        return decoder;
    }

    private static String json(Object value) {
        return JSON.writeValueAsString(value) + "\n";
    }

    /** Hash of what decides which ids a text gets, in hex: equal tokenizers have one. */
    public static String sha256(ClipTokenizer tokenizer) {
        List<String> parts = new ArrayList<>(tokenizer.specials().all());
        parts.add(Integer.toString(tokenizer.length()));
        tokenizer.added().stream().sorted().forEach(parts::add);
        tokenizer.merges().forEach(merge -> parts.add(merge.left() + " " + merge.right()));
        tokenizer.tokens().entrySet().stream()
                .sorted(Map.Entry.comparingByValue())
                .forEach(token -> parts.add(token.getValue() + " " + token.getKey()));
        return TextHash.sha256(parts);
    }
}
