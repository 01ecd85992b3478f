package dev.retort.config;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.JsonFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The JSON file in which a folder says what it holds, under the number of its format. Its values are written as {@link Configs} writes
 * them. Read strictly: unknown and missing fields are errors.
 *
 * @param type record it is bound to
 * @param name name of the file
 * @param what what the folder is, such as {@code a model}
 * @param format the format that is written, in the field {@code format}
 * @param kind kind of the errors
 * @param instead what to give or do where there is no such file
 * @param again what to do where it is damaged or of another format
 */
public record CardFile<T>(
        Class<T> type, String name, String what, int format, Kind kind, String instead, String again) {
    private static final JsonMapper JSON = JsonMapper.builder()
            .annotationIntrospector(new Vocabulary())
            .addModule(new OneLineModule())
            .enable(SerializationFeature.INDENT_OUTPUT)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    /** Writes it into a folder. */
    public void write(Path folder, T card) {
        AtomicWrite.text(folder.resolve(name), text(card) + "\n");
    }

    /** Reads a folder's. */
    public T read(Path folder) {
        return read(folder, card -> {});
    }

    /**
     * Reads a folder's.
     *
     * @param upgrade makes an older format into this one, the number included
     */
    public T read(Path folder, Consumer<ObjectNode> upgrade) {
        Path file = folder.resolve(name);
        if (!Files.isReadable(file)) {
            throw new RetortException(
                    kind, folder + " is not " + what + ": it has no readable " + name + "; " + instead);
        }
        try {
            JsonNode card = JSON.readTree(Files.readString(file));
            if (!(card instanceof ObjectNode fields)) {
                throw new RetortException(kind, file + " holds no fields of " + what + "; " + again);
            }
            upgrade.accept(fields);
            if (card.path("format").isInt() && card.path("format").asInt() != format) {
                throw new RetortException(
                        kind,
                        file + " has format " + card.path("format").asInt() + ", this program reads " + format
                                + "; use the version that wrote it, or " + again);
            }
            return JSON.treeToValue(card, type);
        } catch (JacksonException | IOException e) {
            throw new RetortException(
                    kind,
                    file + " cannot be read as the card of " + what + " (" + JsonFault.ofFile(e) + "); " + again,
                    e);
        }
    }

    /** A value as it would stand in a card, as text. */
    public static String text(Object value) {
        return JSON.writeValueAsString(value);
    }

    /** In which fields two cards differ, in their order. */
    public static <T> List<Difference> differences(T there, T here) {
        return Fields.of(tree(there)).differences(Fields.of(tree(here)));
    }

    /** A value as it would stand in a card. */
    public static JsonNode tree(Object value) {
        return JSON.valueToTree(value);
    }

    /**
     * The value that {@link #text} made such a text of.
     *
     * @throws JacksonException where it is none
     */
    public static <T> T parse(String text, Class<T> type) {
        return JSON.readValue(text, type);
    }

    /** The value that {@link #tree} made such a tree of. */
    public static <T> T value(JsonNode tree, Class<T> type) {
        return JSON.treeToValue(tree, type);
    }
}
