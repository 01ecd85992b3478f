package dev.retort.config;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.type.LogicalType;
import tools.jackson.dataformat.yaml.YAMLMapper;
import tools.jackson.dataformat.yaml.YAMLWriteFeature;

/**
 * YAML to records and back. Overrides change the tree, the tree is bound once. Unknown and missing keys, nulls, numbers
 * of the wrong kind and values that a compact constructor refuses end with one sentence that names the field's path.
 *
 * <p>A record needs no annotation: components are the keys, a sealed interface is chosen by {@code type}, enum constants
 * are lower case with dashes, a {@link OneLine} is a text, and what a static method {@code defaults()} of the record knows, or
 * is an {@link java.util.Optional} group, may be left out. A file may open with {@code kind}, the command that it is for.
 */
public final class Configs {
    static final YAMLMapper MAPPER = YAMLMapper.builder()
            .annotationIntrospector(new Vocabulary())
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
            .changeDefaultNullHandling(ignored -> JsonSetter.Value.forValueNulls(Nulls.FAIL, Nulls.FAIL))
            .addModule(WholeNumber.module())
            .addModule(FiniteNumber.module())
            .addModule(new OneLineModule())
            .addModule(new OptionalGroups())
            .enable(EnumFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
            .withCoercionConfig(
                    LogicalType.Boolean, config -> config.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail))
            .disable(YAMLWriteFeature.USE_NATIVE_TYPE_ID)
            .disable(YAMLWriteFeature.WRITE_DOC_START_MARKER)
            .enable(YAMLWriteFeature.MINIMIZE_QUOTES)
            .enable(YAMLWriteFeature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
            .build();

    private static final String KIND = "kind";

    private Configs() {}

    /** Reads a preset by name or a file by path, applies {@code a.b=value} overrides in order, binds the result. */
    public static <T> T load(Class<T> type, String kind, String presetOrFile, List<String> overrides) {
        return load(type, Presets.open(kind, presetOrFile), overrides);
    }

    /** Applies {@code a.b=value} overrides to the preset in order and binds the result. */
    public static <T> T load(Class<T> type, Preset preset, List<String> overrides) {
        List<Assignment> assignments = overrides.stream().map(Assignment::parse).toList();
        ObjectNode given = tree(preset);
        requireKind(given, preset);
        // before any is applied: what an assignment itself gives is refused where it means nothing, not dropped
        assignments.forEach(assignment -> Defaults.dropFormer(given, type, assignment));
        ObjectNode complete = Defaults.complete(given, type);
        for (Assignment assignment : assignments) {
            assignment.applyTo(given, complete);
            complete = Defaults.complete(given, type);
        }
        try {
            return MAPPER.treeToValue(complete, type);
        } catch (JacksonException e) {
            throw BindingError.of(e, type, complete, preset.name(), assignments);
        }
    }

    /** The value with all its defaults as YAML that {@link #load} reads back to an equal value, opening with its kind. */
    public static String write(String kind, Object value) {
        return KIND + ": " + kind + "\n" + MAPPER.writeValueAsString(value);
    }

    /**
     * In which fields a file that {@link #write} wrote differs from a value of its kind. What the file leaves out, or has in
     * the form of an earlier version, counts as what it means.
     *
     * @throws RetortException of kind CONFIG when the file holds no YAML
     */
    public static List<Difference> differences(String kind, Path file, Object here) {
        ObjectNode there = tree(Presets.file(kind, file));
        there.remove(KIND);
        ObjectNode complete = Defaults.complete(there, here.getClass());
        Object bound = complete;
        try {
            bound = MAPPER.treeToValue(complete, here.getClass());
        } catch (JacksonException e) {
            // somebody edited it: said as it stands
        }
        return fields(bound).differences(fields(here));
    }

    private static Fields fields(Object value) {
        return Fields.of(parsed(MAPPER.writeValueAsString(value), "this configuration"));
    }

    /**
     * A group of a file, its defaults with it; empty where the file has no such group.
     *
     * @param path the group's field, outermost name first; nothing for the whole file
     */
    public static <T> Optional<T> part(Class<T> type, Path file, String... path) {
        if (!(Types.at(tree(Presets.file("", file)), List.of(path)) instanceof ObjectNode given)) {
            return Optional.empty();
        }
        ObjectNode complete = Defaults.complete(given, type);
        try {
            return Optional.of(MAPPER.treeToValue(complete, type));
        } catch (JacksonException e) {
            throw BindingError.of(
                    e,
                    type,
                    complete,
                    path.length == 0 ? file.toString() : file + ": " + String.join(".", path),
                    List.of());
        }
    }

    /** The kind that a file opens with; empty where it does not say it. */
    public static String kind(Path file) {
        return tree(Presets.file("", file)).path(KIND).asString("");
    }

    /** Takes the kind off a file that says it. */
    private static void requireKind(ObjectNode given, Preset preset) {
        JsonNode kind = given.remove(KIND);
        if (kind != null && !kind.asString("").equals(preset.kind())) {
            throw new RetortException(
                    Kind.CONFIG,
                    preset.name() + ": kind is " + kind + ", expected " + preset.kind()
                            + "; give it to the command that it was written for");
        }
    }

    private static JsonNode parsed(String yaml, String name) {
        try {
            return MAPPER.readTree(yaml);
        } catch (JacksonException e) {
            String where = e.getLocation() == null
                    ? ""
                    : " at line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr();
            String why = e.getOriginalMessage().lines().findFirst().orElse("").strip();
            throw new RetortException(
                    Kind.CONFIG, name + " is not valid YAML" + where + " (" + why + "); correct that line", e);
        }
    }

    private static ObjectNode tree(Preset preset) {
        if (!(parsed(preset.yaml(), preset.name()) instanceof ObjectNode tree)) {
            throw new RetortException(
                    Kind.CONFIG,
                    preset.name() + " holds no fields; start from a preset: 'retort presets"
                            + (preset.kind().isEmpty() ? "" : " " + preset.kind()) + "'");
        }
        return tree;
    }
}
