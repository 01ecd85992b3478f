package dev.retort.layout;

import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.layout.WeightLayout.Part;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Rows of a file's tensors as tensors of their own, under names of their own. */
final class RowsView implements TensorFile {
    private final TensorFile file;
    private final TensorFile opened;
    private final Map<String, Part> parts = new LinkedHashMap<>();
    private final Map<String, TensorEntry> entries = new LinkedHashMap<>();

    /**
     * A view.
     *
     * @param rows {@code key} is the name of the rows, {@code parameter} the tensor of the file that they are of
     * @param opened what is closed with the view
     */
    RowsView(TensorFile file, List<Part> rows, TensorFile opened) {
        this.file = file;
        this.opened = opened;
        for (Part part : rows) {
            parts.put(part.key(), part);
            entries.put(
                    part.key(),
                    new TensorEntry(part.key(), file.entry(part.parameter()).type(), part.shape()));
        }
    }

    @Override
    public Path path() {
        return file.path();
    }

    @Override
    public List<Path> files() {
        return file.files();
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
        TensorEntry entry = entry(name);
        long row = entry.byteCount() / entry.shape()[0];
        Part part = parts.get(name);
        file.read(part.parameter(), part.firstRow() * row + from, target);
    }

    @Override
    public void close() {
        opened.close();
    }
}
