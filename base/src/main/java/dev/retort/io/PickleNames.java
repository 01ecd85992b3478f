package dev.retort.io;

import dev.retort.io.PickleValue.Name;
import dev.retort.io.PickleValue.Plain;
import dev.retort.io.PickleValue.Storage;
import dev.retort.io.PickleValue.Tuple;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The names a torch pickle may use, and what each of them means here: a value, never a call. */
final class PickleNames {
    /** Objects that are kept as they are described; checkpoints carry them beside the tensors. */
    private static final Set<String> PLAIN = Set.of(
            "argparse.Namespace",
            "types.SimpleNamespace",
            "pathlib.PosixPath",
            "pathlib.PurePosixPath",
            "pathlib.WindowsPath",
            "pathlib._local.PosixPath",
            "torch.device",
            "torch.serialization._get_layout",
            "numpy.dtype",
            "numpy.ndarray",
            "numpy.core.multiarray.scalar",
            "numpy._core.multiarray.scalar",
            "numpy.core.multiarray._reconstruct",
            "numpy._core.multiarray._reconstruct");

    private static final Set<String> DICTIONARIES =
            Set.of("collections.OrderedDict", "collections.defaultdict", "collections.Counter");
    private static final Set<String> SETS =
            Set.of("builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset");
    private static final Set<String> TYPES = Set.of(
            "builtins.object",
            "__builtin__.object",
            "builtins.dict",
            "builtins.list",
            "builtins.int",
            "builtins.float",
            "builtins.str",
            "builtins.bool",
            "__builtin__.dict",
            "__builtin__.list",
            "__builtin__.int",
            "__builtin__.float",
            "torch.Tensor",
            "torch.nn.parameter.Parameter",
            "torch.per_tensor_affine",
            "torch.per_channel_affine",
            "torch.per_tensor_symmetric",
            "torch.per_channel_symmetric",
            "torch.per_channel_affine_float_qparams");
    private static final Set<String> FUNCTIONS = Set.of(
            "torch._utils._rebuild_tensor",
            "torch._utils._rebuild_tensor_v2",
            "torch._utils._rebuild_tensor_v3",
            "torch._utils._rebuild_parameter",
            "torch._utils._rebuild_parameter_with_state",
            "torch._utils._rebuild_qtensor",
            "torch._utils._rebuild_sparse_tensor",
            "torch._utils._rebuild_nested_tensor",
            "torch._utils._rebuild_meta_tensor_no_storage",
            "torch._tensor._rebuild_from_type_v2",
            "torch.Size",
            "copyreg._reconstructor",
            "copy_reg._reconstructor",
            "_codecs.encode");

    private final Map<String, TorchType> storages = new LinkedHashMap<>();

    /** The element type of every storage that was named, by its key. */
    Map<String, TorchType> storages() {
        return Collections.unmodifiableMap(storages);
    }

    /** Finds a name, or refuses it by name. */
    Name find(String module, String name) throws IOException {
        Name found = new Name(module, name);
        String full = found.toString();
        boolean known = PLAIN.contains(full)
                || DICTIONARIES.contains(full)
                || SETS.contains(full)
                || TYPES.contains(full)
                || FUNCTIONS.contains(full)
                || TorchTypes.storage(full).isPresent()
                || TorchTypes.named(full);
        if (!known) {
            throw new Malformed(
                    "its pickle asks for " + (full.length() > 200 ? full.substring(0, 200) + "…" : full)
                            + ", which is not among what tensors need: it holds an object of a program, or an attack;"
                            + " nothing was run",
                    "if you trust it, save its tensors alone where that program is, as safetensors or with"
                            + " torch.save(model.state_dict(), …)");
        }
        return found;
    }

