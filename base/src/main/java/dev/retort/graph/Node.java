package dev.retort.graph;

import dev.retort.io.Dtype;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One op at work.
 *
 * @param op what is computed
 * @param in operands, in the order of {@link Op#operands}; optional ones may be left out at the end
 * @param out the result
 * @param attributes exactly those of {@link Op#attributes}
 */
public record Node(Op op, List<Value> in, Value out, Map<String, Object> attributes) {
    /**
     * Validates.
     *
     * @throws IllegalArgumentException where operands or attributes are not the op's, or the result's shape is another than
     *     they make
     */
    public Node {
        in = List.copyOf(in);
        attributes = Map.copyOf(attributes);
        op.requireOperands(in.size());
        Set<String> names = new HashSet<>();
        for (Attribute attribute : op.attributes()) {
            names.add(attribute.name());
            if (!attribute.type().isInstance(attributes.get(attribute.name()))) {
                throw new IllegalArgumentException(op + "'s " + attribute.name() + " is "
                        + attributes.get(attribute.name()) + ", expected a "
                        + attribute.type().getSimpleName());
            }
        }
        if (!names.equals(attributes.keySet())) {
            throw new IllegalArgumentException(op + " has attributes " + attributes.keySet() + ", expected " + names);
        }
        Shape made = Shapes.of(op, in.stream().map(Value::shape).toList(), attributes);
        if (!made.equals(out.shape())) {
            throw new IllegalArgumentException(
                    out.name() + " has shape " + out.shape() + ", expected " + made + " of " + op + " on " + in);
        }
    }

    /** Multiply-accumulates for this many samples: those of products, as papers count them, and none else. */
    public long macs(long batch) {
        long each =
                switch (op) {
                    case LINEAR, LINEAR_GELU_TANH -> shape(1).size(1).at(batch);
                    case CONV2D -> shape(1).without(0).elements(batch);
                    case MATMUL -> shape(0).size(-1).at(batch);
                    case ATTENTION -> 2 * shape(1).size(2).at(batch);
                    case SELF_ATTENTION -> 2 * shape(0).size(1).at(batch);
                    default -> 0;
                };
        return each * out.shape().elements(batch);
    }

    private Shape shape(int operand) {
        return in.get(operand).shape();
    }

    /** A whole number. */
    public long whole(String attribute) {
        return (Long) attributes.get(attribute);
    }

    /** Several whole numbers. */
    public long[] wholes(String attribute) {
        return ((List<?>) attributes.get(attribute))
                .stream().mapToLong(number -> (Long) number).toArray();
    }

    /** A real number. */
    public double number(String attribute) {
        return (Double) attributes.get(attribute);
    }

    /** A yes or no. */
    public boolean flag(String attribute) {
        return (Boolean) attributes.get(attribute);
    }

    /** A length. */
    public Size size(String attribute) {
        return (Size) attributes.get(attribute);
    }

    /** A shape. */
    public Shape shape(String attribute) {
        return (Shape) attributes.get(attribute);
    }

    /** An element type. */
    public Dtype type(String attribute) {
        return (Dtype) attributes.get(attribute);
    }
}
