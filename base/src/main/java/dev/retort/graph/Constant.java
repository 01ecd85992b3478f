package dev.retort.graph;

import java.util.Arrays;

/**
 * Numbers that the program computes and no checkpoint holds, such as the frequencies of a time embedding.
 *
 * @param value its name, element type and shape, which no batch changes
 * @param numbers row-major
 */
public record Constant(Value value, double[] numbers) {
    /** Validates and copies. */
    public Constant {
        numbers = numbers.clone();
        value.shape().sizes().forEach(Size::whole);
        if (value.shape().elements(1) != numbers.length) {
            throw new IllegalArgumentException(
                    value.name() + " holds " + numbers.length + " numbers, expected those of " + value.shape());
        }
    }

    @Override
    public double[] numbers() {
        return numbers.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Constant constant
                && value.equals(constant.value)
                && Arrays.equals(numbers, constant.numbers);
    }

    @Override
    public int hashCode() {
        return 31 * value.hashCode() + Arrays.hashCode(numbers);
    }
}