    /** The value that this name of these arguments stands for. */
    Object call(Name name, Tuple arguments) throws IOException {
        String full = name.toString();
        if (PLAIN.contains(full)) {
            return new Plain(name, arguments);
        }
        if (DICTIONARIES.contains(full)) {
            return dictionary(arguments);
        }
        if (SETS.contains(full)) {
            LinkedHashSet<Object> set = new LinkedHashSet<>();
            for (Object item : arguments.size() == 0 ? List.of() : (Collection<?>) items(arguments.at(0))) {
                set.add(Unpickler.key(item));
            }
            return set;
        }
        return switch (full) {
            case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_qtensor" ->
                TorchTypes.tensor(arguments, ((Storage) arguments.at(0)).type());
            case "torch._utils._rebuild_tensor_v3" ->
                TorchTypes.tensor(arguments, TorchTypes.dtype((Name) arguments.at(6)));
            case "torch._utils._rebuild_sparse_tensor" -> TorchTypes.unread("sparse", (Tuple) arguments.at(1));
            case "torch._utils._rebuild_nested_tensor" -> TorchTypes.unread("nested", arguments);
            case "torch._utils._rebuild_meta_tensor_no_storage" ->
                TorchTypes.unread("meta", new Tuple(List.of(arguments.at(1))));
            case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state" -> arguments.at(0);
            case "torch._tensor._rebuild_from_type_v2" -> call((Name) arguments.at(0), (Tuple) arguments.at(2));
            case "torch.Size" -> arguments.at(0);
            case "copyreg._reconstructor", "copy_reg._reconstructor" -> reconstructed(arguments);
            case "_codecs.encode" -> ((String) arguments.at(0)).getBytes(StandardCharsets.ISO_8859_1);
            default -> throw new Malformed("its pickle calls " + full + ", which is only a name here");
        };
    }

    /** {@code copyreg._reconstructor(cls, object, None)}, how protocol 2 makes a plain object. */
    private Object reconstructed(Tuple arguments) throws IOException {
        Name type = (Name) arguments.at(0);
        if (!PLAIN.contains(type.toString())) {
            throw new Malformed("its pickle makes a " + type + ", which is only a name here");
        }
        return new Plain(type, new Tuple(List.of()));
    }

    /** Empty, of a dictionary, or of pairs; a defaultdict's first argument is what makes missing values. */
    private static Map<Object, Object> dictionary(Tuple arguments) throws IOException {
        Map<Object, Object> map = new LinkedHashMap<>();
        for (Object argument : arguments.items()) {
            if (argument instanceof Map<?, ?> given) {
                map.putAll(given);
            } else if (argument instanceof List<?> pairs) {
                for (Object pair : pairs) {
                    List<?> items = items(pair);
                    map.put(Unpickler.key(items.get(0)), items.get(1));
                }
            }
        }
        return map;
    }

    private static List<?> items(Object sequence) {
        return sequence instanceof Tuple tuple
                ? tuple.items()
                : sequence instanceof Collection<?> items ? new ArrayList<>(items) : List.of();
    }

    /** {@code ('storage', type, key, location, elements[, view])}: the device it was on does not matter. */
    Object stored(Tuple id) throws IOException {
        if (id.size() < 5 || !"storage".equals(id.at(0))) {
            throw new Malformed("its pickle refers to something else than a storage");
        }
        Name type = (Name) id.at(1);
        Optional<TorchType> elementType = TorchTypes.storage(type.toString());
        if (elementType.isEmpty()) {
            throw new Malformed(
                    "its pickle names a storage of " + type + ", which is not supported",
                    "save its tensors in a common type such as float32");
        }
        String key = (String) id.at(2);
        TorchType before = storages.putIfAbsent(key, elementType.get());
        if (before != null && before != elementType.get()) {
            throw new Malformed("its storage '" + key + "' has two element types");
        }
        long elements = (Long) id.at(4);
        if (id.size() > 5 && id.at(5) instanceof Tuple view) {
            return TorchTypes.part(key, elementType.get(), elements, (Long) view.at(1), (Long) view.at(2));
        }
        return TorchTypes.part(key, elementType.get(), elements, 0, elements);
    }
}
