package dev.retort.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.report.ModelColumn.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class ComparisonReportTest {
    private static final Measure FD = Measure.quality(
            "FD-LeNet5fashion@10k", Measure.Better.LOWER, "Fréchet distance of features to real images");

    @TempDir
    Path dir;

    @Test
    void the_page_carries_everything_and_asks_the_network_for_nothing() throws IOException {
        Path file = dir.resolve("out/report.html");
        HtmlReport.write(example(), file);
        String page = Files.readString(file);
        String keep = System.getProperty("retort.keepReport"); // to look at the page by hand
        if (keep != null) {
            Files.writeString(Path.of(keep), page);
        }
        assertThat(page)
                .contains("FD-LeNet5fashion@10k", "Images per second", "data:image/png;base64,")
                .contains("honest zero: teacher at the student&#39;s cost", "honest zero: trained from scratch")
                .contains("./retort compare teacher student", "Loss &lt;b&gt; while training")
                .contains("3.40×", "−76 %", "<polyline")
                .doesNotContain("http://", "https://", "<link", "@import", "Loss <b>");
        assertThat(page.split("<figure class=\"chart\">")).hasSize(3);
        assertThat(page.split("data:image/png")).hasSize(5);
        assertThat(page.indexOf("Samples of teacher")).isLessThan(page.indexOf("Samples of student"));
        assertThat(dir.resolve("out/report.html.tmp")).doesNotExist();
    }

    @Test
    void the_json_keeps_full_precision_and_says_what_every_column_is() {
        JsonNode json = Json.LINE.readTree(example().toJson());
        assertThat(json.at("/models/1/role").asString()).isEqualTo("STUDENT");
        assertThat(json.at("/models/1/values/FD-LeNet5fashion@10k").asDouble()).isEqualTo(5.123456789);
        assertThat(json.at("/models/1/values/Parameters").asDouble()).isEqualTo(2_410_000);
        assertThat(json.at("/charts/0/series/0/y/0").asDouble()).isCloseTo(1.0, within(1.0));
        assertThat(json.at("/provenance/seed").asLong()).isEqualTo(7);
    }

    @Test
    void the_terminal_table_is_aligned_and_shows_a_dash_for_what_was_not_measured() {
        String table = example().toTable().render();
        List<String> lines = table.lines().toList();
        String parameters = lines.stream()
                .filter(line -> line.startsWith("Parameters"))
                .findFirst()
                .orElseThrow();
        String agreement = lines.stream()
                .filter(line -> line.startsWith("ε-MSE"))
                .findFirst()
                .orElseThrow();
        assertThat(parameters).contains("10.0 M", "2.41 M").hasSameSizeAs(agreement);
        assertThat(agreement).contains("–", "0.003100");
        assertThat(lines).noneMatch(line -> line.endsWith(" "));
    }

    @Test
    void models_as_lines_show_distances_and_what_they_cost_in_text_and_in_markdown() {
        String[] markdown = example().toMarkdown().split("\n");
        assertThat(markdown[0]).isEqualTo("| | Time per image | FD-LeNet5fashion@10k | Precision | Class accuracy |");
        assertThat(markdown[1]).isEqualTo("|---|---|---|---|---|");
        assertThat(markdown[3]).isEqualTo("| student | 7.17 ms | 5.123 | 0.7975 | 94.7 % |");
        assertThat(markdown[6]).isEqualTo("| real | – | 0.6100 | – | 92.3 % |");
        assertThat(example().toLines().render())
                .containsPattern("student +7.17 ms +5.123 +0.7975 +94.7 %")
                .doesNotContain("Parameters");
    }

    @Test
    void columns_of_one_model_share_a_line_and_its_colour() {
        assertThat(ModelColumn.line(ModelColumn.inSteps("a", 1))).isEqualTo("a");
        assertThat(ModelColumn.line("a in 16 steps")).isEqualTo("a");
        assertThat(ModelColumn.line("real images")).isEqualTo("real images");
        List<ModelColumn> models = new ArrayList<>();
        for (String name : List.of("teacher", "a in 4 steps", "a in 1 step", "b in 4 steps")) {
            models.add(new ModelColumn(name, Role.VARIANT, "", Map.of(FD, 1.0)));
        }
        double[] calls = {1, 4, 0};
        Chart chart = new Chart("t", "calls", "FD", true, true, List.of(new Chart.Series("b", calls, calls)));
        ComparisonReport report = new ComparisonReport(
                "t", "", models, List.of(), List.of(chart), List.of(), List.of(), Provenance.here("", 0));
        String page = HtmlReport.render(report);
        assertThat(page)
                .contains("swatch c1\"></i>a in 4 steps", "swatch c1\"></i>a in 1 step", "swatch c2\"></i>b in 4 steps")
                .contains("curve c2\" data-name=\"b\" data-values=\"1.000000,1.000 4.000000,4.000\"", "calls (log)");
    }

    @Test
    void two_columns_of_one_name_are_refused() {
        ModelColumn column = new ModelColumn("a", Role.TEACHER, "", Map.of());
        assertThatThrownBy(() -> new ComparisonReport(
                        "t",
                        "s",
                        List.of(column, column),
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(),
                        Provenance.here("x", 0)))
                .hasMessageContaining("named a");
    }

    @Test
    void a_chart_leaves_out_what_it_cannot_draw_and_says_when_it_averages() {
        double[] x = new double[1000];
        double[] y = new double[1000];
        for (int i = 0; i < x.length; i++) {
            x[i] = i;
            y[i] = i == 500 ? Double.NaN : i == 501 ? -1 : 1 + i;
        }
        String svg = new SvgChart(
                        new Chart("t", "x", "y", false, true, List.of(new Chart.Series("s", x, y))), List.of())
                .render();
        assertThat(svg).doesNotContain("NaN", "Infinity").contains("mean of up to 3 logged values");
        String empty = new SvgChart(new Chart("t", "x", "y", false, false, List.of()), List.of()).render();
        assertThat(empty).contains("<svg").doesNotContain("NaN");
    }

    @Test
    void values_are_printed_with_few_digits_and_their_unit() {
        assertThat(Unit.COUNT.format(10_030_000)).isEqualTo("10.0 M");
        assertThat(Unit.COUNT.format(950)).isEqualTo("950");
        assertThat(Unit.SECONDS.format(0.01234)).isEqualTo("12.3 ms");
        assertThat(Unit.BYTES.format(325_058_560)).isEqualTo("310 MiB");
        assertThat(Unit.PERCENT.format(0.9241)).isEqualTo("92.4 %");
        assertThat(Unit.SCORE.format(0.376765074)).isEqualTo("0.3768");
        assertThat(Unit.SCORE.format(-4.4e-16)).isEqualTo("-4.400e-16");
        assertThat(Unit.SCORE.format(Double.NaN)).isEqualTo("n/a");
    }

    @Test
    void provenance_names_machine_and_commit() throws IOException {
        Provenance here = Provenance.here("./retort demo", 3);
        assertThat(here.cores()).isPositive();
        assertThat(here.memoryBytes()).isPositive();
        assertThat(here.toMap()).containsEntry("command", "./retort demo").containsEntry("seed", 3L);

        Path git = Files.createDirectories(dir.resolve("repo/.git"));
        Files.writeString(git.resolve("HEAD"), "ref: refs/heads/main\n");
        Files.writeString(git.resolve("packed-refs"), "# pack-refs\n0123abcd refs/heads/main\n");
        assertThat(Provenance.headCommit(git)).contains("0123abcd");
    }

    private static ComparisonReport example() {
        List<ModelColumn> models = List.of(
                column(
                        "teacher",
                        Role.TEACHER,
                        "DiT 12×256, UniPC 20 steps, guidance 1.5",
                        10_030_000,
                        41,
                        4.98,
                        0.953),
                column(
                        "student",
                        Role.STUDENT,
                        "DiT 8×144, UniPC 20 steps, guidance 1.5",
                        2_410_000,
                        139.4,
                        5.123456789,
                        0.947),
                column(
                        "teacher, 6 steps",
                        Role.TEACHER_AT_STUDENT_COST,
                        "DiT 12×256, UniPC 6 steps",
                        10_030_000,
                        137,
                        9.4,
                        0.91),
                column(
                        "from scratch",
                        Role.STUDENT_FROM_SCRATCH,
                        "DiT 8×144, same images seen",
                        2_410_000,
                        139.1,
                        8.31,
                        0.9),
                new ModelColumn(
                        "real", Role.REAL, "train against test", Map.of(FD, 0.61, Measure.CLASS_ACCURACY, 0.9231)));
        List<SampleGrid> grids = List.of(
                new SampleGrid(
                        "Same noise, same classes",
                        "Guidance 1.5, seed 7, not picked by hand.",
                        List.of("T-shirt", "Trouser", "Pullover", "Dress", "Coat"),
                        List.of(
                                new SampleGrid.Pane("teacher", Pictures.png(128, 80, 1)),
                                new SampleGrid.Pane("student", Pictures.png(128, 80, 2)))),
                new SampleGrid(
                        "The honest zeros",
                        "What the student has to beat.",
                        List.of(),
                        List.of(
                                new SampleGrid.Pane("teacher, 6 steps", Pictures.png(128, 80, 3)),
                                new SampleGrid.Pane("from scratch", Pictures.png(128, 80, 4)))));
        return new ComparisonReport(
                "Fashion-MNIST: a teacher and its student",
                "The student has 24 % of the teacher's parameters and draws 3.4 times as many images a second.",
                models,
                grids,
                List.of(
                        new Chart(
                                "Loss <b> while training",
                                "images seen",
                                "loss",
                                false,
                                true,
                                List.of(
                                        curve("teacher", 1200, 0.02, 1),
                                        curve("student", 1200, 0.028, 2),
                                        curve("from scratch", 1200, 0.035, 3))),
                        new Chart(
                                "ε-MSE by time",
                                "time (0 data, 1 noise)",
                                "mean squared error",
                                false,
                                false,
                                List.of(curve("student", 10, 0.2, 4), curve("from scratch", 10, 0.3, 5)))),
                List.of(
                        "FD-LeNet5fashion@10k: 10 000 samples against 10 000 test images, extractor sha256 0123…; the floor stands in the last column.",
                        "Precision rises for blurred images, so never read it alone."),
                List.of(
                        "./retort train fashion-teacher",
                        "./retort distill fashion-student",
                        "./retort compare teacher student"),
                Provenance.here("./retort compare teacher student", 7));
    }

    private static ModelColumn column(
            String name, Role role, String description, double parameters, double speed, double fd, double accuracy) {
        Map<Measure, Double> values = new LinkedHashMap<>();
        values.put(Measure.PARAMETERS, parameters);
        values.put(Measure.MACS, parameters * 62);
        values.put(Measure.SECONDS_PER_IMAGE, 1 / speed);
        values.put(Measure.IMAGES_PER_SECOND, speed);
        values.put(Measure.PEAK_MEMORY, parameters * 33);
        values.put(FD, fd);
        values.put(
                Measure.quality("Precision", Measure.Better.HIGHER, "generated images that look real"), 0.9 - fd / 50);
        values.put(Measure.CLASS_ACCURACY, accuracy);
        if (role != Role.TEACHER) {
            values.put(Measure.EPS_MSE, role == Role.STUDENT ? 0.0031 : 0.0089);
        }
        return new ModelColumn(name, role, description, values);
    }

    private static Chart.Series curve(String name, int points, double end, long seed) {
        Random random = new Random(seed);
        List<double[]> xy = new ArrayList<>();
        for (int i = 0; i < points; i++) {
            double share = (i + 0.5) / points;
            xy.add(new double[] {
                points > 100 ? share * 4e6 : share, end + Math.exp(-9 * share) * (0.8 + 0.1 * random.nextGaussian())
            });
        }
        return new Chart.Series(
                name,
                xy.stream().mapToDouble(p -> p[0]).toArray(),
                xy.stream().mapToDouble(p -> p[1]).toArray());
    }
}
