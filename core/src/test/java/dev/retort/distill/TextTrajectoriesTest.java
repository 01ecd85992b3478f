package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.ModelCard;
import dev.retort.card.NamedLayout;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TextCard;
import dev.retort.card.TrainedFor;
import dev.retort.data.DataConfig;
import dev.retort.data.Datasets;
import dev.retort.data.Prompts;
import dev.retort.data.Trajectories;
import dev.retort.data.TrajectoryFolder;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.Denoiser;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.Progress;
import dev.retort.report.TrainingMetric;
import dev.retort.sample.SampleJob;
import dev.retort.sample.Sampler;
import dev.retort.sample.Sampling;
import dev.retort.sample.StepPlanning;
import dev.retort.sample.TrajectoryRecording;
import dev.retort.text.ClipTokenizer;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.train.ComputeConfig;
import dev.retort.train.CutConfig;
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
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a text-to-image teacher did under captions, and students that learn from it. */
class TextTrajectoriesTest {
    private static final SamplingSpec EULER = SamplingSpec.of("flow-euler", 2, 1);
    private static final DataConfig DATA = new DataConfig.CaptionedShapes("train", 16, false);
    private static final int VALUES = 3 * 16 * 16;

    @TempDir
    static Path temp;

    private static Path teacher;
    private static List<String> captions;

    private static RunConfig run() {
        return new RunConfig(
                7,
                4,
                DATA,
                new OptimizerConfig(1e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 1),
                new EmaConfig(List.of(0.9)),
                new ComputeConfig("cpu", "fp32", false, 4, 0, 1),
                new LogConfig(4, 0, 2, 64),
                EULER);
    }

    @BeforeAll
    static void a_teacher() {
        TextToImageConfig network = new TextToImageConfig(
                List.of(8, 8), 2, List.of(0, 1), 4, new TextToImageConfig.Encoder(300, 16, 8, 1, 2), 0.1);
        TrainConfig config = new TrainConfig(32, network, new Objective.Flow(0, 1, 1), run());
        teacher = Training.run(config, temp.resolve("teacher"), Map.of(), n -> {}, Progress.NONE, () -> false);
        captions = Datasets.captions(DATA.open(), 12, 3);
    }

    private static TrajectoryRecording recording(Path model, List<String> texts, int count) {
        return new TrajectoryRecording(model, "a teacher", EULER, 3, count, texts, 5, 3, Device.CPU);
    }

    private static Path recorded(String name, Path model, List<String> texts, int count) {
        Path cache = temp.resolve(name);
        recording(model, texts, count).run(cache, Map.of(), n -> {}, Progress.NONE, () -> false);
        return cache;
    }

    private static Recipe recipe(Path cache, String of) {
        LossConfig cached = new CachedLoss.Trajectory(LossWeight.ONE, 2, cache.toString());
        return new Recipe(
                new TeacherConfig(of, "", 1),
                new CutConfig(NamedLayout.BASE, 1, 0),
                new StudentStart.Cut(),
                new Objective.Flow(0, 1, 1),
                List.of(new StageConfig("all", 16, List.of(cached))),
                run());
    }

    private static Path distilled(Recipe recipe, String name) {
        return Distillation.run(recipe, temp.resolve(name), Map.of(), n -> {}, Progress.NONE, () -> false);
    }

