package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class CompareCommandTest {
    private static final int IMAGES = 120;

    @TempDir
    private Path folder;

    private String teacher;
    private String student;
    private String data;

    @BeforeEach
    void world() throws IOException {
        teacher = TinyModel.save(folder.resolve("teacher"), 32, 0.1).toString();
        student = TinyModel.save(folder.resolve("student"), 8, 0.1).toString();
        data = pictures(folder.resolve("pictures")).toString();
    }

    /** Noise in three classes, 8 x 8: what is scored does not matter here. */
    static Path pictures(Path folder) throws IOException {
        Files.createDirectories(folder);
        for (String split : List.of("train", "t10k")) {
            byte[] pixels = new byte[IMAGES * 64];
            new Random(split.length()).nextBytes(pixels);
            Files.write(
                    folder.resolve(split + "-images-idx3-ubyte"),
                    ByteBuffer.allocate(16 + pixels.length)
                            .putInt(0x803)
                            .putInt(IMAGES)
                            .putInt(8)
                            .putInt(8)
                            .put(pixels)
                            .array());
            ByteBuffer labels = ByteBuffer.allocate(8 + IMAGES).putInt(0x801).putInt(IMAGES);
            for (int i = 0; i < IMAGES; i++) {
                labels.put((byte) (i % 3));
            }
            Files.write(folder.resolve(split + "-labels-idx1-ubyte"), labels.array());
        }
        return folder;
    }

    private Ran run(String... words) {
        return Ran.retort(Stream.concat(Stream.of(words), Stream.of("--device", "cpu", "--precision", "fp32"))
                .toArray(String[]::new));
    }

    @Test
    void a_comparison_is_a_table_a_file_and_a_page() throws IOException {
        Path out = folder.resolve("out");
        Ran ran = run(
                "compare",
                teacher,
                student,
                "--data",
                data,
                "--samples",
                "80",
                "--rounds",
                "0",
                "--out",
                out.toString());
        ran.good();
        assertThat(ran.out())
                .contains("FD-PixelPCA64@80", "FD-RandomConv@80", "FD-RandomPatch@80", "Near copies")
                .contains("teacher", "student", "real images", "of the parameters of teacher")
                .doesNotContain("FID");
        assertThat(ran.err()).contains("compare.html");
        assertThat(Files.readString(out.resolve("compare.html"))).startsWith("<!");
        JsonNode json = JsonMapper.builder().build().readTree(Files.readString(out.resolve("compare.json")));
        assertThat(json.at("/models/0/values/FD-PixelPCA64@80").asDouble()).isPositive();
        assertThat(json.at("/commands/0").asString()).startsWith("retort compare ");
    }

    @Test
    void an_evaluation_as_json_is_json_alone_and_has_the_floor() {
        Ran ran = run("evaluate", student, "--data", data, "--samples", "70", "--steps", "2", "--json");
        ran.good();
        JsonNode json = JsonMapper.builder().build().readTree(ran.out());
        assertThat(json.at("/models/0/description").asString()).contains("flow-euler 2 steps");
        assertThat(json.at("/models/1/name").asString()).isEqualTo("real images");
        assertThat(json.at("/models/1/values/FD-PixelPCA64@70").asDouble())
                .isLessThan(json.at("/models/0/values/FD-PixelPCA64@70").asDouble());
    }

    /** In this process, where it is judged, and in the one where its cost is measured. */
    @Test
    void a_student_of_three_steps_is_judged_and_measured_in_two_where_it_is_forced() throws IOException {
        Path card = Path.of(student, "model.json");
        String bound = Files.readString(card).replace("\"steps\" : [ ]", "\"steps\" : [ 3 ]");
        bound = bound.replace("\"solver\" : null", "\"solver\" : \"flow-euler\"");
        Files.writeString(card, bound.replace("\"grid\" : null", "\"grid\" : \"default\""));
        String[] words = {"evaluate", student, "--data", data, "--samples", "70", "--steps", "2", "--rounds", "1"};
        run(words).refused(2, "--steps is 2, but the model was trained for 3 steps alone");
        run("evaluate", student + "@3,1").refused(2, "--steps is 1, but the model was trained for 3 steps alone");
        Ran forced = run(Stream.concat(Stream.of(words), Stream.of("--force")).toArray(String[]::new));
        assertThat(forced.good().out()).contains("Images per second").containsPattern("Network calls +2 ");
        assertThat(forced.err()).contains("Warning: steps is 2");
    }

    @Test
    void numbers_of_steps_behind_a_model_are_a_line_each() throws IOException {
        String few = "--samples=80,--rounds=0,--extractor=pixels,random,--data=" + data;
        String[] words = few.split(",(?=--)");
        Ran alone = run(Stream.concat(Stream.of("evaluate", student + "@3,1"), Stream.of(words))
                .toArray(String[]::new));
        alone.good();
        assertThat(alone.out().lines().toList())
                .anyMatch(line -> line.startsWith("student in 3 steps"))
                .anyMatch(line -> line.startsWith("student in 1 step "))
                .anyMatch(line -> line.startsWith("real images"));
        Path out = folder.resolve("lines");
        Ran both = run(Stream.concat(
                        Stream.of("compare", teacher, student + "@3,1", student, "--out", out.toString()),
                        Stream.of(words))
                .toArray(String[]::new));
        both.good();
        JsonNode json = JsonMapper.builder().build().readTree(Files.readString(out.resolve("compare.json")));
        assertThat(json.at("/models/2/name").asString()).isEqualTo("student in 1 step");
        assertThat(json.at("/models/3/name").asString()).isEqualTo("student 2");
        assertThat(json.at("/models/3/description").asString())
                .contains("flow-euler 3 steps"); // the card's, as the teacher's
        assertThat(json.at("/charts/1/title").asString()).isEqualTo("FD-RandomConv@80 over network calls");
        assertThat(Files.readString(out.resolve("compare.html"))).contains("over network calls");
        assertThat(both.err()).endsWith("Next: retort sample " + student + "\n");
    }

    @Test
    void what_stands_behind_an_at_is_steps_a_revision_or_part_of_a_name() throws IOException {
        assertThat(StepCounts.of("runs/a@8,4,4")).isEqualTo(new StepCounts("runs/a", List.of(8, 4)));
        assertThat(StepCounts.of("runs/a@b").steps()).isEmpty();
        assertThat(StepCounts.of("hf:o/n@4")).isEqualTo(new StepCounts("hf:o/n@4", List.of()));
        assertThat(StepCounts.of("hf:o/n@main@4")).isEqualTo(new StepCounts("hf:o/n@main", List.of(4)));
        String named = Files.createDirectories(folder.resolve("a@4")).toString();
        assertThat(StepCounts.of(named)).isEqualTo(new StepCounts(named, List.of()));
        run("evaluate", student + "@0").refused(2, "steps is 0");
        run("evaluate", student, "--data", data, "--samples", "80", "--extractor", "random,random")
                .refused(2, "RandomConv as one before it", "(option --extractor)");
    }

    @Test
    void two_models_of_one_folder_name_get_names_of_their_own() {
        Ran ran = run(
                "compare",
                student,
                student,
                "--data",
                data,
                "--samples",
                "80",
                "--rounds",
                "0",
                "--out",
                folder.resolve("out").toString());
        ran.good();
        assertThat(ran.out()).contains("student 2");
    }

    @Test
    void what_cannot_be_compared_is_refused_in_a_sentence() throws IOException {
        run("evaluate", folder.resolve("nothing").toString()).refused(7, "does not exist");
        Path card = Path.of(teacher, "model.json");
        Files.writeString(card, Files.readString(card).replace("\"shapes\"", "\"elsewhere/train\""));
        run("evaluate", teacher).refused(2, "(elsewhere/train)", "--data");
        run("evaluate", student, "--data", folder.resolve("nowhere").toString()).refused(6, "there is nothing");
        run("evaluate", student, "--data", data, "--samples", "64")
                .refused(2, "64 samples are too few", "(option --samples)");
        run("evaluate", student, "--data", data, "--extractor", "r20cifat").refused(2, "r20cifat", "fashion");
        run("evaluate", student, "--data", data, "--solver", "eular").refused(2, "eular");
        run("evaluate", student, "--data", data, "--steps", "0").refused(2, "--steps is 0");
        run("compare", student, student, "--data", data, "--rounds", "-1").refused(2, "--rounds is -1");
        run("compare", teacher).refused(2, "STUDENT");
    }

    @Test
    void an_extractor_for_other_images_is_refused() throws IOException {
        Path preset = folder.resolve("tiny.yaml");
        Files.writeString(preset, """
                name: CNNtiny
                images: 32
                seed: 1
                batch: 16
                data: {kind: shapes, path: '', split: train, size: 16, flip: false}
                shift: 0
                stages: [[4]]
                optimizer: {lr: 0.01, schedule: constant, warmupImages: 0, beta1: 0.9, beta2: 0.99, eps: 0.00000001, weightDecay: 0, clip: 0}
                device: cpu
                precision: fp32
                """);
        Path out = folder.resolve("classifier");
        Ran trained = Ran.retort("train-classifier", preset.toString(), "--run", out.toString(), "--json");
        trained.good();
        JsonNode card = JsonMapper.builder().build().readTree(trained.out());
        assertThat(card.at("/metrics/testAccuracy").asDouble()).isBetween(0.0, 1.0);
        assertThat(card.at("/provenance/command").asString()).startsWith("retort train-classifier ");
        run("evaluate", student, "--data", data, "--samples", "80", "--extractor", out.toString())
                .refused(6, "3x16x16", "1x8x8");
        Ran.retort("train-classifier", "fashon").refused(3, "fashon", "fashion");
    }
}
