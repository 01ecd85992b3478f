package dev.retort.io;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A file's tensors under other names, in other shapes or with other values; the rest is the file's. Who makes one fills {@link #entries}. */
public abstract class TensorView implements TensorFile {
    /** What is looked at. */
    protected final TensorFile file;
    /** Its tensors as they are shown, in order. */
    protected final Map<String, TensorEntry> entries = new LinkedHashMap<>();

    /** Of a file, which stays open as long as this is used. */
    protected TensorView(TensorFile file) {
        this.file = file;
    }

    @Override
    public final Path path() {
        return file.path();
    }

    @Override
    public final List<Path> files() {
        return file.files();
    }

    @Override
    public final Map<String, String> metadata() {
        return file.metadata();
    }

    @Override
    public final Map<String, TensorEntry> entries() {
        return Collections.unmodifiableMap(entries);
    }

    @Override
    public final void verify() {
        file.verify();
    }
}
