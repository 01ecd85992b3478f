package dev.retort.examples;

import dev.retort.card.ModelCard;
import dev.retort.hub.DownloadListener;
import dev.retort.hub.Hub;
import dev.retort.io.Dtype;
import dev.retort.layout.Checkpoint;
import dev.retort.layout.Hints;
import dev.retort.layout.ModelFiles;
import dev.retort.pipeline.Architectures;
import java.nio.file.Path;

/**
 * Lesson 7: a diffusion transformer that another program saved, the original's {@code .pt}, a folder of the diffusers library
 * or a model of the hub ({@code hf:OWNER/NAME}), kept as a model of ours in half the bytes. {@code Models.load} takes such
 * a checkpoint as it is, too. Arguments: checkpoint, folder.
 */
public final class OpenCheckpoint {
    private OpenCheckpoint() {}

    /** Says what it is and keeps it as a model of ours. */
    public static void keep(String given, Path model) {
        Path place = Hub.locate(given, DownloadListener.saying(System.out::println)); // a path stays what it is
        try (Checkpoint checkpoint = Architectures.open(place, Hints.NONE)) {
            ModelCard card = checkpoint.card();
            System.out.println(card.network().name() + " of " + checkpoint.trainedBy() + ", "
                    + card.process().schedule() + ", "
                    + card.sampling().solver().text());
            checkpoint.notes().forEach(System.out::println);
            ModelFiles.convert(model, card, checkpoint.parameters(), Dtype.BF16);
        }
    }

    /** Runs the lesson. */
    public static void main(String[] args) {
        keep(args[0], Path.of(args[1]));
        System.out.println("the model lies in " + args[1]);
    }
}
