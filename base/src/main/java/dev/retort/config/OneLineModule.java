package dev.retort.config;

import dev.retort.error.RetortException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.BeanDescription;
import tools.jackson.databind.DeserializationConfig;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.deser.std.StdScalarDeserializer;
import tools.jackson.databind.module.SimpleDeserializers;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.std.StdSerializer;

/** Teaches a mapper to read and write values of {@link OneLine} as text. */
final class OneLineModule extends SimpleModule {
    private static final long serialVersionUID = 1L;

    OneLineModule() {
        super("choices in one line");
        addSerializer(OneLine.class, new Writer());
        setDeserializers(new Readers());
    }

    private static final class Readers extends SimpleDeserializers {
        private static final long serialVersionUID = 1L;

        @Override
        public ValueDeserializer<?> findBeanDeserializer(
                JavaType type, DeserializationConfig config, BeanDescription.Supplier description) {
            Class<?> raw = type.getRawClass();
            return raw.isSealed() && OneLine.class.isAssignableFrom(raw)
                    ? new Reader<>(raw)
                    : super.findBeanDeserializer(type, config, description);
        }
    }

    private static final class Writer extends StdSerializer<OneLine> {
        Writer() {
            super(OneLine.class);
        }

        @Override
        public void serialize(OneLine value, JsonGenerator out, SerializationContext context) {
            out.writeString(value.text());
        }
    }

    private static final class Reader<T> extends StdScalarDeserializer<T> {
        private final Class<T> choice;

        Reader(Class<T> choice) {
            super(choice);
            this.choice = choice;
        }

        @Override
        public T deserialize(JsonParser parser, DeserializationContext context) {
            if (parser.currentToken() != JsonToken.VALUE_STRING) {
                throw context.wrongTokenException(parser, choice, JsonToken.VALUE_STRING, "not a line of text");
            }
            try {
                return OneLines.parse(choice, parser.getString());
            } catch (RetortException e) {
                throw new RetortException(e.kind(), parser.currentName() + " " + e.getMessage(), e);
            }
        }
    }
}
