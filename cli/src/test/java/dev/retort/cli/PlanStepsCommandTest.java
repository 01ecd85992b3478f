package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class PlanStepsCommandTest {
    @TempDir
    private Path folder;

    private Path model;

    @BeforeEach
    void save() {
        model = TinyModel.save(folder.resolve("model"), 8, 0.1);
    }

    private Ran plan(String... options) {
        List<String> command = new ArrayList<>(List.of("plan-steps", model.toString(), "--device", "cpu"));
        command.addAll(List.of("--fine", "12", "--count", "5", "--most", "4"));
        command.addAll(List.of(options));
        return Ran.retort(command.toArray(String[]::new));
    }

    @Test
    void every_number_of_steps_has_a_grid_no_worse_than_its_path_and_judged_on_other_noises() throws Exception {
        Path out = folder.resolve("plan.json");
        JsonNode result = new JsonMapper()
                .readTree(plan("--json", "--out", out.toString()).good().out());
        assertThat(result.get("grids")).hasSize(4);
        for (int i = 0; i < 4; i++) {
            JsonNode grid = result.get("grids").get(i);
            assertThat(grid.get("steps").asInt()).isEqualTo(i + 1);
            assertThat(grid.get("grid").asString().split(",")).hasSize(i + 1);
            assertThat(grid.get("grid").asString()).startsWith("times:at=1");
            assertThat(grid.get("error").asDouble())
                    .isPositive()
                    .isLessThanOrEqualTo(grid.get("errorOfPath").asDouble());
        }
        JsonNode one = result.get("grids").get(0).get("judged");
        assertThat(one.get("searched").asDouble()).isCloseTo(one.get("even").asDouble(), within(1e-6));
        assertThat(result.get("grids").get(2).get("judged")).isEmpty();
        assertThat(new JsonMapper().readTree(Files.readString(out)).get("grids"))
                .isEqualTo(result.get("grids"));
    }

    @Test
    void a_grid_that_it_prints_is_taken_by_sample_and_a_budget_gives_the_stages() {
        Ran ran = plan("--budget", "2").good();
        assertThat(ran.out())
                .contains(
                        "- {name: steps-4, teacher: baked, images: 48000, losses: [{type: progressive, steps: 4, ratio: 4}]}")
                .contains(
                        "- {name: steps-2, teacher: steps-4, images: 48000, losses: [{type: progressive, steps: 2, ratio: 2}]}");
        String next = ran.err()
                .substring(ran.err().indexOf("Next: retort sample ") + 13)
                .strip();
        List<String> sample = new ArrayList<>(List.of(next.split(" ")));
        sample.addAll(List.of("--count", "2", "--out", folder.resolve("s.png").toString(), "--device", "cpu"));
        Ran.retort(sample.toArray(String[]::new)).good();
        assertThat(folder.resolve("s.png")).isNotEmptyFile();
    }

    @Test
    void what_cannot_be_planned_is_refused_in_a_sentence() {
        plan("--solver", "flow-heun").refused(2, "takes several calls a step");
        plan("--solver", "lcm").refused(2, "adds noise in its steps");
        plan("--budget", "13").refused(2, "--budget 13 is above --most 4");
    }
}
