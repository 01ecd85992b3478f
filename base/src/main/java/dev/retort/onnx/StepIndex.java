package dev.retort.onnx;

import dev.retort.io.Dtype;
import java.util.Map;

/**
 * Which step of a sampler a call of the network is, where what the network computes with has a number for each step.
 *
 * @param input name of a value (1), 64-bit integer; empty where the step is known
 * @param known the step, where there is no such value
 * @param steps how many there are; 0 where the network may be called at any
 */
public record StepIndex(String input, int known, int steps) {
    /** Any step, so there is one number for all. */
    public static final StepIndex ANY = new StepIndex("", 0, 0);

    /** The step is known when the file is written. */
    public static StepIndex at(int step, int steps) {
        return new StepIndex("", step, steps);
    }

    /** The step is a value of the graph. */
    public static StepIndex in(String value, int steps) {
        return new StepIndex(value, 0, steps);
    }

    /** The number of this step, a value without dimensions; {@code numbers} has one for each step, or one for all. */
    String pick(OnnxBuilder builder, String name, Dtype type, double[] numbers) {
        if (numbers.length == 1) {
            return builder.constant(name, type, numbers);
        }
        if (numbers.length != steps) {
            throw new IllegalArgumentException(name + " has " + numbers.length + " numbers, expected one"
                    + (steps == 0 ? ", since the network may be called at any step" : " or " + steps));
        }
        if (input.isEmpty()) {
            return builder.constant(name + "." + known, type, new double[] {numbers[known]});
        }
        String each = builder.constant(name, type, numbers, numbers.length);
        String one = builder.add(OnnxOp.GATHER, Map.of("axis", 0L), each, input);
        return builder.add(OnnxOp.RESHAPE, one, builder.wholes());
    }
}
