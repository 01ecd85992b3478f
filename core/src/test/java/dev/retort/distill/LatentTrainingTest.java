package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.TinyAutoencoder;
import dev.retort.card.ImageShape;
import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.diffusion.Prediction;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.evaluate.Candidate;
import dev.retort.evaluate.Comparison;
import dev.retort.evaluate.Evaluator;
import dev.retort.evaluate.FeatureCache;
import dev.retort.evaluate.Measurement;
import dev.retort.io.ImageDecoder;
import dev.retort.io.PixelImage;
import dev.retort.io.Png;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Models;
import dev.retort.report.ComparisonReport;
import dev.retort.report.JsonlLog;
import dev.retort.report.Measure;
import dev.retort.report.Progress;
import dev.retort.report.Provenance;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.train.ComputeConfig;
import dev.retort.train.DitConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LatentEncoding;
import dev.retort.train.LogConfig;
import dev.retort.train.Objective;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.RunConfig;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Teacher and student on latents of shapes, encoded by an autoencoder of random weights. */
class LatentTrainingTest {
    @TempDir
    static Path temp;

    static Path vae;
    static Path teacher;
    static final List<String> NOTES = new ArrayList<>();

    @BeforeAll
    static void a_teacher() {
        vae = TinyAutoencoder.save(temp.resolve("vae"), 4, 0.5, 1);
        encode("latents", vae);
        teacher = Training.run(
                config("latents", 0), temp.resolve("teacher"), Map.of(), NOTES::add, Progress.NONE, () -> false);
    }

    private static void encode(String name, Path autoencoder) {
        new LatentEncoding(DataConfig.shapes(16), 48, autoencoder, 32, 16, Device.CPU)
                .run(temp.resolve(name), Map.of(), note -> {}, Progress.NONE, () -> false);
    }

    private static RunConfig run(DataConfig data) {
        return new RunConfig(
                7,
                8,
                data,
                new OptimizerConfig(1e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 1),
                new EmaConfig(List.of(0.9)),
                new ComputeConfig("cpu", "fp32", false, 8, 0, 1),
                new LogConfig(8, 16, 1, 64),
                SamplingSpec.of("flow-euler", 2, 1));
    }

    private static DataConfig latents(String name) {
        return new DataConfig.Latents(temp.resolve(name).toString(), "train", 0, true);
    }

    private static TrainConfig config(String data, double clamp) {
        return new TrainConfig(
                32, new DitConfig("2x32x2/2", 4, 0.1, false), new Objective.Flow(0, 1, clamp), run(latents(data)));
    }

    private static Recipe recipe(DataConfig data) {
        return new Recipe(
                new TeacherConfig(teacher.toString(), "", 1),
                new DitConfig("1x32x2/2", 4, 0.1, false),
                new StudentStart.Cut(),
                new Objective.Flow(0, 1, 0),
                List.of(new StageConfig("all", 16, List.of(new LossConfig.Output(LossWeight.ONE, Prediction.FLOW)))),
                run(data));
    }

    private static Path distil(DataConfig data, String name) {
        return Distillation.run(recipe(data), temp.resolve(name), Map.of(), n -> {}, Progress.NONE, () -> false);
    }

    @Test
    void the_card_names_the_autoencoder_and_grids_show_pictures() throws Exception {
        ModelCard card = Models.card(teacher);
        assertThat(card.autoencoder().kind()).isEqualTo("AutoencoderKL");
        assertThat(card.autoencoder().path()).isEqualTo(vae.toString());
        assertThat(card.network().channels()).isEqualTo(4);
        assertThat(card.images()).isEqualTo(new ImageShape(3, 16, 16));
        Path grid = temp.resolve("teacher/samples/000000000016.png");
        PixelImage sheet = ImageDecoder.decode(Files.readAllBytes(grid), grid.toString());
        assertThat(sheet.channels()).isEqualTo(3);
        assertThat(sheet.width()).isEqualTo(2 * 16);
    }

    @Test
    void the_log_shows_what_the_cache_saves() {
        assertThat(NOTES).anyMatch(note -> note.contains("read from the cache") && note.contains("ms an image"));
        List<Map<String, Object>> lines = JsonlLog.read(temp.resolve("teacher/log.jsonl")).stream()
                .filter(line -> List.of("encoding", "train").contains(line.get("kind")))
                .toList();
        assertThat(lines.get(0)).containsEntry("kind", "encoding");
        double encoding = ((Number) lines.get(0).get("seconds-per-image")).doubleValue();
        assertThat(encoding).isPositive();
        for (Map<String, Object> line : lines.subList(1, lines.size())) {
            double with = ((Number) line.get("images-per-second")).doubleValue();
            double without = ((Number) line.get("images-per-second-without-cache")).doubleValue();
            assertThat(1 / without - 1 / with).isCloseTo(encoding, org.assertj.core.api.Assertions.within(1e-9));
        }
    }

    @Test
    void a_student_of_larger_latents_is_taught_on_pairs() {
        new LatentEncoding(DataConfig.shapes(32), 48, vae, 32, 16, Device.CPU)
                .run(temp.resolve("large"), Map.of(), note -> {}, Progress.NONE, () -> false);
        Recipe lonely = recipe(latents("large"));
        refused(
                () -> Distillation.run(lonely, temp.resolve("lonely"), Map.of(), n -> {}, Progress.NONE, () -> false),
                Kind.CONFIG,
                "latents of 16x16",
                "teacher.data");
        Recipe paired = new Recipe(
                new TeacherConfig(teacher.toString(), temp.resolve("latents").toString(), 1),
                lonely.student(),
                new StudentStart.Cut(),
                lonely.objective(),
                lonely.stages(),
                lonely.run());
        Path student = Distillation.run(paired, temp.resolve("paired"), Map.of(), n -> {}, Progress.NONE, () -> false);
        assertThat(Models.card(student).network().height()).isEqualTo(16);
        assertThat(Models.card(student).images()).isEqualTo(new ImageShape(3, 32, 32));
    }

