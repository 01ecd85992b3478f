package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.ClassifierCard;
import dev.retort.config.Configs;
import dev.retort.data.Batch;
import dev.retort.data.DataConfig;
import dev.retort.data.Prompts;
import dev.retort.error.RetortException;
import dev.retort.evaluate.ClassAgreement;
import dev.retort.evaluate.ClassifierExtractor;
import dev.retort.evaluate.Extractors;
import dev.retort.evaluate.FeatureMatrix;
import dev.retort.evaluate.ImageSet;
import dev.retort.io.Dtype;
import dev.retort.io.FolderLock;
import dev.retort.io.SafetensorsFile;
import dev.retort.layout.ClassifierFiles;
import dev.retort.report.Progress;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassifierTrainingTest {
    private static final DataConfig SHAPES = new DataConfig.Shapes("train", 16, true);

    @TempDir
    Path temp;

    private static ClassifierConfig config(long images) {
        return new ClassifierConfig(
                "CNNshapes",
                images,
                3,
                32,
                SHAPES,
                1,
                List.of(List.of(16), List.of(16)),
                new OptimizerConfig(0.02, "cosine", 256, 0.9, 0.99, 1e-8, 0.01, 0),
                "cpu",
                "fp32");
    }

    private ClassifierCard train(long images, String name) {
        return ClassifierTraining.run(
                config(images), temp.resolve(name), Map.of(), note -> {}, Progress.NONE, () -> false);
    }

    @Test
    void it_learns_and_the_card_tells_the_accuracy_of_the_file() {
        ClassifierCard card = train(6400, "learned");
        double chance = 1.0 / card.classes().size();
        double told = card.metrics().get("testAccuracy");
        assertThat(told).isGreaterThan(2 * chance);
        ImageSet test = ImageSet.read(SHAPES.withSplit("test").open(), 10_000);
        try (ClassifierExtractor extractor =
                Extractors.named(temp.resolve("learned").toString())) {
            FeatureMatrix logits = FeatureMatrix.of(extractor.extract(test).logits());
            assertThat(ClassAgreement.share(ClassAgreement.classes(logits), test.labels()))
                    .isCloseTo(told, within(1e-12));
            assertThat(extractor.space().extractor()).isEqualTo("CNNshapes");
            assertThat(extractor.space().dimension()).isEqualTo(16);
        }
    }

    @Test
    void the_file_holds_half_precision_and_the_same_seed_gives_the_same_bytes() throws Exception {
        train(96, "a");
        train(96, "b");
        Path file = temp.resolve("a/model.safetensors");
        assertThat(Files.mismatch(file, temp.resolve("b/model.safetensors"))).isEqualTo(-1);
        try (SafetensorsFile opened = SafetensorsFile.open(file)) {
            assertThat(opened.entries().values()).allMatch(entry -> entry.dtype() == Dtype.F16);
        }
    }

    private void stop(long images, String name, int atStep) {
        AtomicInteger steps = new AtomicInteger();
        assertThatThrownBy(() -> ClassifierTraining.run(
                        config(images),
                        temp.resolve(name),
                        Map.of(),
                        note -> {},
                        Progress.NONE,
                        () -> steps.incrementAndGet() == atStep))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("the same command resumes");
    }

    @Test
    void a_training_stopped_twice_ends_with_the_bytes_of_one_never_stopped() throws Exception {
        ClassifierCard straight = train(480, "straight");
        stop(480, "stopped", 4);
        assertThat(temp.resolve("stopped/classifier.json")).doesNotExist();
        stop(480, "stopped", 5);
        List<String> notes = new ArrayList<>();
        ClassifierCard stopped = ClassifierTraining.run(
                config(480), temp.resolve("stopped"), Map.of(), notes::add, Progress.NONE, () -> false);
        assertThat(notes).contains("resuming at 288 images");
        assertThat(Files.mismatch(
                        temp.resolve("straight/model.safetensors"), temp.resolve("stopped/model.safetensors")))
                .isEqualTo(-1);
        assertThat(stopped).isEqualTo(straight);
        assertThat(RunEvents.lines(temp.resolve("stopped/run/log.jsonl")))
                .hasSize(15)
                .allMatch(line -> line.values().get("loss/cross-entropy") instanceof Number);
    }

    @Test
    void another_configuration_does_not_resume_a_training_but_replaces_a_result() {
        stop(480, "other", 2);
        assertThatThrownBy(() -> train(96, "other")).hasMessageContaining("images is 480 there, 96 here");
        train(480, "other");
        assertThat(train(96, "other").imagesSeen()).isEqualTo(96);
    }

    private static RunFolder open(Path folder) {
        try (FolderLock held = FolderLock.take(folder, note -> {})) {
            return RunFolder.open(held, "classifier", config(96), note -> {});
        }
    }

    @Test
    void a_folder_in_use_is_not_replaced_and_one_that_was_may_be() throws Exception {
        train(96, "mine");
        try (FolderLock held = FolderLock.take(temp.resolve("mine"), note -> {})) {
            assertThatThrownBy(() -> train(96, "mine")).hasMessageContaining("in use by this process");
        }
        train(96, "mine");
    }

    @Test
    void a_run_that_lies_there_is_refused_before_the_training_and_kept() throws Exception {
        Path run = Files.createDirectories(temp.resolve("run/checkpoints/000000000100"));
        Files.writeString(run.resolve("state.json"), "{}");
        assertThatThrownBy(() -> ClassifierTraining.run(
                        config(96),
                        temp.resolve("run"),
                        Map.of(),
                        note -> {
                            throw new AssertionError("training began");
                        },
                        Progress.NONE,
                        () -> false))
                .hasMessageContaining("holds checkpoints/000000000100/state.json, which is not part of a classifier");
        assertThat(run.resolve("state.json")).hasContent("{}");
    }

    @Test
    void a_run_whose_result_holds_a_file_of_the_users_is_refused_before_the_training() throws Exception {
        Path notes = temp.resolve("mine/model/notes.txt");
        Files.createDirectories(notes.getParent());
        Files.writeString(notes, "mine");
        assertThatThrownBy(() -> open(temp.resolve("mine")))
                .hasMessageContaining("holds notes.txt, which is not part of a model");
        assertThat(notes).hasContent("mine");
    }

    @Test
    void a_folder_without_a_card_is_refused() {
        assertThatThrownBy(() -> ClassifierFiles.card(temp))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("classifier.json");
    }

    @Test
    void the_preset_reads_back_to_itself() throws Exception {
        ClassifierConfig preset = Configs.load(ClassifierConfig.class, "classifier", "fashion", List.of());
        Path file = Files.writeString(temp.resolve("again.yaml"), Configs.write("classifier", preset));
        assertThat(Configs.load(ClassifierConfig.class, "classifier", file.toString(), List.of()))
                .isEqualTo(preset);
    }

    @Test
    void a_shift_moves_each_image_as_a_whole_and_within_its_bound() {
        float[] pixels = new float[2 * 25];
        java.util.Arrays.fill(pixels, -1);
        pixels[12] = 1; // the middle of a 5 x 5 image
        pixels[25 + 12] = 1;
        boolean[] seen = new boolean[25];
        for (int seed = 0; seed < 200; seed++) {
            Batch moved = RandomTranslation.of(
                    new Batch(pixels.clone(), new Prompts.Labels(new int[2]), 2, 1, 5, 5, 40), 1, seed);
            for (int i = 0; i < 2; i++) {
                int found = -1;
                for (int p = 0; p < 25; p++) {
                    if (moved.pixels()[i * 25 + p] == 1) {
                        assertThat(found).isEqualTo(-1);
                        found = p;
                    } else {
                        assertThat(moved.pixels()[i * 25 + p]).isEqualTo(-1);
                    }
                }
                seen[found] = true;
            }
        }
        for (int p = 0; p < 25; p++) {
            boolean near = Math.abs(p / 5 - 2) <= 1 && Math.abs(p % 5 - 2) <= 1;
            assertThat(seen[p]).as("place " + p).isEqualTo(near);
        }
    }
}
