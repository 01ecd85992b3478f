package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Teacher, student, evaluation and comparison as a user runs them, on networks of a few thousand weights. */
class WholePathTest {
    @TempDir
    private static Path folder;

    private static Path teacher;
    private static Path student;
    private static Ran distilled;

    @BeforeAll
    static void trainAndDistil() throws Exception {
        teacher = folder.resolve("teacher");
        student = folder.resolve("student");
        Ran trained = Ran.retort("train", copy("tiny.yaml").toString(), "--run", teacher.toString());
        trained.good();
        distilled = distill(student);
        distilled.good();
    }

    private static Path copy(String resource) throws Exception {
        Path file = folder.resolve(resource);
        try (InputStream in = WholePathTest.class.getResourceAsStream("/" + resource)) {
            Files.write(file, in.readAllBytes());
        }
        return file;
    }

    private static Ran distill(Path run, String... more) throws Exception {
        List<String> command =
                new ArrayList<>(List.of("distill", copy("tiny-recipe.yaml").toString()));
        command.addAll(List.of("--run", run.toString(), "--set", "teacher.model=" + teacher));
        command.addAll(List.of(more));
        return Ran.retort(command.toArray(String[]::new));
    }

    private static Ran judged(String command, String... more) {
        List<String> all =
                new ArrayList<>(List.of(command, "--samples", "80", "--extractor", "pixels", "--rounds", "0"));
        all.addAll(List.of("--device", "cpu", "--precision", "fp32"));
        all.addAll(List.of(more));
        return Ran.retort(all.toArray(String[]::new));
    }

    @Test
    void distilling_ends_by_naming_the_student_and_the_comparison_to_make() {
        assertThat(distilled.out().strip()).isEqualTo(student.resolve("model").toString());
        assertThat(distilled.err())
                .contains("% of the teacher's")
                .endsWith("Next: retort compare " + teacher + " " + student + "\n");
    }

    @Test
    void teacher_and_student_of_the_demo_fit_together() {
        Path large = folder.resolve("demo-teacher");
        Ran trained = Ran.retort("train", "shapes-teacher", "--run", large.toString(), "--set", "images=32");
        trained.good();
        List<String> distill = new ArrayList<>(List.of("distill", "shapes-student"));
        distill.addAll(List.of("--run", folder.resolve("demo-student").toString(), "--set", "teacher.model=" + large));
        distill.addAll(List.of("--set", "stages.0.images=32"));
        Ran ran = Ran.retort(distill.toArray(String[]::new));
        ran.good();
    }

    @Test
    void a_dry_run_of_a_recipe_counts_the_images_of_its_stages() throws Exception {
        Ran ran = distill(folder.resolve("never"), "--dry-run");
        ran.good();
        assertThat(ran.err()).contains("32 images in 4 optimiser steps");
        assertThat(ran.out()).contains("type: output").contains("model: " + teacher);
        assertThat(folder.resolve("never")).doesNotExist();
    }

    @Test
    void what_distilling_would_refuse_or_say_a_dry_run_does_too() throws Exception {
        String feature = "{type: feature, from: 1, to: 1, map: %s, normalise: true, outlierStd: 0}";
        String alone = "stages=[{name: alone, images: 8, losses: [" + feature.formatted("0-0") + "]}]";
        distill(folder.resolve("never"), "--dry-run", "--set", alone).refused(3, "output layer would never be trained");
        distill(folder.resolve("never"), "--set", alone).refused(3, "output layer would never be trained");
        String absent = "stages=[{name: absent, images: 8, losses: [" + feature.formatted("0-7") + "]}]";
        distill(folder.resolve("never"), "--dry-run", "--set", absent).refused(3, "teacher block 7");
        String first = "{name: first, images: 8, losses: [{type: diffusion, from: 1, to: 1}]}";
        Ran ran = distill(
                folder.resolve("never"),
                "--dry-run",
                "--set",
                "stages=[" + first + ", {name: then, images: 8, losses: [" + feature.formatted("0-0") + "]}]");
        ran.good();
        assertThat(ran.err()).contains("stage then does not look at the output: the output layer stays as it is");
        assertThat(folder.resolve("never")).doesNotExist();
    }

    @Test
    void a_recipe_without_its_teacher_says_so_and_leaves_nothing() throws Exception {
        Ran ran = distill(folder.resolve("never"), "--set", "teacher.model=no-such-run");
        assertThat(ran.exitCode()).isEqualTo(7);
        assertThat(ran.err()).contains("no-such-run does not exist");
        assertThat(distill(folder.resolve("never"), "--set", "stages.1.losses.1.space=velocity")
                        .err())
                .contains("stages.1.losses.1.space is 'velocity'");
        assertThat(folder.resolve("never")).doesNotExist();
    }

    @Test
    void evaluating_finds_the_data_of_the_run_and_as_json_prints_nothing_else_on_stdout() {
        Ran ran = judged("evaluate", student.toString(), "--json");
        ran.good();
        JsonNode report = new JsonMapper().readTree(ran.out());
        assertThat(report.get("models").get(0).get("name").asString()).isEqualTo("student");
        assertThat(ran.out()).contains("FD-PixelPCA64@80").contains("real images");
        assertThat(ran.err()).contains("Speed and memory were not measured").contains("Next: retort compare");
    }

    @Test
    void comparing_writes_a_page_and_names_both_honest_zeros() {
        Path out = folder.resolve("compared");
        Ran ran = judged(
                "compare",
                teacher.toString(),
                student.toString(),
                "--scratch",
                teacher.resolve("model").toString(),
                "--out",
                out.toString());
        ran.good();
        assertThat(ran.out())
                .contains("teacher in 1 step")
                .contains("teacher 2")
                .contains("real images");
        assertThat(out.resolve("compare.html")).isNotEmptyFile();
        assertThat(out.resolve("compare.json")).isNotEmptyFile();
        assertThat(ran.err()).contains("compare.html");
    }

    @Test
    void judging_refuses_what_it_cannot_judge() {
        assertThat(judged("evaluate", student.toString(), "--samples", "5").exitCode())
                .isEqualTo(2);
        assertThat(judged("evaluate", folder.resolve("nowhere").toString()).exitCode())
                .isEqualTo(7);
        assertThat(judged(
                                "evaluate",
                                student.toString(),
                                "--data",
                                folder.resolve("nowhere").toString())
                        .exitCode())
                .isEqualTo(6);
        assertThat(judged("compare", teacher.toString()).exitCode()).isEqualTo(2);
    }
}
