package dev.retort.io;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The weights of one network inside a file: what training scripts wrap around them is taken off, and said. Of
 * {@code ema}, {@code model}, {@code state_dict} and their like the first that is there is taken; the prefixes that
 * parallel training ({@code module.}) and compilation ({@code _orig_mod.}) put before every key are dropped.
 */
public final class StateDict implements TensorFile {
    /** In the order of preference: averages are what samples are drawn with. */
    private static final List<String> WRAPPERS = List.of(
            "ema", "model_ema", "params_ema", "model", "state_dict", "model_state_dict", "net", "network", "params");

    private static final List<String> PREFIXES = List.of("module.", "_orig_mod.");

    private final TensorFile file;
    private final List<String> notes = new ArrayList<>();
    private final Map<String, TensorEntry> entries = new LinkedHashMap<>();
    private final Map<String, String> storedName = new LinkedHashMap<>();

    private StateDict(TensorFile file) {
        this.file = file;
    }

    /** The weights of {@code file}, which is closed with them. */
    public static StateDict of(TensorFile file) {
        StateDict dict = new StateDict(file);
        String wrapper = WRAPPERS.stream()
                .filter(w -> file.entries().keySet().stream().anyMatch(key -> key.startsWith(w + ".")))
                .filter(w -> dict.wraps(w))
                .findFirst()
                .orElse("");
        dict.take(wrapper.isEmpty() ? "" : wrapper + ".");
        return dict;
    }

    /** The tensors of {@code file} whose names start with {@code prefix}, without it. */
    public static StateDict below(TensorFile file, String prefix) {
        StateDict dict = new StateDict(file);
        dict.take(prefix);
        return dict;
    }

    /** A network may have a part that is called like a wrapper; a wrapper holds everything, or stands beside others. */
    private boolean wraps(String wrapper) {
        return file.entries().keySet().stream().allMatch(key -> {
            int dot = key.indexOf('.');
            String first = dot < 0 ? key : key.substring(0, dot);
            return first.equals(wrapper)
                    || WRAPPERS.contains(first)
                    || first.equals("opt")
                    || first.startsWith("optim");
        });
    }

    private void take(String wrapper) {
        List<String> keys = file.entries().keySet().stream()
                .filter(key -> key.startsWith(wrapper))
                .toList();
        StringBuilder prefix = new StringBuilder(wrapper);
        for (boolean more = !keys.isEmpty(); more; ) {
            more = false;
            for (String candidate : PREFIXES) {
                if (keys.stream().allMatch(key -> key.startsWith(prefix + candidate))) {
                    prefix.append(candidate);
                    more = true;
                }
            }
        }
        keys.forEach(key -> {
            String name = key.substring(prefix.length());
            TensorEntry entry = file.entry(key);
            entries.put(name, new TensorEntry(name, entry.dtype(), entry.shape()));
            storedName.put(name, key);
        });
        if (!wrapper.isEmpty()) {
            notes.add("took the " + keys.size() + " tensors of '" + wrapper.substring(0, wrapper.length() - 1) + "' of "
                    + file.entries().size());
        }
        if (prefix.length() > wrapper.length()) {
            notes.add("dropped the prefix '" + prefix.substring(wrapper.length()) + "' of every key");
        }
    }

    /** What was taken off, a sentence each; empty where the file was the bare weights. */
    public List<String> notes() {
        return Collections.unmodifiableList(notes);
    }

    @Override
    public Path path() {
        return file.path();
    }

    @Override
    public Map<String, String> metadata() {
        return file.metadata();
    }

    @Override
    public Map<String, TensorEntry> entries() {
        return Collections.unmodifiableMap(entries);
    }

    @Override
    public void read(String name, long from, ByteBuffer target) {
        entry(name);
        file.read(storedName.get(name), from, target);
    }

    @Override
    public void close() {
        file.close();
    }
}
