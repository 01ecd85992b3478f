package dev.retort.config;

import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.deser.std.StdScalarDeserializer;
import tools.jackson.databind.module.SimpleModule;

/** Reads a number with a fraction; NaN and infinities, which pass most checks of a range and train nothing, are refused. */
final class FiniteNumber extends StdScalarDeserializer<Double> {
    private FiniteNumber(Class<Double> type) {
        super(type);
    }

    static SimpleModule module() {
        return new SimpleModule("finite numbers")
                .addDeserializer(Double.class, new FiniteNumber(Double.class))
                .addDeserializer(double.class, new FiniteNumber(double.class));
    }

    @Override
    public Double deserialize(JsonParser parser, DeserializationContext context) {
        JsonToken token = parser.currentToken();
        if (!token.isNumeric() && token != JsonToken.VALUE_STRING) {
            throw context.wrongTokenException(parser, handledType(), JsonToken.VALUE_NUMBER_FLOAT, "not a number");
        }
        String text = parser.getString();
        try {
            return of(text);
        } catch (NumberFormatException e) {
            throw context.weirdStringException(text, handledType(), "not a finite number");
        }
    }

    /** The number that a text is; a NumberFormatException where it is none, or not a finite one. */
    static double of(String text) {
        double value = Double.parseDouble(text.replace("_", ""));
        if (!Double.isFinite(value)) {
            throw new NumberFormatException(text);
        }
        return value;
    }
}