    @Test
    void a_bound_on_latents_is_refused_before_the_first_step() {
        refused(() -> train("clamped", config("latents", 1)), Kind.CONFIG, "clamp is 1.0", "objective.clamp=0");
    }

    @Test
    void an_autoencoder_that_is_gone_is_refused_before_the_first_step() throws Exception {
        Path other = TinyAutoencoder.save(temp.resolve("passing"), 4, 0.5, 3);
        encode("of-passing", other);
        Files.move(other, temp.resolve("passed"));
        refused(() -> train("gone", config("of-passing", 0)), Kind.CHECKPOINT, "passing", "no longer there");
    }

    private static void train(String name, TrainConfig config) {
        Training.run(config, temp.resolve(name), Map.of(), n -> {}, Progress.NONE, () -> false);
    }

    @Test
    void distilling_on_other_latents_than_the_teachers_is_refused_before_the_first_step() {
        encode("other-weights", TinyAutoencoder.save(temp.resolve("b"), 4, 0.5, 2));
        refused(() -> distil(latents("other-weights"), "x"), Kind.CONFIG, "encode with the teacher's autoencoder");
        encode("other-scale", TinyAutoencoder.save(temp.resolve("c"), 4, 0.25, 1));
        refused(() -> distil(latents("other-scale"), "x"), Kind.CONFIG, "scale 0.25", "scale 0.5");
        refused(
                () -> distil(new DataConfig.Shapes("train", 16, true), "x"),
                Kind.CONFIG,
                "data are pictures but the teacher works on latents",
                "encode them with its autoencoder");
        assertThat(temp.resolve("x")).doesNotExist();
    }

    @Test
    void a_wrong_autoencoder_for_a_model_is_refused_and_a_tuned_one_is_taken() throws Exception {
        ModelCard card = Models.card(teacher);
        refused(
                () -> codec(card, TinyAutoencoder.save(temp.resolve("d"), 8, 0.5, 1)),
                Kind.CHECKPOINT,
                "8 latent channels",
                "4 latent channels");
        refused(() -> codec(card, TinyAutoencoder.save(temp.resolve("e"), 4, 0.18, 1)), Kind.CHECKPOINT, "scale 0.18");
        refused(() -> codec(card, temp.resolve("nowhere")), Kind.CHECKPOINT, "is not an autoencoder");
        codec(card, TinyAutoencoder.save(temp.resolve("tuned"), 4, 0.5, 9));
        Path place = TinyAutoencoder.save(temp.resolve("place"), 4, 0.5, 4);
        encode("of-place", place);
        train("placed", config("of-place", 0));
        TinyAutoencoder.save(place, 4, 0.5, 5);
        refused(
                () -> ImageCodec.of(Models.card(temp.resolve("placed/model")), Device.CPU),
                Kind.CHECKPOINT,
                "have been replaced",
                "to use these");
    }

    private static void codec(ModelCard card, Path autoencoder) {
        ImageCodec.of(card, autoencoder.toString(), Device.CPU).close();
    }

    @Test
    void teacher_and_student_are_judged_by_their_decoded_pictures() {
        Path student = distil(latents("latents"), "student");
        assertThat(Models.card(student).autoencoder())
                .isEqualTo(Models.card(teacher).autoencoder());
        Candidate taught =
                new Candidate("teacher", teacher, Models.card(teacher).sampling());
        Candidate learned =
                new Candidate("student", student, Models.card(student).sampling());
        Evaluator.Settings settings = new Evaluator.Settings(70, 0, 35, Device.CPU, Precision.FP32);
        try (Evaluator evaluator = Evaluator.of(
                pictures(temp.resolve("pictures")),
                List.of("pixels"),
                new FeatureCache(temp.resolve("features")),
                settings)) {
            ComparisonReport report = new Comparison(taught, List.of(learned), List.of())
                    .report(
                            evaluator,
                            new Measurement(4, 1, 1, "cpu", Precision.FP32, 1),
                            List.of(),
                            Provenance.here("", 0),
                            Progress.NONE);
            assertThat(report.models().get(1).values().get(Measure.EPS_MSE)).isPositive();
            assertThat(report.models().get(1).values().get(Measure.SECONDS_PER_IMAGE))
                    .isPositive();
            assertThat(report.notes()).anyMatch(note -> note.contains("include the decoder"));
        }
    }

    /** Shapes in files, a hundred of each split: as a source of its own they are without end. */
    private static DataConfig pictures(Path folder) {
        for (String split : List.of("train", "test")) {
            ImageSource shapes = DataConfig.shapes(16).withSplit(split).open();
            float[] pixels = new float[shapes.pixels()];
            for (int i = 0; i < 100; i++) {
                String label = shapes.classNames().get(shapes.read(i, pixels, 0).label());
                Png.write(folder.resolve(split + "/" + label + "/" + i + ".png"), PixelImage.of(pixels, 0, 3, 16, 16));
            }
        }
        return new DataConfig.Folder(folder.toString(), "test", 16, false);
    }

    private static void refused(Runnable action, Kind kind, String... words) {
        assertThatThrownBy(action::run)
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(kind))
                .message()
                .contains(words);
    }
}
