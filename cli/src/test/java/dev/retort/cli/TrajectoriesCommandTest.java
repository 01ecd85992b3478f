package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.data.Trajectories;
import dev.retort.io.NpyArray;
import dev.retort.io.NpzFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TrajectoriesCommandTest {
    private static final int SIZE = 8 * 8;

    @TempDir
    private Path folder;

    private Path model;
    private Path out;

    @BeforeEach
    void save() {
        model = TinyModel.save(folder.resolve("model"), 8, 0.1);
        out = folder.resolve("kept");
    }

    private Ran trajectories(String... options) {
        List<String> command = new ArrayList<>(List.of("trajectories", model.toString(), "--device", "cpu"));
        command.addAll(List.of("--count", "7", "--shard", "4", "--batch", "3", "--out", out.toString()));
        command.addAll(List.of(options));
        return Ran.retort(command.toArray(String[]::new));
    }

    @Test
    void it_samples_as_the_card_says_but_in_16_steps_and_says_what_is_kept() {
        Ran ran = trajectories("--json").good();
        JsonNode result = new JsonMapper().readTree(ran.out());
        assertThat(result.get("count").asInt()).isEqualTo(7);
        assertThat(result.get("states").asInt()).isEqualTo(17);
        assertThat(result.get("files").asInt()).isEqualTo(2);
        assertThat(result.get("solver").asString()).isEqualTo("flow-euler");
        assertThat(ran.err())
                .contains("16 network calls for each trajectory")
                .contains("7 trajectories of 17 states of 1 x 8 x 8")
                .contains("Next: retort sample " + model + " --solver flow-euler --steps 16 --guidance 1.0 --seed 0");
        assertThat(out.resolve("trajectories-00001-of-00002.safetensors")).isNotEmptyFile();
        Ran again = trajectories();
        assertThat(again.good().out().strip()).isEqualTo(out.toString());
        assertThat(again.err()).contains("2 of 2 files are there");
    }

    @Test
    void the_last_states_are_the_pictures_that_sample_draws_of_the_same_seed() {
        trajectories("--seed", "5", "--steps", "3", "--guidance", "2", "--solver", "flow-heun")
                .good();
        Path npz = folder.resolve("s.npz");
        Ran.retort(
                        "sample",
                        model.toString(),
                        "--device",
                        "cpu",
                        "--precision",
                        "fp32",
                        "--count",
                        "7",
                        "--seed",
                        "5",
                        "--steps",
                        "3",
                        "--guidance",
                        "2",
                        "--solver",
                        "flow-heun",
                        "--out",
                        npz.toString())
                .good();
        Trajectories kept = Trajectories.open(out);
        float[] state = new float[SIZE];
        try (NpzFile file = NpzFile.open(npz)) {
            NpyArray pictures = file.array("arr_0");
            assertThat(pictures.shape()).containsExactly(7, 8, 8, 3);
            for (int i = 0; i < 7; i++) {
                assertThat(kept.label(i)).isEqualTo(i % 3);
                kept.read(i, 3, state, 0);
                for (int p = 0; p < SIZE; p++) {
                    double grey = Math.min(255, Math.max(0, 127.5 * (state[p] + 1)));
                    assertThat((double) (pictures.bytes()[3 * (SIZE * i + p)] & 0xff))
                            .isCloseTo(grey, within(1.0));
                }
            }
        }
    }

    @Test
    void other_settings_and_solvers_that_add_noise_are_refused_in_a_sentence() {
        trajectories("--steps", "2").good();
        trajectories("--steps", "2", "--seed", "1")
                .refused(6, "seed is 0 there, 1 here", "another folder", "(option --out)");
        trajectories("--solver", "flow-euler:stochastic=true").refused(2, "adds noise in its steps");
        trajectories("--solver", "heun").refused(2, "heun");
        trajectories("--shard", "0").refused(2, "--shard");
        Ran.retort("trajectories", folder.resolve("no").toString()).refused(7, "does not exist");
    }

    @Test
    void a_teacher_of_texts_is_told_those_of_a_file_in_turn() throws Exception {
        String words = TinyModel.textToImage(folder.resolve("words")).toString();
        Path texts = Files.writeString(folder.resolve("texts.txt"), "a circle\na square of a circle of a square\n");
        Ran ran = Ran.retort(
                        "trajectories",
                        words,
                        "--device",
                        "cpu",
                        "--count",
                        "5",
                        "--shard",
                        "4",
                        "--steps",
                        "2",
                        "--prompts",
                        texts.toString(),
                        "--out",
                        out.toString())
                .good();
        assertThat(ran.err())
                .contains("texts: 2 different ones, the first \"a circle\"")
                .contains("Warning: the model reads no more than the beginning of 1 of them, such as \"a square of")
                .contains("--seed 0 --prompt 'a circle'");
        assertThat(Trajectories.open(out).prompts(3, 4).texts())
                .containsExactly("a square of a circle of a square", "a circle");
        Ran.retort("trajectories", words, "--data", folder + "/no", "--device", "cpu", "--out", folder + "/never")
                .refused(6, "/no, where there is nothing");
        Ran.retort("trajectories", words, "--data", "x", "--prompts", texts.toString(), "--device", "cpu")
                .refused(2, "--data and --prompts both say what to show");
        trajectories("--prompts", texts.toString()).refused(2, "names texts, but " + model + " is told classes");
        Ran.retort("plan-steps", words, "--device", "cpu", "--fine", "8", "--count", "2", "--most", "2")
                .good();
    }
}
