package dev.retort.cli;

import java.math.BigDecimal;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * How the numbers of options are read: whole ones exactly and as configurations have them ({@code 10000}, {@code 10_000},
 * {@code 1e4}), all of them within their range or refused before the command begins. The message of a refusal is what was
 * expected.
 */
final class Numbers {
    private Numbers() {}

    /** 1 or more. */
    static final class Count implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            return (int) whole(text, 1, Integer.MAX_VALUE, "a whole number of at least 1");
        }
    }

    /** 1 or more, beyond what an array holds, too. */
    static final class LongCount implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            return whole(text, 1, Long.MAX_VALUE, "a whole number of at least 1");
        }
    }

    /** 0 or more. */
    static final class CountOrNone implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            return (int) whole(text, 0, Integer.MAX_VALUE, "a whole number of at least 0");
        }
    }

    /** Images that have a spread: 2 or more. */
    static final class Several implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            return (int) whole(text, 2, Integer.MAX_VALUE, "a whole number of at least 2");
        }
    }

    /** Threads; libgomp ends the process where the system refuses to start as many as were asked for. */
    static final class Threads implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            return (int) whole(text, 1, 1024, "a whole number from 1 to 1024");
        }
    }

    /** Points of a time grid. */
    static final class Steps implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            return (int) whole(text, 1, 10_000, "a whole number from 1 to 10000");
        }
    }

    /** Any whole number of 64 bits. */
    static final class Seed implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            return whole(text, Long.MIN_VALUE, Long.MAX_VALUE, "a whole number of at most 64 bits");
        }
    }

    private static long whole(String text, long least, long most, String expected) {
        try {
            long value = new BigDecimal(text.strip().replace("_", "")).longValueExact();
            if (value >= least && value <= most) {
                return value;
            }
        } catch (ArithmeticException | NumberFormatException e) {
            // said below
        }
        boolean digits = text.matches("\\d+");
        throw new TypeConversionException(
                digits && most == Integer.MAX_VALUE ? expected + " and at most " + most : expected);
    }
}
