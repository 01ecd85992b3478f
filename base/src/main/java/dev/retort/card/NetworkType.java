package dev.retort.card;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.Map;
import tools.jackson.databind.DatabindContext;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.jsontype.impl.TypeIdResolverBase;

/** How cards name the record of a network: ours by short names, any other by its class, which must be on the class path. */
final class NetworkType extends TypeIdResolverBase {
    private static final Map<String, Class<? extends NetworkSpec>> OURS = Map.of("dit", DitSpec.class);

    @Override
    public String idFromValue(DatabindContext context, Object value) {
        return idFromValueAndType(context, value, value.getClass());
    }

    @Override
    public String idFromValueAndType(DatabindContext context, Object value, Class<?> type) {
        return OURS.entrySet().stream()
                .filter(known -> known.getValue() == type)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(type.getName());
    }

    /** Null, which is refused with what is known, where there is no such network; no class but a network's is initialised. */
    @Override
    public JavaType typeFromId(DatabindContext context, String id) {
        Class<?> type = OURS.get(id);
        try {
            type = type == null ? Class.forName(id, false, NetworkSpec.class.getClassLoader()) : type;
        } catch (ClassNotFoundException | LinkageError e) {
            return null;
        }
        return type.isRecord() && NetworkSpec.class.isAssignableFrom(type) ? context.constructType(type) : null;
    }

    @Override
    public String getDescForKnownTypeIds() {
        return String.join(", ", OURS.keySet()) + " or the name of a class on the class path";
    }

    @Override
    public JsonTypeInfo.Id getMechanism() {
        return JsonTypeInfo.Id.CUSTOM;
    }
}
