package dev.retort.train;

import dev.retort.card.AutoencoderCard;
import dev.retort.config.Require;
import dev.retort.data.DamagedPictures;
import dev.retort.data.DataConfig;
import dev.retort.data.Datasets;
import dev.retort.data.ImageSource;
import dev.retort.data.LatentFolder;
import dev.retort.data.LatentManifest;
import dev.retort.data.LatentShard;
import dev.retort.data.Note;
import dev.retort.data.ShardFilling;
import dev.retort.data.SourceFiles;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.FolderLock;
import dev.retort.layout.AutoencoderFiles;
import dev.retort.model.vae.Autoencoder;
import dev.retort.model.vae.Posterior;
import dev.retort.report.Progress;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.torch.TorchError;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/**
 * Encodes a data set once, so that training reads latents: what {@code retort encode} does, as a call. Always in fp32. Shards
 * appear whole, so the same call goes on where one was stopped. For a damaged picture the next whole one is encoded in its
 * place, so that a cache has as many as the set, and too many of them are an error.
 *
 * @param source the pictures
 * @param images how many of them; 0 for all
 * @param autoencoder where the autoencoder lies
 * @param shardImages pictures in a file
 * @param batch pictures encoded together
 * @param device where the encoder runs
 */
public record LatentEncoding(
        DataConfig source, long images, Path autoencoder, int shardImages, int batch, Device device) {
    private static final int FINGERPRINTED = 16;

    /** Validates. */
    public LatentEncoding {
        Require.atLeast("images", images, 0);
        Require.atLeast("shardImages", shardImages, 1);
        Require.atLeast("batch", batch, 1);
    }

    /**
     * Encodes what is not there yet.
     *
     * @param path the cache's folder, new or to be completed; one run at a time may write into it
     * @param provenance what stands in the manifest about where it was made
     * @param notes is told, once each, what was found
     * @param interrupted polled before every batch
     * @return the manifest
     */
    public LatentManifest run(
            Path path,
            Map<String, String> provenance,
            Consumer<String> notes,
            Progress progress,
            BooleanSupplier interrupted) {
        try (FolderLock held = FolderLock.take(path, notes)) {
            return run(held, provenance, notes, progress, interrupted);
        }
    }

    private LatentManifest run(
            FolderLock held,
            Map<String, String> provenance,
            Consumer<String> notes,
            Progress progress,
            BooleanSupplier interrupted) {
        ImageSource pictures = source.open();
        Datasets.describe(pictures, notes);
        DamagedPictures damaged = new DamagedPictures(pictures);
        AutoencoderFiles files = AutoencoderFiles.find(autoencoder);
        LatentManifest manifest =
                manifest(pictures, damaged, files.card(), files.spec().hasVariance(), provenance);
        stoodIn(damaged, notes);
        prepare(held.folder(), manifest, pictures, notes, interrupted);
        notes.accept("autoencoder: " + manifest.autoencoder().kind() + " ("
                + manifest.autoencoder().space() + "), sha256 "
                + manifest.autoencoder().sha256().substring(0, 12));
        try (Autoencoder encoder = Autoencoder.load(files, device)) {
            new ShardFilling(held.folder(), manifest.shards(), batch)
                    .run(
                            index -> new Encoded(
                                    new LatentShard(manifest, index),
                                    manifest,
                                    pictures,
                                    damaged,
                                    encoder,
                                    device,
                                    notes),
                            notes,
                            progress,
                            interrupted);
        } catch (RetortException e) {
            throw e;
        } catch (RuntimeException e) {
            throw TorchError.translate(e, "encoding", "encode fewer pictures at once", "batch");
        }
        return manifest;
    }

    private LatentManifest manifest(
            ImageSource pictures,
            DamagedPictures damaged,
            AutoencoderCard card,
            boolean variance,
            Map<String, String> provenance) {
        if (pictures.autoencoder().isPresent()) {
            throw new RetortException(
                    Kind.DATA, source.path() + " holds latents already; give the pictures they were made from");
        }
        if (pictures.channels() != card.imageChannels()) {
            throw new RetortException(
                    Kind.DATA,
                    pictures.name() + " has pictures of " + pictures.channels() + " channels, the autoencoder takes "
                            + card.imageChannels() + "; use pictures or an autoencoder of the other kind");
        }
        if (pictures.height() % card.downscale() != 0 || pictures.width() % card.downscale() != 0) {
            throw new RetortException(
                    Kind.DATA,
                    pictures.name() + " has pictures of " + pictures.height() + "x" + pictures.width()
                            + ", expected multiples of " + card.downscale() + "; choose another size");
        }
        if (images == 0 && pictures.size() == ImageSource.INFINITE) {
            throw new RetortException(
                    Kind.USAGE, pictures.name() + " is without end; say how many pictures are to be encoded");
        }
        if (images > pictures.size()) {
            throw new RetortException(
                    Kind.DATA,
                    images + " pictures were asked for, but " + pictures.name() + " has " + pictures.size()
                            + "; ask for fewer, or leave the number out for all");
        }
        return new LatentManifest(
                LatentManifest.FORMAT,
                card,
                absolute(source),
                pictures.name(),
                fingerprint(pictures, damaged),
                pictures.classNames(),
                images == 0 ? pictures.size() : images,
                pictures.height() / card.downscale(),
                pictures.width() / card.downscale(),
                shardImages,
                variance,
                provenance);
    }

    private static void stoodIn(DamagedPictures damaged, Consumer<String> notes) {
        damaged.news().forEach(sentence -> notes.accept(sentence + " (the next undamaged picture takes its place)"));
    }

    private static DataConfig absolute(DataConfig spec) {
        String path = spec.path().isEmpty() || spec.path().startsWith("~/")
                ? spec.path()
                : Path.of(spec.path()).toAbsolutePath().normalize().toString();
        return spec.with(path, spec.split(), spec.size());
    }

    /** Of some pictures evenly spread over the set: another set of the same size is noticed. */
    private String fingerprint(ImageSource pictures, DamagedPictures damaged) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            long all = images == 0 ? pictures.size() : images;
            digest.update((pictures.name() + " " + all).getBytes(StandardCharsets.UTF_8));
            float[] pixels = new float[pictures.pixels()];
            ByteBuffer bytes = ByteBuffer.allocate(4 * pixels.length + 4);
            for (int i = 0; i < FINGERPRINTED; i++) {
                Note note = damaged.read(i * all / FINGERPRINTED, pixels, 0);
                bytes.clear().putInt(note.label()).asFloatBuffer().put(pixels);
                digest.update(bytes.array());
                digest.update(String.join("\n", note.captions()).getBytes(StandardCharsets.UTF_8));
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Opens the folder; a cache of something else that lies there, or of files that have changed, is refused. */
    private static void prepare(
            Path path,
            LatentManifest manifest,
            ImageSource pictures,
            Consumer<String> notes,
            BooleanSupplier interrupted) {
        LatentFolder folder = new LatentFolder(path);
        AtomicWrite.recover(path);
        SourceFiles before = SourceFiles.read(path);
        if (before.count() == 0 && !pictures.files().isEmpty()) {
            notes.accept("hashing the source: " + pictures.files().size() + " files");
        }
        SourceFiles now = SourceFiles.of(pictures, manifest.source(), before, interrupted);
        if (LatentFolder.is(path)) {
            if (before.count() > 0) {
                before.requireSame(path, now);
            }
            LatentManifest there = folder.manifest();
            if (!there.sameLatents(manifest)) {
                throw new RetortException(
                                Kind.DATA,
                                path + " holds latents of " + there.images() + " pictures of " + there.sourceName()
                                        + " by "
                                        + there.autoencoder().path()
                                        + ", or of other settings; choose another folder, or give the same settings to resume")
                        .about("folder");
            }
        }
        now.write(path);
        folder.write(manifest);
    }

    /** One file while its pictures are encoded. */
    private record Encoded(
            LatentShard shard,
            LatentManifest manifest,
            ImageSource pictures,
            DamagedPictures damaged,
            Autoencoder encoder,
            Device device,
            Consumer<String> notes)
            implements ShardFilling.Shard {
        @Override
        public void fill(long first, int count) {
            int place = manifest.shards().placeOf(first);
            float[] pixels = new float[count * pictures.pixels()];
            for (int i = 0; i < count; i++) {
                shard.picture(damaged.read(first + i, pixels, i * pictures.pixels()));
            }
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on();
                    Autocast exact = Autocast.to(Precision.FP32, device)) {
                Tensor images =
                        Tensors.of(pixels, device, count, pictures.channels(), pictures.height(), pictures.width());
                Posterior plain = encoder.encode(images);
                Posterior mirrored = encoder.encode(images.flip(3));
                shard.latents(LatentShard.MEAN, place, Tensors.floats(plain.mean()));
                shard.latents(LatentShard.MEAN_MIRRORED, place, Tensors.floats(mirrored.mean()));
                if (manifest.variance()) {
                    shard.latents(LatentShard.STD, place, Tensors.floats(plain.std()));
                    shard.latents(LatentShard.STD_MIRRORED, place, Tensors.floats(mirrored.std()));
                }
            }
        }

        @Override
        public void write(Path file) {
            shard.write(file);
            stoodIn(damaged, notes);
        }
    }
}
