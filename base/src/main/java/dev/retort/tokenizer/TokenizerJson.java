package dev.retort.tokenizer;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.JsonFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A file of a tokenizer's folder, as JSON or as lines; every error names the file. */
final class TokenizerJson {
    /** More than any vocabulary has; a damaged id must not decide how much memory is taken. */
    private static final int LARGEST_ID = 1 << 22;

    private final Path file;
    private final JsonNode root;

    private TokenizerJson(Path file, JsonNode root) {
        this.file = file;
        this.root = root;
    }

    /** Reads an object; empty where there is no such file. */
    static Optional<TokenizerJson> find(Path file) {
        return Files.isRegularFile(file) ? Optional.of(read(file)) : Optional.empty();
    }

    private static TokenizerJson read(Path file) {
        try {
            JsonNode root = JsonMapper.shared().readTree(Files.readString(file));
            if (!root.isObject()) {
                throw damaged(file, "is not a JSON object", null);
            }
            return new TokenizerJson(file, root);
        } catch (JacksonException | IOException e) {
            throw damaged(file, "cannot be read as JSON (" + JsonFault.ofFile(e) + ")", e);
        }
    }

    /** The lines of a text file. */
    static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw damaged(file, "cannot be read as text in UTF-8 (" + AtomicWrite.reason(e) + ")", e);
        }
    }

    static RetortException damaged(Path file, String what, Exception cause) {
        return new RetortException(Kind.CHECKPOINT, file + " " + what + "; fetch the tokenizer again", cause);
    }

    Path file() {
        return file;
    }

    JsonNode root() {
        return root;
    }

    RetortException damaged(String what) {
        return damaged(file, what, null);
    }

    /** A token's text: a string, or an object whose {@code content} it is. */
    Optional<String> token(String field) {
        JsonNode value = root.path(field);
        JsonNode content = value.isObject() ? value.path("content") : value;
        if (content.isMissingNode() || content.isNull()) {
            return Optional.empty();
        }
        if (!content.isString() || content.asString().isEmpty()) {
            throw damaged("has " + field + " " + value + ", expected a token");
        }
        return Optional.of(content.asString());
    }

    /** Token to id, as {@code vocabulary}, a node of this file, has them. */
    Map<String, Integer> ids(JsonNode vocabulary) {
        if (!vocabulary.isObject() || vocabulary.isEmpty()) {
            throw damaged("has no vocabulary: an object of tokens and their ids");
        }
        Map<String, Integer> ids = new LinkedHashMap<>();
        Map<Integer, String> tokens = new HashMap<>();
        vocabulary.properties().forEach(entry -> {
            int id = id(entry.getKey(), entry.getValue());
            String same = tokens.put(id, entry.getKey());
            if (same != null) {
                throw damaged("gives '" + same + "' and '" + entry.getKey() + "' the same id " + id);
            }
            ids.put(entry.getKey(), id);
        });
        return ids;
    }

    /** An id that is one. */
    int id(String token, JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.asInt() < 0 || value.asInt() > LARGEST_ID) {
            throw damaged(
                    "gives '" + token + "' the id " + value + ", expected a whole number from 0 to " + LARGEST_ID);
        }
        return value.asInt();
    }
}
