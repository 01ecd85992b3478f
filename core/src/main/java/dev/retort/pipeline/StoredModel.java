package dev.retort.pipeline;

import dev.retort.card.ModelCard;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.Checkpoint;
import dev.retort.layout.Hints;
import dev.retort.layout.ModelFiles;
import java.nio.file.Path;
import java.util.List;

/**
 * A model on disk, opened: ours or another program's.
 *
 * @param card what it is
 * @param parameters its weights under the network's own names, read while this is open
 * @param notes what was changed in reading another program's file, a sentence each
 * @param opened what is closed with this
 */
record StoredModel(ModelCard card, TensorFile parameters, List<String> notes, Runnable opened)
        implements AutoCloseable {
    static StoredModel open(Path folder) {
        if (Models.isForeign(folder)) {
            Checkpoint checkpoint = Architectures.open(folder, Hints.NONE);
            return new StoredModel(checkpoint.card(), checkpoint.parameters(), checkpoint.notes(), checkpoint::close);
        }
        ModelCard card = ModelFiles.card(folder);
        TensorFile file = TensorFiles.open(folder.resolve(ModelFiles.WEIGHTS));
        return new StoredModel(card, file, List.of(), file::close);
    }

    @Override
    public void close() {
        opened.run();
    }
}
