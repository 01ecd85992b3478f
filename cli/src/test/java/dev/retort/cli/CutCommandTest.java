package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class CutCommandTest {
    @TempDir
    private Path folder;

    private String teacher;
    private String out;

    @BeforeEach
    void save() {
        teacher = TinyModel.textToImage(folder.resolve("teacher")).toString();
        out = folder.resolve("student").toString();
    }

    @Test
    void it_writes_the_student_and_says_what_is_left_of_size_and_time() {
        Ran ran = Ran.retort("cut", teacher, "--layout", "small", "--out", out).good();
        assertThat(ran.out())
                .containsPattern("parameters \\(M\\) +[0-9.]+ +[0-9.]+ +[0-9.]+ %")
                .containsPattern("MACs of a step \\(M\\) +[0-9.]+ +[0-9.]+ +[0-9.]+ %")
                .containsPattern("step of four pictures \\(ms\\) +[0-9.]+ +[0-9.]+ +[0-9.]+ %");
        assertThat(ran.err()).contains("is untrained").contains("Next: retort inspect " + out);
        assertThat(Ran.retort("inspect", out).good().out()).contains("a text encoder");
    }

    @Test
    void a_dry_run_writes_nothing_and_a_file_names_blocks_by_number() throws IOException {
        Path file = folder.resolve("blocks.yaml");
        Files.writeString(file, """
                levels:
                  - down: [{block: 0, layers: []}]
                    up: [{block: 0, layers: []}, {block: 2, layers: []}]
                  - down: [{block: 0, layers: [0]}, {block: 1, layers: [0]}]
                    up: [{block: 0, layers: [0]}, {block: 1, layers: [0]}, {block: 2, layers: [0]}]
                middle: [0]
                """);
        JsonNode result = new JsonMapper()
                .readTree(Ran.retort("cut", teacher, "--layout", file.toString(), "--dry-run", "--json")
                        .good()
                        .out());
        assertThat(result.get("after").get("parameters").asLong())
                .isLessThan(result.get("before").get("parameters").asLong());
        assertThat(result.get("layout").get("middle").get(0).asInt()).isZero();
        assertThat(folder.resolve("student")).doesNotExist();
        Files.writeString(file, Files.readString(file).replace("{block: 2, layers: []}", "{block: 3, layers: []}"));
        Ran.retort("cut", teacher, "--layout", file.toString(), "--dry-run")
                .refused(3, "levels.0.up is [0, 3], expected rising numbers from 0 to 2");
        Files.writeString(file, Files.readString(file) + "height: 2\n");
        Ran.retort("cut", teacher, "--layout", file.toString(), "--dry-run").refused(3, "height");
    }

    @Test
    void what_cannot_be_cut_is_refused() {
        Ran.retort("cut", teacher, "--layout", "tinny", "--out", out)
                .refused(2, "layout is tinny, expected whole, base, small, tiny or a YAML file", "option --layout");
        Ran.retort("cut", teacher, "--out", out).refused(3, "nothing would be left out");
        Ran.retort("cut", teacher, "--layout", "base").refused(2, "give --out, or --dry-run");
        Ran.retort("cut", teacher, "--channels", "0.3", "--out", out).refused(3, "channels is 0.3");
        Ran.retort("cut", teacher, "--layers", "1", "--out", out).refused(3, "layers is 1, expected at most 0");
        String dit = TinyModel.trained(folder.resolve("dit")).toString();
        Ran.retort("cut", dit, "--layout", "base", "--out", out).refused(7, "is not cut by blocks of a U-Net");
        assertThat(Path.of(out)).doesNotExist();
    }
}
