package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.io.NpzFile;
import dev.retort.io.PixelImage;
import dev.retort.io.Png;
import java.awt.image.BufferedImage;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Encoding, training on latents, and drawing pictures from what came out, as a user does it. */
class EncodeCommandTest {
    @TempDir
    private static Path folder;

    private static Path pictures;
    private static Path vae;
    private static Path latents;
    private static Path run;
    private static Ran encoded;

    @BeforeAll
    static void encodeAndTrain() throws Exception {
        vae = TinyAutoencoder.save(folder.resolve("vae"), 4);
        pictures = folder.resolve("pictures");
        draw("train");
        draw("test");
        latents = folder.resolve("latents");
        encoded = encode("--json");
        Path preset = folder.resolve("tiny.yaml");
        try (InputStream in = EncodeCommandTest.class.getResourceAsStream("/tiny.yaml")) {
            Files.write(preset, in.readAllBytes());
        }
        run = folder.resolve("run");
        Ran trained = Ran.retort(
                "train",
                preset.toString(),
                "--run",
                run.toString(),
                "--set",
                "run.data.kind=latents",
                "--set",
                "run.data.path=" + latents,
                "--set",
                "run.data.size=0",
                "--set",
                "objective.clamp=0");
        trained.good();
        assertThat(trained.err()).contains("latents: read from the cache").contains("without the cache");
    }

    /** A hundred shapes in files, a folder for each class. */
    private static void draw(String split) {
        ImageSource shapes = DataConfig.shapes(16).withSplit(split).open();
        float[] pixels = new float[shapes.pixels()];
        for (int i = 0; i < 100; i++) {
            String label = shapes.classNames().get(shapes.read(i, pixels, 0).label());
            Path file = pictures.resolve(split).resolve(label).resolve(i + ".png");
            Png.write(file, PixelImage.of(pixels, 0, 3, 16, 16));
        }
    }

    private static Ran encode(String... more) {
        List<String> command = new ArrayList<>(List.of("encode", pictures.toString(), "--size", "16"));
        command.addAll(List.of("--images", "24"));
        command.addAll(List.of("--vae", vae.toString(), "--out", latents.toString()));
        command.addAll(List.of("--shard", "10", "--device", "cpu"));
        command.addAll(List.of(more));
        return Ran.retort(command.toArray(String[]::new));
    }

    @Test
    void it_writes_files_and_says_what_is_in_them() {
        encoded.good();
        JsonNode result = new JsonMapper().readTree(encoded.out());
        assertThat(result.get("images").asInt()).isEqualTo(24);
        assertThat(result.get("files").asInt()).isEqualTo(3);
        assertThat(result.get("channels").asInt()).isEqualTo(4);
        assertThat(result.get("height").asInt()).isEqualTo(8);
        assertThat(latents.resolve("latents-00002-of-00003.safetensors")).isNotEmptyFile();
        assertThat(encoded.err())
                .contains("AutoencoderKL (4 latent channels, 2 times smaller, scale 0.5)")
                .contains("24 pictures and their mirror images")
                .contains("Next: retort train PRESET --set run.data.kind=latents");
    }

    @Test
    void the_same_command_finds_everything_done() {
        Ran again = encode();
        again.good();
        assertThat(again.out().strip()).isEqualTo(latents.toString());
        assertThat(again.err()).contains("3 of 3 files are there");
    }

    @Test
    void samples_come_out_as_pictures() throws Exception {
        Path grid = folder.resolve("grid.png");
        Ran ran = sample("--classes", "0-1", "--count", "4", "--out", grid.toString());
        ran.good();
        BufferedImage image = ImageIO.read(grid.toFile());
        assertThat(image.getWidth()).isEqualTo(2 * (2 * 16 + 2));
        Path npz = folder.resolve("s.npz");
        assertThat(sample("--count", "3", "--out", npz.toString()).exitCode()).isZero();
        try (NpzFile file = NpzFile.open(npz)) {
            assertThat(file.array("arr_0").shape()).containsExactly(3, 16, 16, 3);
        }
    }

    @Test
    void a_wrong_autoencoder_is_refused_before_anything_is_drawn() {
        Path wide = TinyAutoencoder.save(folder.resolve("wide"), 8);
        Path out = folder.resolve("never.png");
        Ran ran = sample("--vae", wide.toString(), "--out", out.toString());
        assertThat(ran.exitCode()).isEqualTo(7);
        assertThat(ran.err()).contains("8 latent channels").contains("4 latent channels");
        assertThat(out).doesNotExist();
        Path pixels = TinyModel.save(folder.resolve("pixels"), 8, 0.1);
        Ran needless = Ran.retort("sample", pixels.toString(), "--vae", wide.toString(), "--out", out.toString());
        assertThat(needless.exitCode()).isEqualTo(2);
        assertThat(needless.err()).contains("the model draws 1;");
    }

    private static Ran sample(String... options) {
        List<String> command = new ArrayList<>(List.of("sample", run.toString(), "--device", "cpu"));
        command.addAll(List.of(options));
        return Ran.retort(command.toArray(String[]::new));
    }

    @Test
    void evaluating_finds_the_pictures_that_were_encoded() {
        Ran ran = Ran.retort(
                "evaluate",
                run.toString(),
                "--samples",
                "70",
                "--extractor",
                "pixels",
                "--rounds",
                "0",
                "--device",
                "cpu",
                "--json");
        ran.good();
        assertThat(ran.out()).contains("FD-PixelPCA64@70").contains("real images");
    }

    @Test
    void what_cannot_be_encoded_is_refused_in_a_sentence() {
        assertThat(Ran.retort("encode", "shapes").exitCode()).isEqualTo(2);
        Ran endless = Ran.retort("encode", "shapes", "--vae", vae.toString());
        assertThat(endless.exitCode()).isEqualTo(2);
        assertThat(endless.err()).contains("without end");
        Ran nowhere = Ran.retort("encode", folder.resolve("no").toString(), "--vae", vae.toString());
        assertThat(nowhere.exitCode()).isEqualTo(6);
        Ran nothing = Ran.retort(
                "encode",
                "shapes",
                "--images",
                "4",
                "--vae",
                folder.resolve("no").toString());
        assertThat(nothing.exitCode()).isEqualTo(7);
        assertThat(nothing.err()).contains("is not an autoencoder");
        assertThat(Ran.retort("encode", "shapes", "--vae", "x", "--batch", "0").exitCode())
                .isEqualTo(2);
    }
}
