package dev.retort.cli;

import dev.retort.card.ModelCard;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.TensorFile;
import dev.retort.layout.ModelFiles;
import dev.retort.layout.Storage;
import dev.retort.layout.WeightLayout;
import dev.retort.pipeline.Architectures;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Weights on their way into a layout, for the commands that write one.
 *
 * @param out the file or folder
 * @param layout of another program, by name; empty for our own
 */
record LayoutWriting(Path out, Optional<String> layout) {
    /** Before anything is read: a large model takes minutes. */
    void requireFree(boolean force) {
        if (Files.exists(out) && !force) {
            throw new RetortException(Kind.USAGE, out + " exists; give another name, or --force to replace it");
        }
        if (layout.isEmpty()) {
            ModelFiles.requireReplaceable(out);
        }
    }

    /**
     * Writes. What is there is replaced, if it is of the kind that is written and holds nothing else.
     *
     * @return what the layout does not keep
     */
    List<String> write(ModelCard card, TensorFile parameters, Storage storage) {
        if (layout.isEmpty()) {
            ModelFiles.convert(out, card, parameters, storage.dtype());
            return List.of();
        }
        WeightLayout<?> known = Architectures.layout(card.network(), layout.get())
                .orElseThrow(() -> new RetortException(
                        Kind.USAGE,
                        card.network().name() + " cannot be written as " + layout.get()
                                + ", which has no such network; 'retort convert MODEL FOLDER' writes one of ours"));
        known.requireReplaceable(out);
        return known.write(out, card, parameters, storage);
    }
}
