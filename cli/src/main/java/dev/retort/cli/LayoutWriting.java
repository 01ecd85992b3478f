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
 * @param layout of another program; empty for our own
 */
record LayoutWriting(Path out, Optional<WeightLayout<?>> layout) {
    /** Before anything is read: a large model takes minutes. */
    void requireFree(boolean force) {
        if (!Files.exists(out)) {
            return;
        }
        if (!force) {
            throw new RetortException(Kind.USAGE, out + " exists; give another name, or --force to replace it");
        }
        layout.ifPresentOrElse(known -> known.requireReplaceable(out), () -> ModelFiles.requireReplaceable(out));
    }

    /**
     * Writes.
     *
     * @return what the layout does not keep
     */
    List<String> write(ModelCard card, TensorFile parameters, Storage storage) {
        if (layout.isEmpty()) {
            ModelFiles.convert(out, card, parameters, storage.dtype());
            return List.of();
        }
        if (!Architectures.of(card.network()).layouts().contains(layout.get())) {
            throw new RetortException(
                    Kind.USAGE,
                    card.network().name() + " cannot be written as "
                            + layout.get().id()
                            + ", which has no such network; 'retort convert MODEL FOLDER' writes one of ours");
        }
        return layout.get().write(out, card, parameters, storage);
    }
}
