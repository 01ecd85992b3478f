package dev.retort.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.Optional;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.BeanProperty;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.std.StdSerializer;

/** A component of type {@code Optional} is a group of fields that may be left out, or empty ({@code {}}), which means none. */
final class OptionalGroups extends SimpleModule {
    private static final long serialVersionUID = 1L;

    OptionalGroups() {
        super("optional groups");
        addSerializer(Optional.class, new Writer());
        addDeserializer(Optional.class, new Reader(null));
    }

    /** What an optional type is of; another type itself. */
    static Type within(Type type) {
        return type instanceof ParameterizedType generic && generic.getRawType() == Optional.class
                ? generic.getActualTypeArguments()[0]
                : type;
    }

    @SuppressWarnings("rawtypes") // as modules register
    private static final class Writer extends StdSerializer<Optional> {
        Writer() {
            super(Optional.class);
        }

        @Override
        public void serialize(Optional value, JsonGenerator out, SerializationContext context) {
            if (value.isPresent()) {
                context.writeValue(out, value.get());
            } else {
                out.writeStartObject();
                out.writeEndObject();
            }
        }
    }

    @SuppressWarnings("rawtypes")
    private static final class Reader extends ValueDeserializer<Optional> {
        private final JavaType of;

        Reader(JavaType of) {
            this.of = of;
        }

        @Override
        public ValueDeserializer<?> createContextual(DeserializationContext context, BeanProperty property) {
            return new Reader(context.getContextualType().containedType(0));
        }

        @Override
        public Optional deserialize(JsonParser parser, DeserializationContext context) {
            JsonNode group = context.readTree(parser);
            return group.isObject() && group.isEmpty()
                    ? Optional.empty()
                    : Optional.of(context.readTreeAsValue(group, of));
        }
    }
}
