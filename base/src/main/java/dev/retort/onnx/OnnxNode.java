package dev.retort.onnx;

import dev.retort.io.ProtoMessage;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One operator at work.
 *
 * @param op what is computed
 * @param in names of the operands; empty for an optional one that is left out
 * @param out names of the results
 * @param attributes by name, of the types that {@link OnnxAttribute.Kind} says
 */
public record OnnxNode(OnnxOp op, List<String> in, List<String> out, Map<String, Object> attributes) {
    /**
     * Validates.
     *
     * @throws IllegalArgumentException where operands, results or attributes are not the operator's
     */
    public OnnxNode {
        in = List.copyOf(in);
        out = List.copyOf(out);
        attributes = Map.copyOf(attributes);
        op.require(in, out.size());
        for (Map.Entry<String, Object> given : attributes.entrySet()) {
            OnnxAttribute known = op.attributes().get(given.getKey());
            if (known == null || !known.kind().type().isInstance(given.getValue())) {
                throw new IllegalArgumentException(op.type() + " says " + given + ", expected "
                        + (known == null
                                ? "one of " + new TreeMap<>(op.attributes()).keySet()
                                : known.kind().toString()));
            }
        }
        for (OnnxAttribute attribute : op.attributes().values()) {
            if (attribute.required() && !attributes.containsKey(attribute.name())) {
                throw new IllegalArgumentException(op.type() + " does not say its " + attribute.name());
            }
        }
    }

    /** A {@code NodeProto}, named after its first result. */
    ProtoMessage message() {
        ProtoMessage message = new ProtoMessage();
        in.forEach(name -> message.string(1, name));
        out.forEach(name -> message.string(2, name));
        message.string(3, out.get(0)).string(4, op.type());
        new TreeMap<>(attributes)
                .forEach((name, value) ->
                        message.message(5, op.attributes().get(name).message(value)));
        return op.domain().isEmpty() ? message : message.string(7, op.domain());
    }
}
