package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.TinyAutoencoder;
import dev.retort.data.Batch;
import dev.retort.data.CaptionedShapes;
import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.data.LatentFolder;
import dev.retort.data.LatentImages;
import dev.retort.data.LatentManifest;
import dev.retort.data.Loader;
import dev.retort.data.Note;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.ImageGrid;
import dev.retort.layout.AutoencoderFiles;
import dev.retort.model.vae.Autoencoder;
import dev.retort.model.vae.Posterior;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LatentEncodingTest {
    private static final double SCALE = 0.5;
    private static final int IMAGES = 40;
    private static final DataConfig SHAPES = DataConfig.shapes(16);

    @TempDir
    private Path temp;

    private Path vae;

    @BeforeEach
    void autoencoder() {
        vae = TinyAutoencoder.save(temp.resolve("vae"), 4, SCALE, 1);
    }

    private LatentEncoding encoding(DataConfig data, long images) {
        return new LatentEncoding(data, images, vae, 16, 6, Device.CPU);
    }

    private LatentManifest encode(String name) {
        return encoding(SHAPES, IMAGES).run(temp.resolve(name), Map.of(), note -> {}, (d, t, s) -> {}, () -> false);
    }

    private LatentImages opened(String name) {
        return (LatentImages) new DataConfig.Auto(temp.resolve(name).toString(), "train", 0, true).open();
    }

    @Test
    void a_cache_holds_means_spreads_mirror_images_and_labels() {
        LatentManifest manifest = encode("cache");
        assertThat(manifest.shards().count()).isEqualTo(3);
        assertThat(manifest.autoencoder().sha256()).hasSize(64);
        LatentImages latents = opened("cache");
        ImageSource shapes = SHAPES.open();
        assertThat(latents.size()).isEqualTo(IMAGES);
        assertThat(List.of(latents.channels(), latents.height(), latents.width()))
                .containsExactly(4, 8, 8);
        assertThat(latents.classNames()).isEqualTo(shapes.classNames());
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autoencoder encoder = Autoencoder.load(AutoencoderFiles.find(vae), Device.CPU)) {
            for (int index : new int[] {0, 15, 16, 39}) {
                float[] pixels = new float[shapes.pixels()];
                Note label = shapes.read(index, pixels, 0);
                Tensor image = Tensors.of(pixels, Device.CPU, 1, 3, 16, 16);
                Posterior plain = encoder.encode(image);
                Posterior mirrored = encoder.encode(image.flip(3));
                float[] got = new float[latents.pixels()];
                assertThat(latents.read(index, got, 0)).isEqualTo(label);
                assertThat(got).containsExactly(scaled(plain.mode()), within(2e-3f));

                float[] noise = new float[got.length];
                chance(index).fillGaussian(noise);
                Tensor unit = Tensors.of(noise, Device.CPU, 1, 4, 8, 8);
                assertThat(latents.readAugmented(index, true, chance(index), got, 0))
                        .isEqualTo(label);
                assertThat(got).containsExactly(scaled(mirrored.sample(unit)), within(5e-3f));
                latents.readAugmented(index, false, chance(index), got, 0);
                assertThat(got).containsExactly(scaled(plain.sample(unit)), within(5e-3f));
            }
        }
    }

    private static Rng chance(int index) {
        return Rng.at(3, Purpose.LATENT, index, 0);
    }

    private static float[] scaled(Tensor latent) {
        float[] values = Tensors.floats(latent);
        for (int i = 0; i < values.length; i++) {
            values[i] *= (float) SCALE;
        }
        return values;
    }

    @Test
    void training_sees_a_new_draw_of_the_posterior_each_time_the_same_in_any_batch() {
        encode("cache");
        float[] first;
        try (Loader loader = new Loader(opened("cache"), IMAGES, 5, 0, true, 2, 2)) {
            Batch one = loader.next();
            first = one.pixels();
            assertThat(loader.next().pixels()).isNotEqualTo(first);
        }
        try (Loader loader = new Loader(opened("cache"), IMAGES / 2, 5, 0, true, 1, 1)) {
            float[] half = loader.next().pixels();
            float[] rest = loader.next().pixels();
            assertThat(half).isEqualTo(java.util.Arrays.copyOf(first, half.length));
            assertThat(rest).isEqualTo(java.util.Arrays.copyOfRange(first, half.length, first.length));
        }
        try (Loader loader = new Loader(opened("cache"), IMAGES, 6, 0, true, 1, 1)) {
            assertThat(loader.next().pixels()).isNotEqualTo(first);
        }
    }

    @Test
    void captions_go_with_their_pictures() throws Exception {
        Path pictures = pictures("captioned", "a", "b", "c");
        Files.writeString(pictures.resolve("a.txt"), "a red héron\n");
        Path metadata = Files.writeString(pictures.resolve("metadata.jsonl"), """
                {"file_name": "a.png", "text": "not this one"}
                {"file_name": "b.png", "text": "a blue square"}
                """);
        DataConfig folder = new DataConfig.Folder(pictures.toString(), "train", 16, false);
        new LatentEncoding(folder, 0, vae, 2, 2, Device.CPU)
                .run(temp.resolve("with"), Map.of(), note -> {}, (done, total, status) -> {}, () -> false);
        LatentImages latents = opened("with");
        assertThat(caption(latents, 0)).isEqualTo("a red héron");
        assertThat(caption(latents, 1)).isEqualTo("a blue square");
        assertThat(caption(latents, 2)).isEmpty();
        encode("without");
        assertThat(caption(opened("without"), 0)).isEmpty();

        Files.writeString(metadata, "{\"file_name\": 3}");
        refused(() -> folder.open(), Kind.DATA, "metadata.jsonl", "line 1");
    }

    @Test
    void several_captions_and_empty_ones_come_back_as_they_were() throws Exception {
        Path pictures = pictures("several", "a", "b", "c");
        Files.writeString(pictures.resolve("a.txt"), "a red bird\nbird\n");
        Files.writeString(pictures.resolve("b.txt"), "");
        encode(pictures, "cache");
        LatentImages latents = opened("cache");
        float[] out = new float[latents.pixels()];
        assertThat(latents.read(0, out, 0).captions()).containsExactly("a red bird", "bird");
        assertThat(latents.read(1, out, 0).captions()).containsExactly("");
        assertThat(latents.read(2, out, 0).captions()).isEmpty();
        refused(latents::requireCaptions, Kind.DATA, "1 of 3 pictures", "the first is number 2");
    }

    @Test
    void a_cache_whose_sources_changed_is_refused_with_the_files_that_did() throws Exception {
        Path pictures = pictures("sources", "a", "b", "c");
        Path text = Files.writeString(pictures.resolve("b.txt"), "blue");
        encode(pictures, "cache");
        Files.setLastModifiedTime(text, FileTime.fromMillis(1_000_000));
        encode(pictures, "cache");
        opened("cache");

        Files.writeString(text, "grey");
        refused(() -> encode(pictures, "cache"), Kind.DATA, "cache was encoded from", "changed: b.txt");
        refused(() -> opened("cache"), Kind.DATA, "changed: b.txt", "encode again");
        Files.writeString(text, "blue");
        opened("cache");

        Path moved = Files.move(pictures.resolve("c.png"), pictures.resolve("d.png"));
        refused(() -> encode(pictures, "cache"), Kind.DATA, "gone: c.png", "new: d.png");
        opened("cache");
        Files.move(moved, pictures.resolve("c.png"));
        encode(pictures, "cache");
        Files.move(pictures, temp.resolve("elsewhere"));
        opened("cache");
    }

    @Test
    void a_latent_cache_of_captions_that_name_places_is_not_mirrored() {
        encoding(new DataConfig.CaptionedShapes("train", 16, false), 3)
                .run(temp.resolve("cache"), Map.of(), note -> {}, (d, t, s) -> {}, () -> false);
        refused(() -> opened("cache"), Kind.CONFIG, "data.flip is true");
        ImageSource latents = new DataConfig.Latents(temp.resolve("cache").toString(), "train", 0, false).open();
        assertThat(latents.read(2, new float[latents.pixels()], 0))
                .isEqualTo(new CaptionedShapes(16, "train").read(2, new float[3 * 16 * 16], 0));
    }

    private Path pictures(String folder, String... names) throws IOException {
        Path pictures = Files.createDirectories(temp.resolve(folder));
        for (String name : names) {
            new ImageGrid(1, 1, 3, 16, 16, 0)
                    .set(0, new float[3 * 16 * 16], 0)
                    .write(pictures.resolve(name + ".png"), 1);
        }
        return pictures;
    }

    private void encode(Path pictures, String name) {
        encoding(new DataConfig.Folder(pictures.toString(), "train", 16, false), 0)
                .run(temp.resolve(name), Map.of(), note -> {}, (d, t, s) -> {}, () -> false);
    }

    @Test
    void for_a_damaged_picture_the_next_whole_one_is_encoded_and_that_is_said() throws Exception {
        Path pictures = Files.createDirectories(temp.resolve("damaged"));
        for (String name : List.of("a/1", "b/2", "c/3")) {
            Files.createDirectories(pictures.resolve(name).getParent());
            new ImageGrid(1, 1, 3, 16, 16, 0)
                    .set(0, new float[3 * 16 * 16], 0)
                    .write(pictures.resolve(name + ".png"), 1);
            Files.writeString(pictures.resolve(name + ".txt"), name);
        }
        Files.writeString(pictures.resolve("b/2.png"), "cut");
        List<String> notes = new ArrayList<>();
        new LatentEncoding(new DataConfig.Folder(pictures.toString(), "train", 16, false), 0, vae, 2, 2, Device.CPU)
                .run(temp.resolve("whole"), Map.of(), notes::add, (done, total, status) -> {}, () -> false);
        assertThat(notes)
                .filteredOn(note -> note.contains("left out"))
                .singleElement()
                .asString()
                .contains(pictures.resolve("b/2.png").toString(), "the next undamaged picture takes its place");
        LatentImages latents = opened("whole");
        assertThat(caption(latents, 0)).isEqualTo("a/1");
        assertThat(caption(latents, 1)).isEqualTo("c/3");
        assertThat(latents.read(1, new float[latents.pixels()], 0).label()).isEqualTo(2);
    }

    @Test
    void a_stopped_encoding_goes_on_and_ends_as_one_never_stopped() throws Exception {
        encode("straight");
        AtomicInteger polls = new AtomicInteger();
        assertThatThrownBy(() -> encoding(SHAPES, IMAGES)
                        .run(
                                temp.resolve("stopped"),
                                Map.of(),
                                note -> {},
                                (d, t, s) -> {},
                                () -> polls.incrementAndGet() == 4))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.INTERRUPTED))
                .hasMessageContaining("1 of 3 files");
        assertThatThrownBy(() -> opened("stopped"))
                .hasMessageContaining("latents-00001-of-00003.safetensors is missing")
                .hasMessageContaining("retort encode");
        Path first = temp.resolve("stopped/latents-00000-of-00003.safetensors");
        var written = Files.getLastModifiedTime(first);
        encode("stopped");
        assertThat(Files.getLastModifiedTime(first)).isEqualTo(written);
        for (int i = 0; i < 3; i++) {
            String name = "latents-0000" + i + "-of-00003.safetensors";
            assertThat(Files.mismatch(
                            temp.resolve("straight").resolve(name),
                            temp.resolve("stopped").resolve(name)))
                    .as(name)
                    .isEqualTo(-1);
        }
    }

    @Test
    void a_cache_of_something_else_is_not_mixed_with() {
        encode("cache");
        vae = TinyAutoencoder.save(temp.resolve("other"), 4, SCALE, 2);
        refused(() -> encode("cache"), Kind.DATA, "holds latents of 40 pictures", "choose another folder");
        vae = TinyAutoencoder.save(temp.resolve("vae"), 4, SCALE, 1);
        refused(
                () -> encoding(SHAPES, 41)
                        .run(temp.resolve("cache"), Map.of(), note -> {}, (d, t, s) -> {}, () -> false),
                Kind.DATA,
                "holds latents of 40 pictures");
        encode("cache");
    }

    @Test
    void an_autoencoder_that_moved_is_recorded_anew_and_nothing_is_encoded_again() throws Exception {
        encode("cache");
        vae = Files.move(vae, temp.resolve("moved"));
        AtomicInteger polls = new AtomicInteger();
        encoding(SHAPES, IMAGES)
                .run(temp.resolve("cache"), Map.of(), n -> {}, (d, t, s) -> {}, () -> polls.incrementAndGet() < 0);
        assertThat(polls).hasValue(0);
        assertThat(new LatentFolder(temp.resolve("cache"))
                        .manifest()
                        .autoencoder()
                        .path())
                .endsWith("moved");
    }

    @Test
    void what_cannot_be_encoded_is_refused_before_anything_is_written() {
        refused(() -> encode(SHAPES, 0), Kind.USAGE, "without end");
        refused(() -> encode(DataConfig.shapes(17), 4), Kind.DATA, "17x17", "multiples of 2");
        encode("cache");
        DataConfig latents = new DataConfig.Auto(temp.resolve("cache").toString(), "train", 0, false);
        refused(() -> encode(latents, 0), Kind.DATA, "holds latents already");
        refused(
                () -> new DataConfig.Latents(temp.toString(), "train", 0, false).open(),
                Kind.DATA,
                "not a latent cache");
        refused(
                () -> new DataConfig.Latents(temp.resolve("cache").toString(), "train", 16, false).open(),
                Kind.CONFIG,
                "data.size is 16",
                "8x8");
        assertThat(temp.resolve("never")).doesNotExist();
    }

    private void encode(DataConfig data, long images) {
        encoding(data, images).run(temp.resolve("never"), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    @Test
    void a_foreign_or_damaged_file_in_a_cache_is_named() throws Exception {
        encode("cache");
        Path shard = temp.resolve("cache/latents-00001-of-00003.safetensors");
        Files.copy(
                temp.resolve("cache/latents-00002-of-00003.safetensors"),
                shard,
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        refused(() -> opened("cache"), Kind.DATA, "latents-00001", "does not belong");
        byte[] bytes = Files.readAllBytes(shard);
        Files.write(shard, java.util.Arrays.copyOf(bytes, bytes.length - 7));
        refused(() -> opened("cache"), Kind.CHECKPOINT, "latents-00001");
        Files.writeString(temp.resolve("cache/latents.json"), "{\"format\": 1");
        refused(() -> opened("cache"), Kind.DATA, "latents.json cannot be read");
    }

    private static void refused(Runnable action, Kind kind, String... words) {
        assertThatThrownBy(action::run)
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(kind))
                .message()
                .contains(words);
    }

    @Test
    void a_second_encoding_into_the_folder_is_refused_and_the_first_ends_whole() {
        AtomicInteger refusals = new AtomicInteger();
        LatentManifest manifest = encoding(SHAPES, 24)
                .run(
                        temp.resolve("shared"),
                        Map.of(),
                        note -> {},
                        (done, total, text) -> {
                            if (done < total) {
                                assertThatThrownBy(() -> encode("shared"))
                                        .hasMessageContaining("in use by this process");
                                refusals.incrementAndGet();
                            }
                        },
                        () -> false);
        assertThat(refusals).hasPositiveValue();
        assertThat(manifest.shards().missing(temp.resolve("shared"))).isEmpty();
    }

    private static String caption(ImageSource source, long index) {
        return source.read(index, new float[source.pixels()], 0).caption();
    }
}
