package dev.retort.torch;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.Type;

/** Calls any operator of libtorch by its schema name, those included that the presets do not map. */
public final class Boxed {
    private static final Map<String, Operator> OPERATORS = new ConcurrentHashMap<>();

    private Boxed() {}

    /**
     * Calls {@code name} (such as {@code aten::_fused_adamw_}) with all arguments of its schema in order: tensors, lists of
     * tensors, numbers, booleans, strings, null for None.
     *
     * @return the results that are tensors or lists of tensors, in order, owned by the caller's scope
     */
    public static Tensor[] call(String name, String overload, Object... arguments) {
        Natives.load();
        Operator operator = OPERATORS.computeIfAbsent(name + "." + overload, key -> find(name, overload));
        PointerScope outer = PointerScope.getInnerScope();
        try (PointerScope scope = new PointerScope()) {
            IValueVector stack = new IValueVector();
            for (int i = 0; i < arguments.length; i++) {
                stack.push_back(value(operator, i, arguments[i]));
            }
            operator.handle.callBoxed(stack);
            List<Tensor> results = new ArrayList<>();
            for (long i = 0; i < stack.size(); i++) {
                IValue result = stack.get(i);
                if (result.isTensor()) {
                    results.add(new Tensor(result.toTensor()));
                } else if (result.isTensorList()) {
                    // Not toTensorVector(): its copy of the list is never freed.
                    GenericList list = result.toList();
                    for (long j = 0; j < list.size(); j++) {
                        results.add(new Tensor(list.get(j).toTensor()));
                    }
                }
            }
            for (Tensor result : results) {
                if (outer != null) {
                    outer.attach(result);
                } else {
                    result.retainReference();
                }
                scope.detach(result);
            }
            return results.toArray(Tensor[]::new);
        }
    }

    /** An operator and the element types of those of its arguments that are lists, as far as they were needed. */
    private record Operator(OperatorHandle handle, Map<Integer, Type.TypePtr> elements) {
        /** Read once: every reading of a schema's arguments copies them all into memory that nothing frees. */
        Type.TypePtr element(int index) {
            return elements.computeIfAbsent(index, key -> {
                Type.TypePtr element =
                        handle.schema().arguments().getPointer(key).type().get().containedType(0);
                element.retainReference();
                return element;
            });
        }
    }

    private static Operator find(String name, String overload) {
        try (PointerScope scope = new PointerScope()) {
            OperatorHandle handle = new OperatorHandle(Dispatcher.singleton().findSchemaOrThrow(name, overload));
            handle.retainReference();
            return new Operator(handle, new ConcurrentHashMap<>());
        }
    }

    private static IValue value(Operator operator, int index, Object argument) {
        if (argument == null) {
            return new IValue();
        } else if (argument instanceof Tensor tensor) {
            return new IValue(tensor);
        } else if (argument instanceof Boolean flag) {
            return new IValue(flag.booleanValue());
        } else if (argument instanceof Double number) {
            return new IValue(number.doubleValue());
        } else if (argument instanceof Long number) {
            return new IValue(number.longValue());
        } else if (argument instanceof String text) {
            return new IValue(text);
        } else if (argument instanceof List<?> list) {
            // An untyped empty list would be refused, so the element type is read from the schema.
            GenericList values = new GenericList(operator.element(index));
            for (Object item : list) {
                values.push_back(value(operator, index, item));
            }
            return new IValue(values);
        }
        throw new IllegalArgumentException("argument " + index + " has no boxed form: " + argument.getClass());
    }
}
