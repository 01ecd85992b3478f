package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * The folder of a latent cache: {@code latents.json} and shards {@code latents-00000-of-00004.safetensors}, each with the
 * tensors {@code mean} and {@code mean_mirrored} (n, C, h, w) in half precision, where encoding has a variance {@code std}
 * and {@code std_mirrored} too, and {@code labels} (n). Where pictures have captions, {@code captions} holds them in UTF-8 one after
 * another and {@code caption_ends} (n) where each ends.
 *
 * @param path the folder
 */
public record LatentFolder(Path path) {
    /** Name of the manifest's file. */
    public static final String MANIFEST = "latents.json";

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    /** Whether a folder is a latent cache. */
    public static boolean is(Path folder) {
        return Files.isRegularFile(folder.resolve(MANIFEST));
    }

    /** The manifest. */
    public LatentManifest manifest() {
        Path file = path.resolve(MANIFEST);
        if (!Files.isReadable(file)) {
            throw new RetortException(
                    Kind.DATA,
                    path + " is no latent cache: it has no readable " + MANIFEST + "; write one with 'retort encode'");
        }
        try {
            LatentManifest manifest = JSON.readValue(Files.readString(file), LatentManifest.class);
            if (manifest.format() != LatentManifest.FORMAT) {
                throw new RetortException(
                        Kind.DATA,
                        file + " has format " + manifest.format() + ", this program reads " + LatentManifest.FORMAT
                                + "; encode again");
            }
            return manifest;
        } catch (IOException | JacksonException e) {
            throw new RetortException(
                    Kind.DATA,
                    file + " cannot be read ("
                            + e.getMessage().lines().findFirst().orElse("") + "); encode again",
                    e);
        }
    }

    /** Writes the manifest. */
    public void write(LatentManifest manifest) {
        AtomicWrite.text(path.resolve(MANIFEST), JSON.writeValueAsString(manifest) + "\n");
    }

    /** A shard's file. */
    public Path shard(LatentManifest manifest, int index) {
        return path.resolve(String.format(Locale.ROOT, "latents-%05d-of-%05d.safetensors", index, manifest.shards()));
    }

    /** The shards that are not there yet, in order. */
    public List<Integer> missing(LatentManifest manifest) {
        return IntStream.range(0, manifest.shards())
                .filter(i -> !Files.isRegularFile(shard(manifest, i)))
                .boxed()
                .toList();
    }

    /** The first shard that is not there. */
    Optional<Path> firstMissing(LatentManifest manifest) {
        return missing(manifest).stream().findFirst().map(i -> shard(manifest, i));
    }
}
