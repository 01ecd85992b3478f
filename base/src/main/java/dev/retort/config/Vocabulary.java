package dev.retort.config;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.cfg.MapperConfig;
import tools.jackson.databind.introspect.Annotated;
import tools.jackson.databind.introspect.AnnotatedClass;
import tools.jackson.databind.introspect.JacksonAnnotationIntrospector;
import tools.jackson.databind.jsontype.NamedType;

/**
 * How our Java types are written in YAML and JSON without annotations: a sealed interface of ours is an object whose {@code
 * type} names the record ({@code LinearWarmup} is {@code linear-warmup}), or another field, whose name the interface has as
 * its constant {@code CHOSEN_BY}, or a text where it is {@link OneLine}; an enum constant is its name in lower case with dashes.
 * The constant's name in Java is read too, as cards of formats 1 and 2 have it.
 */
final class Vocabulary extends JacksonAnnotationIntrospector {
    private static final long serialVersionUID = 1L;
    private static final String OURS = "dev.retort.";

    static String dashed(String name) {
        return name.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-").replace('_', '-').toLowerCase(Locale.ROOT);
    }

    /** The field that chooses among the records of a sealed interface, or of the one that a record belongs to. */
    static String choice(Class<?> type) {
        Class<?> sealedType = type.isSealed() ? type : sealedParent(type);
        try {
            return (String) sealedType.getField("CHOSEN_BY").get(null);
        } catch (NoSuchFieldException e) {
            return "type";
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(sealedType + " hides CHOSEN_BY", e);
        }
    }

    /** The names {@code type} may take. */
    static List<String> typeNames(Class<?> sealedType) {
        return leaves(sealedType).stream()
                .map(leaf -> dashed(leaf.getSimpleName()))
                .toList();
    }

    /** The names of an enum's constants. */
    static List<String> constantNames(Class<?> type) {
        return Arrays.stream(type.getEnumConstants())
                .map(constant -> dashed(((Enum<?>) constant).name()))
                .toList();
    }

    /** The record that {@code type: name} chooses; {@code Object} where the name is not known. */
    static Class<?> named(Class<?> sealedType, String name) {
        return leaves(sealedType).stream()
                .filter(leaf -> dashed(leaf.getSimpleName()).equals(name))
                .findFirst()
                .<Class<?>>map(leaf -> leaf)
                .orElse(Object.class);
    }

    @Override
    public JsonTypeInfo.Value findPolymorphicTypeInfo(MapperConfig<?> config, Annotated annotated) {
        JsonTypeInfo.Value annotation = super.findPolymorphicTypeInfo(config, annotated);
        boolean choice = annotation == null && annotated instanceof AnnotatedClass && isChoice(annotated.getRawType());
        return choice
                ? JsonTypeInfo.Value.construct(
                        JsonTypeInfo.Id.NAME,
                        JsonTypeInfo.As.PROPERTY,
                        choice(annotated.getRawType()),
                        null,
                        false,
                        true,
                        true)
                : annotation;
    }

    @Override
    public List<NamedType> findSubtypes(MapperConfig<?> config, Annotated annotated) {
        Class<?> type = annotated.getRawType();
        if (!ours(type) || !type.isSealed()) {
            return super.findSubtypes(config, annotated);
        }
        return leaves(type).stream()
                .map(leaf -> new NamedType(leaf, dashed(leaf.getSimpleName())))
                .toList();
    }

    @Override
    public String findTypeName(MapperConfig<?> config, AnnotatedClass annotated) {
        String annotation = super.findTypeName(config, annotated);
        Class<?> type = annotated.getRawType();
        return annotation == null && isChoice(type) ? dashed(type.getSimpleName()) : annotation;
    }

    @Override
    public String[] findEnumValues(
            MapperConfig<?> config, AnnotatedClass annotated, Enum<?>[] constants, String[] names) {
        String[] found = super.findEnumValues(config, annotated, constants, names);
        if (ours(annotated.getRawType())) {
            for (int i = 0; i < constants.length; i++) {
                found[i] = found[i] == null ? dashed(constants[i].name()) : found[i];
            }
        }
        return found;
    }

    @Override
    public void findEnumAliases(
            MapperConfig<?> config, AnnotatedClass annotated, Enum<?>[] constants, String[][] aliases) {
        super.findEnumAliases(config, annotated, constants, aliases);
        if (ours(annotated.getRawType())) {
            for (int i = 0; i < constants.length; i++) {
                boolean none = aliases[i] == null || aliases[i].length == 0;
                aliases[i] = none ? new String[] {constants[i].name()} : aliases[i];
            }
        }
    }

    private static boolean isChoice(Class<?> type) {
        return ours(type)
                && !type.isEnum()
                && !OneLine.class.isAssignableFrom(type)
                && (type.isSealed() || sealedParent(type) != null);
    }

    private static Class<?> sealedParent(Class<?> type) {
        return Arrays.stream(type.getInterfaces())
                .filter(parent -> ours(parent) && parent.isSealed())
                .findFirst()
                .orElse(null);
    }

    private static boolean ours(Class<?> type) {
        return type.getName().startsWith(OURS);
    }

    private static List<Class<?>> leaves(Class<?> sealedType) {
        List<Class<?>> leaves = new ArrayList<>();
        for (Class<?> permitted : sealedType.getPermittedSubclasses()) {
            if (permitted.isSealed()) {
                leaves.addAll(leaves(permitted));
            } else {
                leaves.add(permitted);
            }
        }
        return leaves;
    }
}
