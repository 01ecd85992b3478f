package dev.retort.layout;

import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorView;
import dev.retort.layout.WeightLayout.Part;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Rows of a file's tensors as tensors of their own, under names of their own. */
final class RowsView extends TensorView {
    private final TensorFile opened;
    private final Map<String, Part> parts = new LinkedHashMap<>();

    /**
     * A view.
     *
     * @param rows {@code key} is the name of the rows, {@code parameter} the tensor of the file that they are of
     * @param opened what is closed with the view
     */
    RowsView(TensorFile file, List<Part> rows, TensorFile opened) {
        super(file);
        this.opened = opened;
        for (Part part : rows) {
            parts.put(part.key(), part);
            entries.put(
                    part.key(),
                    new TensorEntry(part.key(), file.entry(part.parameter()).type(), part.shape()));
        }
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
