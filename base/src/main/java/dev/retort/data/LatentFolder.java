package dev.retort.data;

import dev.retort.config.CardFile;
import dev.retort.error.RetortException.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.databind.node.ObjectNode;

/**
 * The folder of a latent cache: {@code latents.json} and shards {@code latents-00000-of-00004.safetensors}, each with the
 * tensors {@code mean} and {@code mean_mirrored} (n, C, h, w) in half precision, where encoding has a variance {@code std}
 * and {@code std_mirrored} too, and {@code labels} (n). Where pictures have captions, {@code captions} holds them in UTF-8 one after
 * another and {@code caption_ends} where each ends: one for each picture, or as many as {@code caption_counts} (n) says.
 * {@code sources.jsonl} says which files it was made from ({@link SourceFiles}).
 *
 * @param path the folder
 */
public record LatentFolder(Path path) {
    /** Name of the manifest's file. */
    public static final String MANIFEST = "latents.json";

    private static final CardFile<LatentManifest> CARD_FILE = new CardFile<>(
            LatentManifest.class,
            MANIFEST,
            "a latent cache",
            LatentManifest.FORMAT,
            Kind.DATA,
            "write one with 'retort encode'",
            "encode again");

    /** Whether a folder is a latent cache. */
    public static boolean is(Path folder) {
        return Files.isRegularFile(folder.resolve(MANIFEST));
    }

    /** The manifest. */
    public LatentManifest manifest() {
        return CARD_FILE.read(path, card -> {
            if (card.get("source") instanceof ObjectNode source) {
                DataConfig.upgrade(source);
            }
        });
    }

    /** Writes the manifest. */
    public void write(LatentManifest manifest) {
        CARD_FILE.write(path, manifest);
    }
}
