package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.io.ImageDecoder;
import dev.retort.io.NpyArray;
import dev.retort.io.NpyType;
import dev.retort.io.NpzFile;
import dev.retort.io.PixelImage;
import dev.retort.io.Png;
import dev.retort.io.PngText;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class SampleCommandTest {
    @TempDir
    private Path folder;

    private Path model;

    @BeforeEach
    void save() {
        model = TinyModel.save(folder.resolve("model"), 8, 0.1);
    }

    private Ran sample(String... options) {
        return Ran.retort(Stream.concat(
                        Stream.of("sample", model.toString(), "--device", "cpu", "--precision", "fp32"),
                        Stream.of(options))
                .toArray(String[]::new));
    }

    @Test
    void a_grid_has_a_column_for_each_class() throws Exception {
        Path grid = folder.resolve("grid.png");
        Ran ran = sample("--count", "6", "--out", grid.toString());
        ran.good();
        assertThat(ran.out().strip()).isEqualTo(grid.toString());
        assertThat(ran.err())
                .contains("flow-euler, 3 steps, guidance 1.0, seed 0")
                .contains("Next: retort sample");
        BufferedImage image = ImageIO.read(grid.toFile());
        assertThat(image.getWidth()).isEqualTo(2 * (3 * 8 + 2 * 2));
        assertThat(image.getHeight()).isEqualTo(2 * (2 * 8 + 2));
    }

    @Test
    void a_folder_gets_a_file_for_each_image_with_its_class() throws Exception {
        Path out = folder.resolve("drawn");
        assertThat(sample("--classes", "star,0", "--count", "3", "--out", out.toString())
                        .exitCode())
                .isZero();
        try (Stream<Path> files = Files.list(out)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("000000-class2.png", "000001-class0.png", "000002-class2.png");
        }
    }

    @Test
    void a_place_that_cannot_take_the_pictures_is_refused_before_they_are_drawn() throws Exception {
        Path file = Files.writeString(folder.resolve("note.txt"), "a file");
        Ran inFile = sample("--out", file.resolve("a.png").toString());
        inFile.refused(9, "note.txt is a file, not a folder");
        assertThat(inFile.err()).doesNotContain("sample ");
        sample("--out", folder.resolve("a.jpg").toString()).refused(2, "NAME.png, NAME.npz or a folder");
        Path out = folder.resolve("many");
        sample("--count", "4", "--out", out.toString()).good();
        sample("--count", "4", "--out", out.toString()).good();
        sample("--count", "2", "--out", out.toString()).refused(2, "holds 2 other pictures already");
    }

    @Test
    void the_ending_decides_the_form_in_any_case() throws Exception {
        Path grid = folder.resolve("GRID.Png");
        sample("--count", "2", "--out", grid.toString()).good();
        assertThat(ImageIO.read(grid.toFile())).isNotNull();
        Path npz = folder.resolve("all.NPZ");
        sample("--count", "2", "--out", npz.toString()).good();
        assertThat(npz).isRegularFile();
        sample("--out", folder.resolve("a.PDF").toString()).refused(2, "NAME.png, NAME.npz or a folder");
    }

    @Test
    void a_folder_where_a_file_is_to_go_is_refused_before_anything_is_drawn() throws Exception {
        for (String name : new String[] {"a.png", "b.npz"}) {
            Path taken = Files.createDirectory(folder.resolve(name));
            Ran ran = sample("--count", "2", "--out", taken.toString());
            ran.refused(9, name, "it is a folder, not a file");
            assertThat(ran.err()).doesNotContain("sample 0%");
        }
    }

    @Test
    void a_picture_says_how_it_was_drawn_and_is_drawn_again_alike() throws Exception {
        Path drawn = folder.resolve("drawn");
        model = TinyModel.trained(folder.resolve("trained"));
        sample("--count", "3", "--seed", "5", "--rng", "torch", "--steps", "4", "--out", drawn.toString())
                .good();
        Path second = drawn.resolve("000001-class1.png");
        Map<String, String> texts = PngText.of(Files.readAllBytes(second));
        assertThat(texts.get("parameters"))
                .startsWith("square\nSteps: 4, Sampler: flow-euler, CFG scale: 1.0, Seed: 6, Size: 8x8, Model hash: ");
        Path again = folder.resolve("again");
        Ran.retort("sample", "--like", second.toString(), "--precision", "fp32", "--out", again.toString())
                .good();
        Path first = again.resolve("000000-class1.png");
        assertThat(ImageDecoder.read(first).pixels())
                .isEqualTo(ImageDecoder.read(second).pixels());
        Path other = folder.resolve("other");
        Ran changed = sample("--like", second.toString(), "--seed", "9", "--out", other.toString());
        changed.good();
        assertThat(changed.err()).contains("seed 9").contains("4 steps");
        Ran inspected = Ran.retort("inspect", second.toString());
        inspected.good();
        assertThat(inspected.out()).contains("Steps: 4").contains("\"seed\" : 5");
        model = TinyModel.save(folder.resolve("another"), 8, 0.1);
        assertThat(sample(
                                "--like",
                                second.toString(),
                                "--out",
                                folder.resolve("third").toString())
                        .err())
                .contains("was drawn by other weights");
        Path plain = folder.resolve("plain.png");
        Png.write(plain, new PixelImage(1, 8, 8, new byte[64]));
        Ran.retort("sample", "--like", plain.toString()).refused(6, "does not say how it was drawn");
        Ran.retort("sample").refused(2, "no CHECKPOINT is given");
    }

    @Test
    void a_picture_is_drawn_from_another_and_what_its_mask_keeps_stays() throws Exception {
        model = TinyModel.trained(folder.resolve("trained"));
        byte[] ramp = new byte[64];
        byte[] right = new byte[64];
        for (int i = 0; i < 64; i++) {
            ramp[i] = (byte) (4 * i);
            right[i] = (byte) (i % 8 < 4 ? 0 : 255);
        }
        Path init = folder.resolve("init.png");
        Path mask = folder.resolve("mask.png");
        Png.write(init, new PixelImage(1, 8, 8, ramp));
        Png.write(mask, new PixelImage(1, 8, 8, right).enlarged(2));
        Path out = folder.resolve("out");
        Ran ran = sample(
                "--init-image", init.toString(), "--mask", mask.toString(), "--count", "1", "--out", out.toString());
        ran.good();
        assertThat(ran.err()).contains("mask.png is 16x16, the model draws 8x8");
        byte[] drawn = ImageDecoder.read(out.resolve("000000-class0.png")).pixels();
        for (int i = 0; i < 64; i++) {
            if (i % 8 < 4) {
                assertThat(drawn[i]).isEqualTo(ramp[i]);
            }
        }
        assertThat(drawn).isNotEqualTo(ramp);
        sample("--init-image", init.toString(), "--strength", "0.1").refused(2, "strength is 0.1", "leaves none");
        sample("--strength", "0.5").refused(2, "add --init-image");
    }

    @Test
    void every_step_moves_the_bar_and_previews_show_what_is_predicted() throws Exception {
        Path out = folder.resolve("one.png");
        Ran ran = sample("--count", "1", "--preview", "2", "--out", out.toString());
        ran.good();
        assertThat(ran.err()).contains("sample 33%, 0/1 images").contains("sample 100%, 1/1 images");
        assertThat(ImageDecoder.read(folder.resolve("one.preview.png")).width()).isEqualTo(8);
        sample("--preview-vae", "x").refused(2, "add --preview K");
    }

    @Test
    void the_contrast_of_guidance_can_be_taken_back() {
        Path out = folder.resolve("a.png");
        sample("--guidance", "3", "--guidance-rescale", "0.7", "--count", "1", "--out", out.toString())
                .good();
        sample("--guidance-rescale", "2").refused(2, "guidanceRescale");
    }

    @Test
    void names_of_files_have_the_same_digits_in_every_locale() throws Exception {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
        Ran ran;
        try {
            ran = sample(
                    "--classes",
                    "1",
                    "--count",
                    "1",
                    "--out",
                    folder.resolve("drawn").toString());
        } finally {
            Locale.setDefault(before);
        }
        ran.good();
        assertThat(folder.resolve("drawn").resolve("000000-class1.png")).exists();
        assertThat(ran.err()).contains("sample 100%, 1/1 images");
    }

    @Test
    void npz_has_the_layout_that_evaluators_read_and_grey_becomes_rgb() {
        Path out = folder.resolve("s.npz");
        assertThat(sample("--classes", "1,2", "--count", "3", "--out", out.toString())
                        .exitCode())
                .isZero();
        try (NpzFile npz = NpzFile.open(out)) {
            NpyArray images = npz.array("arr_0");
            assertThat(images.type()).isEqualTo(NpyType.U8);
            assertThat(images.shape()).containsExactly(3, 8, 8, 3);
            for (int i = 0; i < images.bytes().length; i += 3) {
                assertThat(images.bytes()[i]).isEqualTo(images.bytes()[i + 2]);
            }
            assertThat(npz.array("arr_1").longs()).containsExactly(1, 2, 1);
        }
    }

    @Test
    void the_result_as_json_is_all_there_is_on_stdout() {
        Ran ran = sample(
                "--json",
                "--count",
                "2",
                "--steps",
                "2",
                "--seed",
                "7",
                "--out",
                folder.resolve("a.png").toString());
        ran.good();
        JsonNode drawn = new JsonMapper().readTree(ran.out());
        assertThat(drawn.get("count").asInt()).isEqualTo(2);
        assertThat(drawn.get("steps").asInt()).isEqualTo(2);
        assertThat(drawn.get("seed").asLong()).isEqualTo(7);
    }

    @Test
    void the_seed_decides_the_pictures_and_the_batch_does_not() throws Exception {
        byte[] first = drawn("--seed", "1", "--batch", "5");
        assertThat(drawn("--seed", "1", "--batch", "2")).isEqualTo(first);
        assertThat(drawn("--seed", "2", "--batch", "5")).isNotEqualTo(first);
    }

    @Test
    void one_step_is_said_to_be_one() {
        Ran ran = sample(
                "--steps", "1", "--count", "1", "--out", folder.resolve("a.png").toString());
        assertThat(ran.good().err()).contains("flow-euler, 1 step, guidance 1.0");
    }

    private byte[] drawn(String... options) throws Exception {
        Path out = folder.resolve("one.png");
        Ran ran = sample(Stream.concat(Stream.of(options), Stream.of("--count", "5", "--out", out.toString()))
                .toArray(String[]::new));
        ran.good();
        return ImageDecoder.read(out).pixels();
    }

    @Test
    void bad_options_are_usage_errors_that_say_what_is_allowed() {
        sample("--classes", "3").refused(2, "--classes 3: this model has classes 0 to 2 (circle, square, star)");
        for (String guidance : new String[] {"NaN", "-Infinity", "1e30", "-1001"}) {
            sample("--guidance", guidance)
                    .refused(2, "--guidance is " + guidance + ", expected a number from -1000 to 1000");
        }
        sample("--classes", "sqare").refused(2, "did you mean 'square'?");
        sample("--classes", "2-1").refused(2, "runs backwards");
        sample("--solver", "flow-eulr").refused(2, "did you mean 'flow-euler'?");
        sample("--solver", "heun:eta=1").refused(2, "--solver is 'heun:eta=1', but heun has no option 'eta'");
        sample("--grid", "flow:shfit=3").refused(2, "--grid is 'flow:shfit=3'", "did you mean 'shift'?");
        sample("--grid", "leading").refused(2, "the grid leading needs a table of noise levels");
        sample("--clamp", "range:limit=0").refused(2, "--clamp is 'range:limit=0': limit is 0");
        sample("--guidance", "1:until=1").refused(2, "--guidance is 1:until=1, which has no option 'until'");
        sample("--count", "0").refused(2, "--count is 0, expected a whole number of at least 1");
        sample("--steps", "many").refused(2, "--steps is many, expected a whole number");
        Ran.retort("sample", model.toString(), "--device", "gpu")
                .refused(2, "device gpu is unknown", "(option --device)");
        Ran.retort("sample").refused(2, "CHECKPOINT");
        assertThat(Ran.retort("sample", model.toString(), "--device", "cuda:7", "--count", "1")
                        .exitCode())
                .isEqualTo(4);
    }

    @Test
    void options_of_solver_grid_and_clamp_change_what_is_drawn() throws Exception {
        byte[] usual = drawn();
        assertThat(drawn("--solver", "flow-euler", "--grid", "flow:shift=1", "--clamp", "range:limit=1"))
                .isEqualTo(usual);
        assertThat(drawn("--clamp", "range:limit=0.5")).isNotEqualTo(usual);
        // an untrained network says 0, so only noise on the way shows at which times it was asked
        String noisy = "flow-euler:stochastic=true";
        byte[] even = drawn("--solver", noisy);
        assertThat(even).isNotEqualTo(usual);
        assertThat(drawn("--solver", noisy, "--grid", "flow:shift=3")).isNotEqualTo(even);
        assertThat(drawn("--solver", noisy, "--grid", "times:at=1000,600,200")).isNotEqualTo(even);
    }

    @Test
    void guidance_needs_a_model_that_knows_no_class() {
        model = TinyModel.save(folder.resolve("always"), 8, 0);
        sample("--guidance", "2").refused(2, "--guidance 2.0 needs a model trained with dropped labels");
    }

    @Test
    void a_damaged_checkpoint_is_named_and_nothing_is_drawn() throws Exception {
        Path weights = model.resolve("model.safetensors");
        byte[] all = Files.readAllBytes(weights);
        Files.write(weights, List.of());
        sample().refused(7, "model.safetensors");
        Files.write(weights, java.util.Arrays.copyOf(all, all.length - 100));
        sample().refused(7, "model.safetensors");
        Files.copy(
                TinyModel.save(folder.resolve("wider"), 16, 0.1).resolve("model.safetensors"),
                weights,
                StandardCopyOption.REPLACE_EXISTING);
        sample().refused(7, "another architecture");
        Files.writeString(model.resolve("model.json"), "{\"format\": ");
        sample().refused(7, "model.json cannot be read as the card of a model (line 1, column ");
        Files.delete(model.resolve("model.json"));
        sample().refused(7, "holds no model");
        assertThat(Path.of("samples.png")).doesNotExist();
    }

    @Test
    void a_card_that_does_not_fit_its_network_is_refused() throws Exception {
        Path file = model.resolve("model.json");
        String card = Files.readString(file);
        String classes = card.replaceAll("(?s).*(\"classes\" : \\[[^\\]]*\\]).*", "$1");
        for (String wrong : new String[] {
            "\"classes\" : []", "\"classes\" : null", "\"classes\" : [\"a\", \"b\", null]", "\"classes\" : [\"a\"]"
        }) {
            Files.writeString(file, card.replace(classes, wrong));
            sample("--count", "4").refused(7, "model.json", "classes is");
        }
        Files.writeString(file, card.replaceAll("\"steps\" : 3", "\"steps\" : 2000000000"));
        sample().refused(7, "model.json", "steps is 2000000000, expected between 1 and 10000");
        Files.writeString(file, card.replaceAll("flow-euler", "flow-eulr"));
        sample().refused(7, "model.json", "solver is 'flow-eulr', which is not known; did you mean 'flow-euler'?");
        Files.writeString(file, card.replaceAll("flow-euler", "euler"));
        sample().refused(7, "sampling cannot be planned");
        Files.writeString(file, card.replaceAll("\"guidanceChannels\" : 0", "\"guidanceChannels\" : 2"));
        sample("--guidance", "2").refused(7, "guidance on 2 channels");
    }

    @Test
    void memory_that_runs_out_in_java_has_its_exit_code() {
        sample("--count", "2147483647", "--out", folder.resolve("x.npz").toString())
                .refused(5, "Memory is exhausted");
    }

    @Test
    void a_place_that_cannot_be_written_is_named() {
        sample("--count", "1", "--out", "/proc/none/a.png").refused(9, "/proc/none");
    }
}
