package dev.retort.config;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.lang.reflect.Constructor;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.DatabindContext;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.annotation.JsonTypeIdResolver;
import tools.jackson.databind.jsontype.impl.TypeIdResolverBase;

/**
 * How cards and configurations name, by {@code type}, the record of a choice that users may add to: ours by short names, any
 * other by its class, which must be on the class path.
 */
public abstract class OpenTypes extends TypeIdResolverBase {
    private final Class<?> choice;
    private final Map<String, Class<?>> ours;

    /**
     * @param choice the interface that all records of the choice implement
     * @param ours short names of our own
     */
    protected OpenTypes(Class<?> choice, Map<String, Class<?>> ours) {
        this.choice = choice;
        this.ours = ours;
    }

    /** The record that a tree of this type stands for, its default where the type is not named; the type itself elsewhere. */
    static Class<?> record(Class<?> type, String name) {
        JsonTypeIdResolver resolver = type.getAnnotation(JsonTypeIdResolver.class);
        if (!type.isInterface() || resolver == null) {
            return type;
        }
        if (name.isEmpty()) {
            return type.getAnnotation(JsonTypeInfo.class).defaultImpl();
        }
        try {
            Constructor<?> constructor = resolver.value().getDeclaredConstructor();
            constructor.setAccessible(true);
            return ((OpenTypes) constructor.newInstance())
                    .named(name)
                    .<Class<?>>map(found -> found)
                    .orElse(Object.class);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(resolver.value() + " cannot be made", e);
        }
    }

    /** No class but one of the choice is initialised. */
    private Optional<Class<?>> named(String id) {
        try {
            Class<?> type = ours.get(id);
            type = type == null ? Class.forName(id, false, choice.getClassLoader()) : type;
            return type.isRecord() && choice.isAssignableFrom(type) ? Optional.of(type) : Optional.empty();
        } catch (ClassNotFoundException | LinkageError e) {
            return Optional.empty();
        }
    }

    @Override
    public String idFromValue(DatabindContext context, Object value) {
        return idFromValueAndType(context, value, value.getClass());
    }

    @Override
    public String idFromValueAndType(DatabindContext context, Object value, Class<?> type) {
        return ours.entrySet().stream()
                .filter(known -> known.getValue() == type)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(type.getName());
    }

    /** Null, which is refused with what is known, where there is no such record. */
    @Override
    public JavaType typeFromId(DatabindContext context, String id) {
        return named(id).map(context::constructType).orElse(null);
    }

    @Override
    public String getDescForKnownTypeIds() {
        return String.join(", ", ours.keySet()) + " or the name of a class on the class path";
    }

    @Override
    public JsonTypeInfo.Id getMechanism() {
        return JsonTypeInfo.Id.CUSTOM;
    }
}
