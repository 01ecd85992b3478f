package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.io.ImageDecoder;
import dev.retort.io.NpzFile;
import dev.retort.io.PixelImage;
import dev.retort.io.Png;
import dev.retort.io.PngText;
import dev.retort.train.ComputeConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.Objective;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.RunConfig;
import dev.retort.train.TextToImageConfig;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures drawn by words, from a text-to-image model of a few hundred pictures. */
class PromptCommandTest {
    @TempDir
    static Path temp;

    private static String model;

    @TempDir
    private Path folder;

    @BeforeAll
    static void train() {
        TextToImageConfig network = new TextToImageConfig(
                List.of(8, 16), 1, List.of(0, 1), 8, new TextToImageConfig.Encoder(300, 12, 16, 1, 2), 0.1);
        RunConfig run = new RunConfig(
                7,
                16,
                new DataConfig.CaptionedShapes("train", 16, false),
                new OptimizerConfig(2e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 1),
                new EmaConfig(List.of(0.9)),
                new ComputeConfig("cpu", "fp32", false, 16, 0, 1),
                new LogConfig(256, 0, 2, 512),
                SamplingSpec.of("flow-euler", 3, 3));
        model = Training.run(
                        new TrainConfig(512, network, new Objective.Flow(0, 1, 1), run),
                        temp.resolve("model"),
                        Map.of(),
                        n -> {},
                        (d, t, s) -> {},
                        () -> false)
                .toString();
    }

    private static Ran sample(String... options) {
        return Ran.retort(
                Stream.concat(Stream.of("sample", model, "--device", "cpu", "--precision", "fp32"), Stream.of(options))
                        .toArray(String[]::new));
    }

    private static byte[] pixels(Path file) {
        return ImageDecoder.read(file).pixels();
    }

