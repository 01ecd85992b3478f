package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;
import static org.assertj.core.api.InstanceOfAssertFactories.DOUBLE;

import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.TrainedFor;
import dev.retort.data.DataConfig;
import dev.retort.error.RetortException;
import dev.retort.pipeline.ImageCodec;
import dev.retort.report.Chart;
import dev.retort.report.ComparisonReport;
import dev.retort.report.Measure;
import dev.retort.report.ModelColumn;
import dev.retort.report.ModelColumn.Role;
import dev.retort.report.Progress;
import dev.retort.report.Provenance;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComparisonTest {
    @TempDir
    Path temp;

    private DataConfig data;
    private Candidate teacher;
    private Candidate student;
    private Candidate scratch;

    @BeforeEach
    void world() {
        data = TinyWorld.pictures(temp.resolve("pictures"));
        teacher = TinyWorld.candidate(TinyWorld.model(temp.resolve("teacher"), 3, 32, ProcessSpec.flow()));
        student = TinyWorld.candidate(TinyWorld.model(temp.resolve("student"), 2, 16, ProcessSpec.flow()));
        scratch = TinyWorld.candidate(TinyWorld.model(temp.resolve("alone"), 1, 16, ProcessSpec.flow()));
    }

    private Evaluator evaluator(int samples, int batch) {
        return Evaluator.of(
                data,
                List.of("pixels"),
                new FeatureCache(temp.resolve("cache")),
                new Evaluator.Settings(samples, 5, batch, Device.CPU, Precision.FP32));
    }

    private static final Measurement NONE = new Measurement(4, 0, 1, "cpu", Precision.FP32, 0);

    @Test
    void it_has_a_column_for_everybody_and_both_honest_zeros() throws Exception {
        List<Long> done = new ArrayList<>();
        ComparisonReport report;
        try (Evaluator evaluator = evaluator(100, 32)) {
            report = new Comparison(teacher, List.of(student), List.of(scratch))
                    .report(
                            evaluator,
                            NONE,
                            List.of("retort compare a b"),
                            Provenance.here("retort compare a b", 5),
                            (d, total, text) -> done.add(d * 1000 / total));
        }
        assertThat(report.models())
                .extracting(ModelColumn::role)
                .containsExactly(
                        Role.TEACHER, Role.STUDENT, Role.TEACHER_AT_STUDENT_COST, Role.STUDENT_FROM_SCRATCH, Role.REAL);
        assertThat(done).isSorted().last().isEqualTo(1000L);
        Measure frechet = report.measures().stream()
                .filter(measure -> measure.name().equals("FD-PixelPCA64@100"))
                .findFirst()
                .orElseThrow();
        ModelColumn floor = report.first(Role.REAL).orElseThrow();
        for (ModelColumn model : report.models()) {
            assertThat(model.value(frechet).orElseThrow())
                    .isGreaterThanOrEqualTo(floor.value(frechet).orElseThrow());
        }
        ModelColumn cheap = report.first(Role.TEACHER_AT_STUDENT_COST).orElseThrow();
        ModelColumn small = report.first(Role.STUDENT).orElseThrow();
        assertThat(cheap.value(Cost.MACS_PER_IMAGE).orElseThrow())
                .isLessThanOrEqualTo(small.value(Cost.MACS_PER_IMAGE).orElseThrow());
        assertThat(small.value(Measure.EPS_MSE).orElseThrow()).isPositive();
        assertThat(report.grids().get(0).panes()).hasSize(4);
        assertThat(report.notes())
                .anyMatch(note -> note.contains("at the cost of student"))
                .anyMatch(note -> note.contains("without a teacher on 640 images"))
                .anyMatch(note -> note.contains("not measured"));
        assertThat(report.toTable().render()).doesNotContain("FID");
        Path page = Comparison.save(report, temp.resolve("out"));
        assertThat(Files.readString(page)).contains("FD-PixelPCA64@100").contains("teacher in ");
        assertThat(temp.resolve("out/compare.json")).exists();
    }

    @Test
    void a_model_compared_with_itself_agrees_with_it_everywhere() {
        try (Evaluator evaluator = evaluator(100, 32);
                var a = evaluator.load(teacher);
                var b = evaluator.load(teacher);
                var c = evaluator.load(student);
                var pixels = ImageCodec.of(a.card(), Device.CPU)) {
            assertThat(evaluator.agreement(a, b, pixels).means()).containsOnly(0.0);
            assertThat(Arrays.stream(evaluator.agreement(a, c, pixels).means())).allMatch(mean -> mean > 0);
        }
    }

    @Test
    void the_batch_changes_no_score() {
        try (Evaluator one = evaluator(80, 32);
                Evaluator other = evaluator(80, 7)) {
            Evaluation a = one.evaluate(student, Progress.NONE);
            Evaluation b = other.evaluate(student, Progress.NONE);
            assertThat(b.quality().frechet().value())
                    .isCloseTo(a.quality().frechet().value(), org.assertj.core.api.Assertions.within(1e-4));
            assertThat(a.samples().labels()).startsWith(0, 1, 0, 1);
        }
    }

    @Test
    void a_set_without_a_test_split_is_halved_and_the_notes_say_so() throws Exception {
        Path folder = temp.resolve("undivided");
        Random random = new Random(1);
        for (int i = 0; i < 140; i++) {
            BufferedImage picture = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
            picture.setRGB(0, 0, 8, 8, random.ints(64).toArray(), 0, 8);
            Path file = folder.resolve(i % 2 == 0 ? "left" : "right").resolve(i + ".png");
            Files.createDirectories(file.getParent());
            ImageIO.write(picture, "png", file.toFile());
        }
        Files.writeString(folder.resolve("left/cut.png"), "x");
        DataConfig all = new DataConfig.Folder(folder.toString(), "test", 8, false);
        try (Evaluator evaluator = Evaluator.of(
                all,
                List.of("pixels"),
                new FeatureCache(temp.resolve("cache")),
                new Evaluator.Settings(66, 5, 32, Device.CPU, Precision.FP32))) {
            assertThat(evaluator.notes())
                    .anyMatch(note -> note.contains("against 70 images"))
                    .anyMatch(note -> note.contains("no test split"))
                    .anyMatch(note -> note.contains("left out: ") && note.contains("cut.png"));
            assertThat(evaluator.floor().values().values())
                    .first()
                    .asInstanceOf(DOUBLE)
                    .isPositive();
        }
        assertThatThrownBy(() -> new Comparison(teacher, List.of(student), List.of())
                        .report(
                                Evaluator.of(
                                        all,
                                        List.of("pixels"),
                                        new FeatureCache(temp.resolve("cache")),
                                        new Evaluator.Settings(66, 5, 32, Device.CPU, Precision.FP32)),
                                NONE,
                                List.of(),
                                Provenance.here("", 5),
                                (done, total, text) -> fail("nothing is drawn")))
                .hasMessageContaining("give images of its shape");
    }

    @Test
    void too_few_samples_for_the_features_are_refused_before_anything_is_drawn() {
        assertThatThrownBy(() -> evaluator(64, 32))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("64 samples are too few")
                .hasMessageContaining("64 features");
    }

    @Test
    void too_few_real_images_for_reference_or_floor_are_refused_before_anything_is_drawn() throws Exception {
        for (int few : new int[] {8, 20, 129}) { // halved: there is no test split
            Path folder = temp.resolve("few" + few);
            Files.createDirectories(folder.resolve("one"));
            for (int i = 0; i < few; i++) {
                BufferedImage picture = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
                picture.setRGB(i % 8, i / 8 % 8, i);
                ImageIO.write(
                        picture, "png", folder.resolve("one/" + i + ".png").toFile());
            }
            assertThatThrownBy(() -> Evaluator.of(
                            new DataConfig.Folder(folder.toString(), "test", 8, false),
                            List.of("pixels"),
                            new FeatureCache(temp.resolve("cache")),
                            new Evaluator.Settings(100, 5, 32, Device.CPU, Precision.FP32)))
                    .isInstanceOfSatisfying(
                            RetortException.class, e -> assertThat(e.kind()).isEqualTo(RetortException.Kind.DATA))
                    .hasMessageContaining("too few for 64 features");
        }
    }

    @Test
    void images_too_large_for_the_pixel_extractor_are_refused_in_a_sentence() {
        ImageSet large = PixelSource.set(new PixelBatch(new byte[2 * 3 * 160 * 160], 2, 3, 160, 160));
        assertThatThrownBy(() -> PixelPca.fit(large, 1))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("too large for the pixel extractor");
    }

    @Test
    void a_teacher_dearer_in_one_step_than_the_student_is_left_out_and_a_note_says_why() {
        Candidate quick =
                new Candidate("quick", student.model(), student.sampling().withSteps(1));
        try (Evaluator evaluator = evaluator(80, 32)) {
            ComparisonReport report = new Comparison(teacher, List.of(quick), List.of())
                    .report(evaluator, NONE, List.of(), Provenance.here("", 0), Progress.NONE);
            assertThat(report.first(Role.TEACHER_AT_STUDENT_COST)).isEmpty();
            assertThat(report.notes()).anyMatch(note -> note.contains("no teacher at the cost of quick"));
        }
    }

    private static Candidate in(Candidate model, int steps) {
        return new Candidate(
                ModelColumn.inSteps(model.name(), steps),
                model.model(),
                model.sampling().withSteps(steps));
    }

    @Test
    void students_in_several_numbers_of_steps_are_lines_of_a_chart_for_each_extractor() throws Exception {
        ComparisonReport report;
        try (Evaluator evaluator = Evaluator.of(
                data,
                List.of("random", "patches"),
                new FeatureCache(temp.resolve("cache")),
                new Evaluator.Settings(80, 5, 32, Device.CPU, Precision.FP32))) {
            report = new Comparison(
                            teacher, List.of(in(student, 4), in(student, 1), in(scratch, 2), in(teacher, 2)), List.of())
                    .report(evaluator, NONE, List.of(), Provenance.here("", 0), Progress.NONE);
        }
        assertThat(report.title()).isEqualTo("teacher and student, alone");
        assertThat(report.models())
                .extracting(ModelColumn::name)
                .startsWith(
                        "teacher", "student in 4 steps", "student in 1 step", "alone in 2 steps", "teacher in 2 steps")
                .doesNotHaveDuplicates()
                .endsWith("real images");
        assertThat(report.models().get(4).role()).isEqualTo(Role.VARIANT);
        for (String name : List.of("FD-RandomConv@80", "FD-RandomPatch@80")) {
            Chart chart = report.charts().stream()
                    .filter(one -> one.title().startsWith(name))
                    .findFirst()
                    .orElseThrow();
            assertThat(chart.logX()).isTrue();
            assertThat(chart.series()).extracting(Chart.Series::name).containsExactly("teacher", "student", "alone");
            assertThat(chart.series().get(1).x()).containsExactly(2, 8); // guidance calls twice
            assertThat(chart.series().get(1).y()[0]).isPositive();
        }
        ModelColumn few = report.models().get(2);
        assertThat(few.value(Measure.NEAR_COPIES).orElseThrow()).isBetween(0.0, 1.0);
        assertThat(few.value(Measure.IMAGES_SEEN)).hasValue(640);
        assertThat(few.values().keySet())
                .extracting(Measure::name)
                .contains("Recall-RandomPatch@80", "KD-RandomConv@80")
                .doesNotContain("KD-RandomPatch@80");
        assertThat(report.notes())
                .anyMatch(note -> note.contains("RandomConv: 64 features") && note.contains("Nobody trained it"));
        Comparison.save(report, temp.resolve("out"));
        assertThat(Files.readAllLines(temp.resolve("out/compare.md")).get(3)).startsWith("| student in 4 steps | 8 | ");
    }

    @Test
    void each_of_several_weights_on_one_line_is_compared_with_the_teacher() {
        Candidate few = new Candidate(
                "student in 1 step", scratch.model(), scratch.sampling().withSteps(1));
        ComparisonReport report;
        try (Evaluator evaluator = evaluator(80, 32)) {
            report = new Comparison(teacher, List.of(in(student, 4), in(student, 2), few), List.of())
                    .report(evaluator, NONE, List.of(), Provenance.here("", 0), Progress.NONE);
        }
        List<Double> far = report.models().stream()
                .filter(model -> model.name().startsWith("student in"))
                .map(model -> model.value(Measure.EPS_MSE).orElseThrow())
                .toList();
        assertThat(far).hasSize(3);
        assertThat(far.get(1)).isEqualTo(far.get(0));
        assertThat(far.get(2)).isNotEqualTo(far.get(0));
        assertThat(report.charts())
                .filteredOn(chart -> chart.title().startsWith("Difference from the teacher"))
                .singleElement()
                .satisfies(chart -> assertThat(chart.series())
                        .extracting(Chart.Series::name)
                        .containsExactly("student in 4 steps", "student in 1 step"));
    }

    @Test
    void copies_of_training_images_are_seen() {
        double[][] rows = new double[50][4];
        double[][] others = new double[50][4];
        Random random = new Random(2);
        for (int i = 0; i < 50; i++) {
            for (int k = 0; k < 4; k++) {
                rows[i][k] = random.nextGaussian();
                others[i][k] = random.nextGaussian();
            }
        }
        FeatureMatrix training = FeatureMatrix.of(rows);
        double[] heldOut = Memorisation.sortedDistances(FeatureMatrix.of(others), training);
        assertThat(Memorisation.of(training, heldOut, training).copies()).isEqualTo(1);
        assertThat(Memorisation.of(FeatureMatrix.of(others), heldOut, training).copies())
                .isZero();
    }

    @Test
    void two_extractors_of_one_name_are_refused() {
        assertThatThrownBy(() -> Evaluator.of(
                        data,
                        List.of("pixels", "auto"),
                        new FeatureCache(temp.resolve("cache")),
                        new Evaluator.Settings(80, 5, 32, Device.CPU, Precision.FP32)))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("called PixelPCA64 as one before it");
    }

    private static Candidate ofClasses(Candidate model, Integer... labels) {
        return model.with(model.card().withTrainedFor(TrainedFor.ANY.ofClasses(List.of(labels))));
    }

    @Test
    void beside_a_student_of_some_classes_all_are_judged_on_these_alone_and_two_domains_are_not_compared() {
        Candidate left = ofClasses(student, 0);
        DataConfig more = TinyWorld.pictures(temp.resolve("more"), 160);
        Evaluator.Settings settings = new Evaluator.Settings(72, 5, 36, Device.CPU, Precision.FP32);
        FeatureCache cache = new FeatureCache(temp.resolve("cache"));
        try (Evaluator evaluator = Evaluator.of(more, List.of("random"), cache, settings, List.of(teacher, left))) {
            ComparisonReport report = new Comparison(teacher, List.of(left), List.of())
                    .report(evaluator, NONE, List.of(), Provenance.here("", 0), Progress.NONE);
            assertThat(report.models()).extracting(ModelColumn::name).last().isEqualTo("real images of left");
            assertThat(report.notes().stream().filter(note -> note.contains("left alone")))
                    .hasSize(1);
            assertThat(report.notes()).anyMatch(note -> note.contains("against 80 images of"));
            for (Candidate one : List.of(teacher, left)) {
                assertThat(evaluator.evaluate(one, Progress.NONE).samples().labels())
                        .containsOnly(0)
                        .hasSize(72);
            }
            assertThatThrownBy(() -> evaluator.evaluate(ofClasses(student, 1), Progress.NONE))
                    .hasMessageContaining("student was distilled for right alone, but models are judged on left");
        }
        try (Evaluator evaluator = evaluator(80, 32)) {
            assertThatThrownBy(() -> evaluator.evaluate(left, Progress.NONE))
                    .hasMessageContaining("student was distilled for left alone, but models are judged on all classes");
        }
        assertThatThrownBy(() -> Evaluator.of(
                        more, List.of("random"), cache, settings, List.of(teacher, left, ofClasses(scratch, 1))))
                .hasMessageContaining("student was distilled for left alone and alone for right")
                .hasMessageContaining("compare students of one domain");
        assertThatThrownBy(() -> Evaluator.of(DataConfig.shapes(16), List.of("random"), cache, settings, List.of(left)))
                .hasMessageContaining("has no class left, for which student was distilled; its classes are");
    }

    @Test
    void steps_within_a_budget_count_both_calls_of_guidance() {
        ModelCard card = teacher.card();
        assertThat(NetworkCalls.of(card, teacher.sampling())).isEqualTo(12);
        assertThat(NetworkCalls.stepsWithin(card, teacher.sampling(), 7.9)).hasValue(3);
        assertThat(NetworkCalls.stepsWithin(card, teacher.sampling(), 1.9)).isEmpty();
    }
}
