package dev.retort.torch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.ClassType;
import org.bytedeco.pytorch.CompilationUnit;
import org.bytedeco.pytorch.ExtraFilesMap;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorType;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.named_buffer_iterator;
import org.bytedeco.pytorch.named_buffer_list;
import org.bytedeco.pytorch.named_parameter_iterator;
import org.bytedeco.pytorch.named_parameter_list;

/**
 * A TorchScript module: tensors under their dotted names, and methods as source. Close it; the tensors that it was made of are
 * shared, not copied.
 *
 * <p>The source is TorchScript as archives hold it, not a user's Python: {@code torch.NAME} is an operator of ATen, and
 * {@code torch.nn.functional} is unknown.
 */
public final class ScriptModule implements AutoCloseable {
    private static final String PACKAGE = "__torch__.retort.";

    private final JitModule module;

    private ScriptModule(JitModule module) {
        this.module = module;
    }

    /**
     * Compiles.
     *
     * @param name of its class, an identifier
     * @param parameters under dotted names: {@code fc1.weight} becomes the parameter {@code weight} of the submodule {@code fc1}
     * @param buffers likewise
     * @param source its methods
     * @throws IllegalStateException with the compiler's reason where it refuses the source
     */
    public static ScriptModule of(
            String name, Map<String, Tensor> parameters, Map<String, Tensor> buffers, String source) {
        Natives.load();
        try (PointerScope scope = new PointerScope()) {
            Branch root = new Branch();
            parameters.forEach((path, tensor) -> root.at(path).parameters.put(last(path), tensor));
            buffers.forEach((path, tensor) -> root.at(path).buffers.put(last(path), tensor));
            JitModule module = new Builder().build(root, name);
            try {
                module.define(source);
            } catch (RuntimeException e) {
                throw new IllegalStateException("TorchScript does not compile: " + TorchError.firstLine(e), e);
            }
            module.eval();
            return kept(scope, module);
        }
    }

    /** Opens an archive on the CPU. */
    public static ScriptModule load(Path file) {
        Natives.load();
        try (PointerScope scope = new PointerScope()) {
            return kept(scope, torch.load(file.toString()));
        }
    }

    private static ScriptModule kept(PointerScope scope, JitModule module) {
        module.retainReference();
        scope.detach(module);
        return new ScriptModule(module);
    }

    /**
     * Writes an archive.
     *
     * @param extra texts to be put beside the code, by file name
     * @throws UncheckedIOException where the file cannot be written
     */
    public void save(Path file, Map<String, String> extra) {
        try (PointerScope scope = new PointerScope()) {
            ExtraFilesMap files = new ExtraFilesMap();
            extra.forEach((name, text) -> files.put(new BytePointer(name), text));
            module.save(file.toString(), files);
        } catch (RuntimeException e) {
            throw new UncheckedIOException(new IOException(TorchError.firstLine(e), e));
        }
    }

    /** Parameters, then buffers, by their dotted names, owned by the caller's scope. */
    public Map<String, Tensor> state() {
        PointerScope outer = PointerScope.getInnerScope();
        Map<String, Tensor> state = new LinkedHashMap<>();
        try (PointerScope scope = new PointerScope()) {
            named_parameter_list parameters = module.named_parameters(true);
            named_parameter_iterator parameter = parameters.begin();
            for (long i = 0; i < parameters.size(); i++, parameter.increment()) {
                state.put(
                        parameter.access().name().getString(),
                        new Tensor(parameter.access().value()));
            }
            named_buffer_list buffers = module.named_buffers(true);
            named_buffer_iterator buffer = buffers.begin();
            for (long i = 0; i < buffers.size(); i++, buffer.increment()) {
                state.put(
                        buffer.access().name().getString(),
                        new Tensor(buffer.access().value()));
            }
            state.values().forEach(tensor -> handOut(tensor, scope, outer));
        }
        return state;
    }

    /**
     * Calls a method.
     *
     * @param arguments tensors and lists of tensors
     * @return its result, or those of a tuple, owned by the caller's scope
     */
    public Tensor[] call(String method, Object... arguments) {
        PointerScope outer = PointerScope.getInnerScope();
        try (PointerScope scope = new PointerScope()) {
            IValueVector stack = new IValueVector();
            for (Object argument : arguments) {
                stack.push_back(value(argument));
            }
            IValue result = module.get_method(method).apply(stack);
            List<Tensor> tensors = new ArrayList<>();
            if (result.isTensor()) {
                tensors.add(new Tensor(result.toTensor()));
            } else {
                IValueVector elements = result.toTupleRef().elements().vec();
                for (long i = 0; i < elements.size(); i++) {
                    tensors.add(new Tensor(elements.get(i).toTensor()));
                }
            }
            tensors.forEach(tensor -> handOut(tensor, scope, outer));
            return tensors.toArray(Tensor[]::new);
        }
    }

    private static void handOut(Tensor tensor, PointerScope from, PointerScope to) {
        if (to != null) {
            to.attach(tensor);
        } else {
            tensor.retainReference();
        }
        from.detach(tensor);
    }

    private static IValue value(Object argument) {
        if (argument instanceof Tensor tensor) {
            return new IValue(tensor);
        }
        GenericList list = new GenericList(new Type.TypePtr(TensorType.get()));
        for (Object tensor : (List<?>) argument) {
            list.push_back(new IValue((Tensor) tensor));
        }
        return new IValue(list);
    }

    private static String last(String path) {
        return path.substring(path.lastIndexOf('.') + 1);
    }

    @Override
    public void close() {
        module.close();
    }

    /** Tensors by the parts of their names. */
    private static final class Branch {
        final Map<String, Branch> children = new LinkedHashMap<>();
        final Map<String, Tensor> parameters = new LinkedHashMap<>();
        final Map<String, Tensor> buffers = new LinkedHashMap<>();

        /** The branch that holds the tensor of a path. */
        Branch at(String path) {
            int dot = path.indexOf('.');
            return dot < 0
                    ? this
                    : children.computeIfAbsent(path.substring(0, dot), key -> new Branch())
                            .at(path.substring(dot + 1));
        }
    }

    /** Branches of the same members share a class, so that an archive says once what all blocks of a transformer have. */
    private static final class Builder {
        private final CompilationUnit unit = new CompilationUnit();
        private final Map<String, ClassType> classes = new HashMap<>();

        JitModule build(Branch branch, String name) {
            Map<String, JitModule> children = new LinkedHashMap<>();
            StringBuilder members = new StringBuilder();
            branch.children.forEach((key, child) -> {
                JitModule built = build(child, "");
                children.put(key, built);
                members.append(key).append('=').append(className(built)).append(' ');
            });
            members.append(branch.parameters.keySet()).append(branch.buffers.keySet());
            ClassType known = classes.get(members.toString());
            JitModule module = known != null && name.isEmpty()
                    ? new JitModule(unit, known)
                    : new JitModule(
                            new QualifiedName(PACKAGE + (name.isEmpty() ? "Layer" + classes.size() : name)),
                            unit,
                            false);
            classes.putIfAbsent(members.toString(), module.type());
            children.forEach(module::register_module);
            branch.parameters.forEach((key, tensor) -> module.register_parameter(key, Tensors.plain(tensor), false));
            branch.buffers.forEach((key, tensor) -> module.register_buffer(key, Tensors.plain(tensor)));
            return module;
        }

        private static String className(JitModule module) {
            return module.type().name().get().qualifiedName().getString();
        }
    }
}
