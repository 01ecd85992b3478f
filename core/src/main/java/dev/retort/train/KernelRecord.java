package dev.retort.train;

import dev.retort.config.CardFile;
import dev.retort.config.Require;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.torch.Kernels;
import dev.retort.torch.Natives;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a run computes with, as {@code kernels.json} in its folder: a run that goes on takes the same kernels, so that it
 * equals one never stopped to the bit, or says why it cannot.
 *
 * @param format version of the file's layout
 * @param kernels which kernel computes which product, as {@link Kernels#parse} reads it
 * @param libraries instruction set, BLAS and threads
 */
record KernelRecord(int format, String kernels, String libraries) {
    private static final int FORMAT = 1;
    private static final String FILE = "kernels.json";
    private static final String ROUNDING = "; from here on the result is the same up to rounding, not to the bit";

    private static final CardFile<KernelRecord> CARD_FILE = new CardFile<>(
            KernelRecord.class,
            FILE,
            "a run",
            FORMAT,
            Kind.CHECKPOINT,
            "it is not whole",
            "delete it: the run then goes on with the kernels measured here");

    /** Validates. */
    KernelRecord {
        Require.that(kernels != null, "kernels", null, "a list of kernels");
        Require.that(libraries != null, "libraries", null, "text");
    }

    /**
     * Writes what a new run computes with, or takes for a run that goes on what it began with.
     *
     * @return what differs from before, a sentence each
     */
    static List<String> settle(Path run) {
        KernelRecord here = new KernelRecord(FORMAT, Kernels.current().toString(), Natives.libraries());
        if (!Files.exists(run.resolve(FILE))) {
            CARD_FILE.write(run, here);
            return List.of();
        }
        KernelRecord before = CARD_FILE.read(run);
        List<String> notes = new ArrayList<>();
        if (!before.libraries.equals(here.libraries)) {
            notes.add("this run began with " + before.libraries + ", here are " + here.libraries + ROUNDING);
        }
        if (!before.kernels.equals(here.kernels)) {
            try {
                Kernels.use(Kernels.parse(before.kernels), "as this run began");
            } catch (RetortException e) {
                notes.add("this run began with the kernels " + before.kernels + ", but " + e.getMessage()
                        + "; it goes on with " + here.kernels + ROUNDING);
            }
        }
        return notes;
    }
}
