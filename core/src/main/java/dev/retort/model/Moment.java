package dev.retort.model;

import dev.retort.card.Part;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * What one step of a {@link Request} tells a network of all samples alike.
 *
 * @param time in the network's units
 * @param numbers those of its scalar inputs that are the same for all samples
 */
public record Moment(double time, Map<Part, Double> numbers) {
    /** Copies. */
    public Moment {
        numbers = Map.copyOf(numbers);
    }

    /** Times and nothing else, one for each step. */
    public static List<Moment> at(double... times) {
        return Arrays.stream(times).mapToObj(time -> new Moment(time, Map.of())).toList();
    }

    /** A condition with the numbers added. */
    Condition tell(Condition condition) {
        Condition told = condition;
        for (Map.Entry<Part, Double> number : numbers.entrySet()) {
            double[] rows = new double[Math.toIntExact(condition.rows())];
            Arrays.fill(rows, number.getValue());
            told = told.with(number.getKey(), rows);
        }
        return told;
    }
}
