package dev.retort.data;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.LatentScale;
import dev.retort.diffusion.Rng;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.Dtype;
import dev.retort.io.Half;
import dev.retort.io.SafetensorsFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Latents from a cache, scaled as a diffusion network sees them. Drawn for training, a latent comes from the posterior of the
 * picture or of its mirror image; read plainly, it is the posterior's mean. The files are mapped, not loaded.
 */
public final class LatentImages implements ImageSource {
    private record Shard(
            ByteBuffer mean,
            ByteBuffer std,
            ByteBuffer meanMirrored,
            ByteBuffer stdMirrored,
            int[] labels,
            String[] captions) {}

    private final LatentManifest manifest;
    private final List<Shard> shards = new ArrayList<>();
    private final float[] factor;
    private final float[] offset;

    private LatentImages(LatentManifest manifest) {
        this.manifest = manifest;
        int channels = manifest.autoencoder().latentChannels();
        LatentScale scale = manifest.autoencoder().scale();
        factor = new float[channels];
        offset = new float[channels];
        for (int c = 0; c < channels; c++) {
            factor[c] = (float) scale.factor(c);
            offset[c] = (float) scale.offset(c);
        }
    }

    /** Opens a cache; a missing or foreign file is refused by name. */
    public static LatentImages open(Path path) {
        LatentFolder folder = new LatentFolder(path);
        LatentManifest manifest = folder.manifest();
        folder.firstMissing(manifest).ifPresent(missing -> {
            throw new RetortException(
                    Kind.DATA, missing + " is missing; run the same 'retort encode' again, it makes what is not there");
        });
        LatentImages images = new LatentImages(manifest);
        for (int i = 0; i < manifest.shards(); i++) {
            images.shards.add(images.map(folder.shard(manifest, i), manifest.imagesOf(i)));
        }
        return images;
    }

    private Shard map(Path file, int count) {
        try (SafetensorsFile opened = SafetensorsFile.open(file)) {
            Map<String, ByteBuffer> tensors = new HashMap<>();
            long[] shape = {count, channels(), height(), width()};
            for (String name : LatentShard.latents(manifest)) {
                var entry = opened.entries().get(name);
                if (entry == null || entry.dtype() != Dtype.F16 || !Arrays.equals(entry.shape(), shape)) {
                    throw foreign(file, name, "F16 of " + Arrays.toString(shape));
                }
                tensors.put(name, opened.data(name));
            }
            requireNumbers(file, opened, LatentShard.LABELS, count);
            return new Shard(
                    tensors.get(LatentShard.MEAN),
                    tensors.get(LatentShard.STD),
                    tensors.get(LatentShard.MEAN_MIRRORED),
                    tensors.get(LatentShard.STD_MIRRORED),
                    labels(file, opened.data(LatentShard.LABELS), count),
                    captions(file, opened, count));
        }
    }

    private int[] labels(Path file, ByteBuffer bytes, int count) {
        int[] labels = new int[count];
        for (int i = 0; i < count; i++) {
            long label = bytes.getLong(8 * i);
            if (label < 0 || label >= Math.max(1, manifest.classNames().size())) {
                throw foreign(
                        file,
                        LatentShard.LABELS,
                        "numbers of " + manifest.classNames().size() + " classes");
            }
            labels[i] = (int) label;
        }
        return labels;
    }

    /** UTF-8 one after another, and where each ends; null where the file has none. */
    private static String[] captions(Path file, SafetensorsFile opened, int count) {
        var text = opened.entries().get(LatentShard.CAPTIONS);
        if (text == null && !opened.entries().containsKey(LatentShard.CAPTION_ENDS)) {
            return null;
        }
        if (text == null || text.dtype() != Dtype.U8) {
            throw foreign(file, LatentShard.CAPTIONS, "U8");
        }
        requireNumbers(file, opened, LatentShard.CAPTION_ENDS, count);
        ByteBuffer bytes = opened.data(LatentShard.CAPTIONS);
        ByteBuffer places = opened.data(LatentShard.CAPTION_ENDS);
        String[] captions = new String[count];
        long start = 0;
        for (int i = 0; i < count; i++) {
            long end = places.getLong(8 * i);
            if (end < start || end > text.elements()) {
                throw foreign(file, LatentShard.CAPTION_ENDS, "rising numbers up to " + text.elements());
            }
            byte[] one = new byte[(int) (end - start)];
            bytes.get((int) start, one);
            captions[i] = new String(one, StandardCharsets.UTF_8);
            start = end;
        }
        return captions;
    }

    private static void requireNumbers(Path file, SafetensorsFile opened, String name, int count) {
        var entry = opened.entries().get(name);
        if (entry == null || entry.dtype() != Dtype.I64 || entry.elements() != count) {
            throw foreign(file, name, "I64 of [" + count + "]");
        }
    }

    private static RetortException foreign(Path file, String tensor, String expected) {
        return new RetortException(
                Kind.DATA,
                file + " does not belong to this cache: expected '" + tensor + "' as " + expected
                        + "; delete it and run the same 'retort encode' again");
    }

    /** Where the latents came from. */
    public LatentManifest manifest() {
        return manifest;
    }

    @Override
    public Optional<AutoencoderCard> autoencoder() {
        return Optional.of(manifest.autoencoder());
    }

    @Override
    public String name() {
        return manifest.sourceName();
    }

    @Override
    public int channels() {
        return manifest.autoencoder().latentChannels();
    }

    @Override
    public int height() {
        return manifest.height();
    }

    @Override
    public int width() {
        return manifest.width();
    }

    @Override
    public List<String> classNames() {
        return manifest.classNames();
    }

    @Override
    public long size() {
        return manifest.images();
    }

    @Override
    public Note read(long index, float[] out, int at) {
        Shard shard = shards.get(manifest.shardOf(index));
        int i = manifest.placeOf(index);
        scaled(shard.mean(), i, out, at);
        return note(shard, i);
    }

    @Override
    public Note readAugmented(long index, boolean mirrored, Rng chance, float[] out, int at) {
        Shard shard = shards.get(manifest.shardOf(index));
        int i = manifest.placeOf(index);
        scaled(mirrored ? shard.meanMirrored() : shard.mean(), i, out, at);
        if (manifest.variance()) {
            spread(mirrored ? shard.stdMirrored() : shard.std(), i, chance, out, at);
        }
        return note(shard, i);
    }

    private static Note note(Shard shard, int i) {
        return new Note(shard.labels()[i], shard.captions() == null ? "" : shard.captions()[i]);
    }

    private void scaled(ByteBuffer mean, int i, float[] out, int at) {
        int values = manifest.values();
        int plane = height() * width();
        for (int v = 0; v < values; v++) {
            float value = Half.fromF16(mean.getShort(2 * (i * values + v)));
            out[at + v] = factor[v / plane] * value + offset[v / plane];
        }
    }

    /** Adds factor·std·noise. */
    private void spread(ByteBuffer std, int i, Rng chance, float[] out, int at) {
        int values = manifest.values();
        int plane = height() * width();
        float[] noise = new float[values];
        chance.fillGaussian(noise);
        for (int v = 0; v < values; v++) {
            out[at + v] += factor[v / plane] * Half.fromF16(std.getShort(2 * (i * values + v))) * noise[v];
        }
    }
}
