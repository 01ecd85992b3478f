package dev.retort.train;

import dev.retort.data.LatentManifest;
import dev.retort.data.Note;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.Dtype;
import dev.retort.io.Half;
import dev.retort.io.SafetensorsWriter;
import dev.retort.model.vae.Posterior;
import dev.retort.torch.Tensors;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** One file of a latent cache while it is being filled, batch by batch, in half precision. */
final class LatentShard {
    private final LatentManifest manifest;
    private final int index;
    private final int count;
    private final Map<String, ByteBuffer> tensors = new LinkedHashMap<>();
    private final ByteBuffer labels;
    private final ByteBuffer captionEnds;
    private final ByteArrayOutputStream captions = new ByteArrayOutputStream();

    LatentShard(LatentManifest manifest, int index) {
        this.manifest = manifest;
        this.index = index;
        count = manifest.imagesOf(index);
        labels = ByteBuffer.allocate(8 * count).order(ByteOrder.LITTLE_ENDIAN);
        captionEnds = ByteBuffer.allocate(8 * count).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** What is known of the next picture beside its latents. */
    void picture(Note note) {
        labels.putLong(note.label());
        captions.writeBytes(note.caption().getBytes(StandardCharsets.UTF_8));
        captionEnds.putLong(captions.size());
    }

    /** The next pictures' latents and those of their mirror images. */
    void latents(Posterior plain, Posterior mirrored) {
        put("mean", plain.mean());
        put("mean_mirrored", mirrored.mean());
        if (manifest.variance()) {
            put("std", plain.std());
            put("std_mirrored", mirrored.std());
        }
    }

    private void put(String name, Tensor values) {
        ByteBuffer bytes = tensors.computeIfAbsent(
                name, key -> ByteBuffer.allocate(Math.multiplyExact(2 * count, manifest.values()))
                        .order(ByteOrder.LITTLE_ENDIAN));
        for (float value : Tensors.floats(values)) {
            short half = Half.toF16(value);
            if (!Float.isFinite(Half.fromF16(half))) {
                throw new RetortException(
                        Kind.DATA,
                        "the autoencoder gave " + value
                                + ", beyond half precision; check that its weights belong to its configuration");
            }
            bytes.putShort(half);
        }
    }

    /** Writes the file, whole or not at all. */
    void write(Path file) {
        SafetensorsWriter writer = new SafetensorsWriter()
                .metadata("first", Long.toString(manifest.firstOf(index)))
                .metadata("autoencoder", manifest.autoencoder().sha256())
                .metadata("source", manifest.sourceHash());
        long[] shape = {count, manifest.autoencoder().latentChannels(), manifest.height(), manifest.width()};
        tensors.forEach((name, bytes) -> writer.add(name, Dtype.F16, shape, bytes::flip));
        writer.add("labels", Dtype.I64, new long[] {count}, labels::flip);
        if (captions.size() > 0) {
            byte[] text = captions.toByteArray();
            writer.add("captions", Dtype.U8, new long[] {text.length}, () -> ByteBuffer.wrap(text));
            writer.add("caption_ends", Dtype.I64, new long[] {count}, captionEnds::flip);
        }
        writer.write(file);
    }
}
