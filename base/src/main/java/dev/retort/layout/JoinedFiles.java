package dev.retort.layout;

import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The tensors of several files as those of one, each under its file's name with a dot behind it. */
final class JoinedFiles implements TensorFile {
    private final Path path;
    private final Map<String, TensorFile> files;
    private final Map<String, TensorEntry> entries = new LinkedHashMap<>();

    /**
     * Of open files, which are closed with this.
     *
     * @param path where they lie
     * @param files by name, in their order; a name without dots
     */
    JoinedFiles(Path path, Map<String, TensorFile> files) {
        this.path = path;
        this.files = files;
        files.forEach((part, file) -> file.entries().forEach((name, entry) -> {
            String whole = part + "." + name;
            entries.put(whole, new TensorEntry(whole, entry.type(), entry.shape()));
        }));
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public List<Path> files() {
        Set<Path> all = new LinkedHashSet<>();
        files.values().forEach(file -> all.addAll(file.files()));
        return new ArrayList<>(all);
    }

    @Override
    public Map<String, String> metadata() {
        return files.values().iterator().next().metadata();
    }

    @Override
    public Map<String, TensorEntry> entries() {
        return Collections.unmodifiableMap(entries);
    }

    @Override
    public void read(String name, long from, ByteBuffer target) {
        entry(name);
        int dot = name.indexOf('.');
        files.get(name.substring(0, dot)).read(name.substring(dot + 1), from, target);
    }

    @Override
    public void verify() {
        files.values().forEach(TensorFile::verify);
    }

    @Override
    public void close() {
        files.values().forEach(TensorFile::close);
    }
}
