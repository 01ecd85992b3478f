package dev.retort.data;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.LatentScale;
import dev.retort.diffusion.Rng;
import dev.retort.io.Dtype;
import dev.retort.io.Half;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Latents from a cache, scaled as a diffusion network sees them. Drawn for training, a latent comes from the posterior of the
 * picture or of its mirror image; read plainly, it is the posterior's mean. The files are mapped, not loaded.
 */
public final class LatentImages implements ImageSource {
    private static final String COMMAND = "retort encode";

    private record Shard(
            ByteBuffer mean,
            ByteBuffer std,
            ByteBuffer meanMirrored,
            ByteBuffer stdMirrored,
            int[] labels,
            List<List<String>> captions) {}

    private final LatentManifest manifest;
    private final Shards shards;
    private final List<Shard> opened = new ArrayList<>();
    private final float[] factor;
    private final float[] offset;

    private LatentImages(LatentManifest manifest) {
        this.manifest = manifest;
        shards = manifest.shards();
        int channels = manifest.autoencoder().latentChannels();
        LatentScale scale = manifest.autoencoder().scale();
        factor = new float[channels];
        offset = new float[channels];
        for (int c = 0; c < channels; c++) {
            factor[c] = (float) scale.factor(c);
            offset[c] = (float) scale.offset(c);
        }
    }

    /** Opens a cache; a missing or foreign file is refused by name, and so is a file that it was made from and that has changed. */
    public static LatentImages open(Path path) {
        LatentManifest manifest = new LatentFolder(path).manifest();
        SourceFiles.read(path).requireUnchanged(path, manifest.source());
        Shards shards = manifest.shards();
        shards.requireAll(path, COMMAND);
        LatentImages images = new LatentImages(manifest);
        for (int i = 0; i < shards.count(); i++) {
            images.opened.add(images.map(shards.file(path, i), shards.rowsOf(i)));
        }
        return images;
    }

    private Shard map(Path path, int count) {
        try (ShardFile file = new ShardFile(path, COMMAND)) {
            Map<String, ByteBuffer> tensors = new HashMap<>();
            for (String name : LatentShard.latents(manifest)) {
                tensors.put(name, file.data(name, Dtype.F16, count, channels(), height(), width()));
            }
            return new Shard(
                    tensors.get(LatentShard.MEAN),
                    tensors.get(LatentShard.STD),
                    tensors.get(LatentShard.MEAN_MIRRORED),
                    tensors.get(LatentShard.STD_MIRRORED),
                    file.labels(count, manifest.classNames().size()),
                    CaptionTensors.read(file, count));
        }
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
        Shard shard = opened.get(shards.shardOf(index));
        int i = shards.placeOf(index);
        scaled(shard.mean(), i, out, at);
        return note(shard, i);
    }

    @Override
    public Note readAugmented(long index, boolean mirrored, Rng chance, float[] out, int at) {
        Shard shard = opened.get(shards.shardOf(index));
        int i = shards.placeOf(index);
        scaled(mirrored ? shard.meanMirrored() : shard.mean(), i, out, at);
        if (manifest.variance()) {
            spread(mirrored ? shard.stdMirrored() : shard.std(), i, chance, out, at);
        }
        return note(shard, i);
    }

    @Override
    public void requireCaptions() {
        List<List<String>> all =
                opened.stream().flatMap(shard -> shard.captions().stream()).toList();
        long without = all.stream().filter(List::isEmpty).count();
        if (without > 0) {
            throw Captions.missing(name(), without, size(), "number " + all.indexOf(List.of()) + " (from 0)");
        }
    }

    @Override
    public Note note(long index) {
        return note(opened.get(shards.shardOf(index)), shards.placeOf(index));
    }

    private static Note note(Shard shard, int i) {
        return new Note(shard.labels()[i], shard.captions().get(i));
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