    private static void refused(Runnable action, Kind kind, String... words) {
        assertThatThrownBy(action::run)
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(kind))
                .message()
                .contains(words);
    }

    @Test
    void captions_come_in_many_wordings_and_the_same_seed_gives_the_same() {
        assertThat(captions).hasSize(12).doesNotHaveDuplicates();
        assertThat(Datasets.captions(DATA.open(), 12, 3)).isEqualTo(captions);
        assertThat(captions).anyMatch(text -> text.startsWith("a ")).anyMatch(text -> !text.startsWith("a "));
        refused(() -> Datasets.captions(DataConfig.shapes(16).open(), 2, 0), Kind.DATA, "no picture", "has a caption");
    }

    @Test
    void a_trajectory_ends_in_the_picture_that_sampling_draws_of_its_text() {
        Trajectories kept = Trajectories.open(recorded("drawn", teacher, captions.subList(0, 4), 7));
        assertThat(kept.prompts(5, 0).texts()).containsExactly(captions.get(1), captions.get(0));
        assertThatThrownBy(() -> kept.label(0)).hasMessageContaining("only texts are given");
        List<String> texts = kept.prompts(0, 1, 2, 3, 4, 5, 6).texts();
        float[] drawn = new float[7 * VALUES];
        try (Pipeline<Denoiser> model = Models.open(teacher, Device.CPU, Precision.FP32)) {
            Sampler sampler = Sampling.sampler(model.network(), model.card(), EULER, Precision.FP32);
            new SampleJob(sampler, 3, 4)
                    .sample(
                            new Prompts.Texts(texts),
                            Progress.NONE,
                            (first, pixels, n) -> System.arraycopy(pixels, 0, drawn, first * VALUES, n * VALUES));
        }
        float[] last = new float[7 * VALUES];
        for (int i = 0; i < 7; i++) {
            kept.read(i, 2, last, i * VALUES);
        }
        assertThat(last).containsExactly(drawn, within(2e-3f));
    }

    @Test
    void a_stopped_recording_goes_on_under_the_same_texts_and_ends_as_one_never_stopped() throws Exception {
        Path straight = recorded("straight", teacher, captions, 12);
        Path stopped = temp.resolve("stopped");
        AtomicInteger polls = new AtomicInteger();
        refused(
                () -> recording(teacher, captions, 12)
                        .run(stopped, Map.of(), n -> {}, Progress.NONE, () -> polls.incrementAndGet() == 4),
                Kind.INTERRUPTED,
                "1 of 3 files are written");
        List<String> others = captions.subList(0, 11);
        refused(() -> recorded("stopped", teacher, others, 12), Kind.DATA, "texts.sha256 is", "choose another folder");
        recorded("stopped", teacher, captions, 12);
        for (int i = 0; i < 3; i++) {
            String name = "trajectories-0000" + i + "-of-00003.safetensors";
            assertThat(Files.mismatch(straight.resolve(name), stopped.resolve(name)))
                    .as(name)
                    .isEqualTo(-1);
        }
        Path swapped = recorded("swapped", teacher, others, 12);
        Files.copy(
                straight.resolve("trajectories-00002-of-00003.safetensors"),
                swapped.resolve("trajectories-00002-of-00003.safetensors"),
                StandardCopyOption.REPLACE_EXISTING);
        refused(() -> Trajectories.open(swapped), Kind.DATA, "under other texts than its trajectories.json says");
    }

    @Test
    void a_student_learns_from_them_and_asks_no_teacher() throws Exception {
        Path cache = recorded("cache", teacher, captions, 12);
        Path student = distilled(recipe(cache, teacher.toString()), "student");
        ModelCard card = Models.card(student);
        assertThat(card.trainedFor()).isEqualTo(TrainedFor.steps(2, EULER, 1));
        assertThat(card.text()).isEqualTo(Models.card(teacher).text());
        assertThat(Files.readAllLines(temp.resolve("student/log.jsonl")).stream()
                        .map(line -> JsonMapper.shared().readTree(line).path(TrainingMetric.TEACHER_CALLS))
                        .filter(JsonNode::isNumber)
                        .map(JsonNode::asDouble))
                .hasSize(4)
                .containsOnly(0.0);
    }

    @Test
    void a_cache_that_other_tokenizers_read_is_refused() throws Exception {
        Path cache = recorded("cache-of-words", teacher, captions, 12);
        Path other = temp.resolve("other");
        ModelCard card = Models.card(teacher);
        List<String> backwards = captions.stream()
                .map(text -> new StringBuilder(text).reverse().toString())
                .toList();
        ClipTokenizer own = card.text().tokenizers().get(0);
        ClipTokenizer tokenizer = ClipTokenizer.learn(backwards, own.vocabulary(), own.length());
        copy(teacher, other);
        new TextCard(card.text().prompts(), List.of(tokenizer)).write(other);
        assertThat(Models.sha256(other)).isEqualTo(Models.sha256(teacher));
        refused(
                () -> distilled(recipe(cache, other.toString()), "never"),
                Kind.CONFIG,
                "trajectories is " + cache,
                "trajectories under the tokenizers of the recipe's teacher");
        assertThat(temp.resolve("never")).doesNotExist();
        refused(() -> recorded("cache-of-words", other, captions, 12), Kind.DATA, "texts.tokenizers");
    }

    private static void copy(Path from, Path to) throws Exception {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
    }

    @Test
    void a_teacher_of_texts_is_not_recorded_without_any() {
        refused(
                () -> recorded("none", teacher, List.of(), 4),
                Kind.USAGE,
                "a teacher is told texts, and none are given");
        assertThat(temp.resolve("none").resolve(TrajectoryFolder.MANIFEST)).doesNotExist();
    }

    @Test
    void the_steps_of_a_teacher_of_texts_are_planned() {
        try (Pipeline<Denoiser> model = Models.open(teacher, Device.CPU, Precision.FP32)) {
            List<StepPlanning.Planned> planned =
                    new StepPlanning(model.network(), model.card(), EULER, 8, 2, 4, 0).run(Progress.NONE, () -> false);
            assertThat(planned).hasSize(2);
            assertThat(planned.get(1).searched())
                    .isPositive()
                    .isLessThanOrEqualTo(planned.get(1).byPath());
        }
    }
}
