package dev.retort.config;

import java.math.BigDecimal;
import java.util.function.Function;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.deser.std.StdScalarDeserializer;
import tools.jackson.databind.module.SimpleModule;

/** Reads a count exactly, however it is written: {@code 2000000}, {@code 2_000_000}, {@code 2e6}; never rounds. */
final class WholeNumber<T extends Number> extends StdScalarDeserializer<T> {
    private final transient Function<BigDecimal, T> exact;

    private WholeNumber(Class<T> type, Function<BigDecimal, T> exact) {
        super(type);
        this.exact = exact;
    }

    static SimpleModule module() {
        WholeNumber<Long> longs = new WholeNumber<>(Long.class, BigDecimal::longValueExact);
        WholeNumber<Integer> ints = new WholeNumber<>(Integer.class, BigDecimal::intValueExact);
        return new SimpleModule("whole numbers")
                .addDeserializer(Long.class, longs)
                .addDeserializer(long.class, longs)
                .addDeserializer(Integer.class, ints)
                .addDeserializer(int.class, ints);
    }

    @Override
    public T deserialize(JsonParser parser, DeserializationContext context) {
        JsonToken token = parser.currentToken();
        if (!token.isNumeric() && token != JsonToken.VALUE_STRING) {
            throw context.wrongTokenException(parser, handledType(), JsonToken.VALUE_NUMBER_INT, "not a whole number");
        }
        String text = parser.getString();
        try {
            return exact.apply(decimal(text));
        } catch (ArithmeticException | NumberFormatException e) {
            throw context.weirdStringException(text, handledType(), "not a whole number");
        }
    }

    /** The whole number that a text is; an ArithmeticException or NumberFormatException where it is none of 64 bits. */
    static long of(String text) {
        return decimal(text).longValueExact();
    }

    private static BigDecimal decimal(String text) {
        return new BigDecimal(text.replace("_", ""));
    }
}