    @Test
    void prompts_come_in_turn_and_name_their_files() throws Exception {
        Path out = folder.resolve("drawn");
        sample("--prompt", "a red circle", "--prompt", "A blue star!", "--count", "3", "--out", out.toString())
                .good();
        try (Stream<Path> files = Files.list(out)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "000000-a-red-circle.png", "000001-a-blue-star.png", "000002-a-red-circle.png");
        }
        Path other = folder.resolve("other");
        sample("--prompt", "a green square", "--count", "1", "--out", other.toString())
                .good();
        assertThat(pixels(other.resolve("000000-a-green-square.png")))
                .isNotEqualTo(pixels(out.resolve("000000-a-red-circle.png")));
    }

    @Test
    void a_grid_has_a_column_for_each_line_of_a_file() throws Exception {
        Path texts = Files.writeString(folder.resolve("texts.txt"), "a red circle\n\na blue star\n");
        Path grid = folder.resolve("grid.png");
        sample("--prompts", texts.toString(), "--out", grid.toString()).good();
        PixelImage image = ImageDecoder.read(grid);
        assertThat(image.width()).isEqualTo(2 * (2 * 16 + 2));
        assertThat(image.height()).isEqualTo(2 * (8 * 16 + 7 * 2));
    }

    @Test
    void without_a_prompt_the_examples_of_the_card_are_drawn() {
        Path npz = folder.resolve("s.npz");
        sample("--count", "2", "--out", npz.toString()).good();
        try (NpzFile file = NpzFile.open(npz)) {
            assertThat(file.array("arr_0").shape()).containsExactly(2, 16, 16, 3);
            assertThat(file.names()).containsExactly("arr_0");
        }
        assertThat(Ran.retort("inspect", model).good().out())
                .contains("a text encoder")
                .containsPattern("Text +CLIP of width 16 and 1 layer, [0-9]+ tokens, at most 10 in a text")
                .containsPattern("Prompts +a ");
    }

    @Test
    void a_picture_says_its_prompts_and_is_drawn_again_alike() throws Exception {
        Path out = folder.resolve("drawn");
        sample(
                        "--prompt",
                        "a red circle",
                        "--prompt",
                        "a blue star",
                        "--negative",
                        "small",
                        "--count",
                        "2",
                        "--seed",
                        "5",
                        "--out",
                        out.toString())
                .good();
        Path second = out.resolve("000001-a-blue-star.png");
        assertThat(PngText.of(Files.readAllBytes(second)).get("parameters"))
                .startsWith(
                        "a blue star\nNegative prompt: small\nSteps: 3, Sampler: flow-euler, CFG scale: 3.0, Seed: 5");
        Path again = folder.resolve("again");
        Ran.retort("sample", "--like", second.toString(), "--precision", "fp32", "--out", again.toString())
                .good();
        assertThat(pixels(again.resolve("000000-a-blue-star.png"))).isEqualTo(pixels(second));
        Path changed = folder.resolve("changed");
        sample("--like", second.toString(), "--negative", "large", "--out", changed.toString())
                .good();
        assertThat(pixels(changed.resolve("000000-a-blue-star.png"))).isNotEqualTo(pixels(second));
        assertThat(Ran.retort("inspect", second.toString()).good().out()).contains("\"negative\" : \"small\"");
    }

    @Test
    void a_picture_of_another_size_than_the_model_was_trained_on_says_it_and_is_drawn_again_alike() throws Exception {
        Path out = folder.resolve("wide");
        sample("--prompt", "a red circle", "--size", "8x24", "--rng", "torch", "--count", "2", "--out", out.toString())
                .good();
        Path second = out.resolve("000001-a-red-circle.png");
        PixelImage picture = ImageDecoder.read(second);
        assertThat(picture.height()).isEqualTo(8);
        assertThat(picture.width()).isEqualTo(24);
        assertThat(PngText.of(Files.readAllBytes(second)).get("parameters")).contains("Size: 24x8");
        Path again = folder.resolve("again");
        Ran.retort("sample", "--like", second.toString(), "--precision", "fp32", "--out", again.toString())
                .good();
        assertThat(pixels(again.resolve("000000-a-red-circle.png"))).isEqualTo(pixels(second));
        Path npz = folder.resolve("s.npz");
        sample("--like", second.toString(), "--size", "20x12", "--out", npz.toString())
                .good();
        try (NpzFile file = NpzFile.open(npz)) {
            assertThat(file.array("arr_0").shape()).containsExactly(1, 20, 12, 3);
        }
    }

    @Test
    void a_part_of_a_picture_is_drawn_anew_at_the_size_asked_for() {
        Path init = folder.resolve("init.png");
        Path mask = folder.resolve("mask.png");
        byte[] grey = new byte[8 * 24];
        byte[] right = new byte[8 * 24];
        for (int i = 0; i < grey.length; i++) {
            grey[i] = (byte) i;
            right[i] = (byte) (i % 24 < 12 ? 0 : 255);
        }
        Png.write(init, new PixelImage(1, 8, 24, grey));
        Png.write(mask, new PixelImage(1, 8, 24, right));
        Path out = folder.resolve("drawn");
        Ran ran = sample(
                "--size",
                "8x24",
                "--init-image",
                init.toString(),
                "--mask",
                mask.toString(),
                "--count",
                "1",
                "--prompt",
                "a red circle",
                "--out",
                out.toString());
        assertThat(ran.good().err()).doesNotContain("resized");
        PixelImage drawn = ImageDecoder.read(out.resolve("000000-a-red-circle.png"));
        for (int i = 0; i < grey.length; i++) {
            if (i % 24 < 12) {
                assertThat(drawn.at(i / 24, i % 24, 0)).isEqualTo(i);
            }
        }
    }

    @Test
    void a_size_that_cannot_be_drawn_is_refused() {
        String classes = TinyModel.save(folder.resolve("classes"), 8, 0.1).toString();
        sample("--size", "13x16")
                .refused(
                        2, "size is 13x16, expected multiples of 2", "the nearest are 12x16 and 14x16 (option --size)");
        sample("--size", "wide").refused(2, "--size", "a height and a width such as 512x768");
        Ran.retort("sample", classes, "--size", "16x16")
                .refused(2, "size is 16x16, but DiT", "works on 8x8 alone: its table of positions", "(option --size)");
    }

    @Test
    void what_does_not_fit_into_a_text_is_said() {
        Ran ran = sample(
                "--prompt",
                "a red circle a red circle a red circle a red circle a blue star",
                "--count",
                "1",
                "--out",
                folder.resolve("a.png").toString());
        assertThat(ran.good().err()).containsPattern("Warning: the model reads .* cut off is: .*star");
    }

    @Test
    void what_the_model_is_not_told_is_refused() {
        String classes = TinyModel.save(folder.resolve("classes"), 8, 0.1).toString();
        sample("--classes", "1").refused(2, "--classes 1 names classes", "give --prompt TEXT");
        Ran.retort("sample", classes, "--prompt", "a star").refused(2, "--prompt \"a star\" is a text", "--classes");
        Ran.retort("sample", classes, "--prompts", "a.txt").refused(2, "--prompts a.txt holds texts", "--classes");
        Ran.retort("sample", classes, "--negative", "x").refused(2, "--negative \"x\" is a text", "--classes");
        sample("--prompts", folder.resolve("none.txt").toString()).refused(6, "there is no such file");
        sample("--negative", "small", "--guidance", "1").refused(2, "--negative \"small\" would change nothing");
    }
}
