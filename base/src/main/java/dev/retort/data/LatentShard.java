package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.Dtype;
import dev.retort.io.SafetensorsWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One file of a latent cache while it is being filled, batch by batch, in half precision; {@link LatentFolder} says what stands
 * in it, {@link LatentImages} reads it.
 */
public final class LatentShard {
    /** Means of the posteriors, (n, C, h, w) in half precision. */
    public static final String MEAN = "mean";
    /** Those of the mirror images. */
    public static final String MEAN_MIRRORED = "mean_mirrored";
    /** Standard deviations, where encoding has any. */
    public static final String STD = "std";
    /** Those of the mirror images. */
    public static final String STD_MIRRORED = "std_mirrored";

    private final LatentManifest manifest;
    private final int index;
    private final int count;
    private final Map<String, HalfTensor> tensors = new LinkedHashMap<>();
    private final ByteBuffer labels;
    private final List<List<String>> captions = new ArrayList<>();

    /** An empty one, the manifest's file of this number. */
    public LatentShard(LatentManifest manifest, int index) {
        this.manifest = manifest;
        this.index = index;
        count = manifest.shards().rowsOf(index);
        labels = ByteBuffer.allocate(8 * count).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** What is known of the next picture beside its latents. */
    public void picture(Note note) {
        labels.putLong(note.label());
        captions.add(note.captions());
    }

    /** The tensors that a file of this manifest has beside labels and captions. */
    static List<String> latents(LatentManifest manifest) {
        return manifest.variance() ? List.of(MEAN, MEAN_MIRRORED, STD, STD_MIRRORED) : List.of(MEAN, MEAN_MIRRORED);
    }

    /**
     * Values of a tensor.
     *
     * @param name {@link #MEAN}, {@link #MEAN_MIRRORED}, {@link #STD} or {@link #STD_MIRRORED}
     * @param first place of the first picture in the file
     * @param values picture after picture, (n, C, h, w)
     * @throws RetortException of kind DATA where half precision cannot hold one
     */
    public void latents(String name, int first, float[] values) {
        tensors.computeIfAbsent(
                        name, key -> new HalfTensor(Math.multiplyExact(count, manifest.values()), LatentShard::beyond))
                .put(first * manifest.values(), values, 0, values.length);
    }

    private static RetortException beyond(int at, float value) {
        return new RetortException(
                Kind.DATA,
                "the autoencoder gave " + value
                        + ", beyond half precision; check that its weights belong to its configuration");
    }

    /** Writes the file, whole or not at all. */
    public void write(Path file) {
        SafetensorsWriter writer = new SafetensorsWriter()
                .metadata("first", Long.toString(manifest.shards().firstOf(index)))
                .metadata("autoencoder", manifest.autoencoder().sha256())
                .metadata("source", manifest.sourceHash());
        long[] shape = {count, manifest.autoencoder().latentChannels(), manifest.height(), manifest.width()};
        tensors.forEach((name, values) -> writer.add(name, Dtype.F16, shape, values::bytes));
        writer.add(ShardFile.LABELS, Dtype.I64, new long[] {count}, labels::flip);
        CaptionTensors.write(writer, captions);
        writer.write(file);
    }
}
