package dev.retort.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.retort.io.Dtype;
import dev.retort.io.ImageDecoder;
import dev.retort.io.PixelImage;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.DitLayout;
import dev.retort.layout.ModelFiles;
import dev.retort.layout.Storage;
import dev.retort.quantize.QuantizationReport;
import dev.retort.torch.IntegerProduct;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LessonsTest {
    @TempDir
    Path temp;

    @Test
    void a_teacher_is_trained_a_student_distilled_and_both_draw() throws Exception {
        Path teacher = TrainTeacher.train(temp.resolve("teacher"), 320);
        Path student = DistilStudent.distil(teacher, temp.resolve("student"), 320);
        assertThat(ModelFiles.card(student).network().parameters())
                .isLessThan(ModelFiles.card(teacher).network().parameters() / 2);
        DrawSamples.draw(student, temp.resolve("student.png"));
        requireARowForEachClass(temp.resolve("student.png"));
        Path page = CompareModels.compare(teacher, student, temp.resolve("compared"), 0);
        assertThat(page).content().contains("FD-CNNshapes@500", "student");
    }

    @Test
    void a_student_of_two_steps_says_for_what_it_was_trained() {
        Path teacher = TrainTeacher.train(temp.resolve("teacher"), 320);
        assertThat(FewerSteps.plan(teacher, 3))
                .extracting(planned -> planned.grid().steps().orElseThrow())
                .containsExactly(1, 2, 3);
        Path student = FewerSteps.distil(teacher, temp.resolve("student"), 256);
        assertThat(ModelFiles.card(student).trainedFor().text())
                .isEqualTo("2 steps of flow-euler on the grid default, guidance 2.0 baked in");
    }

    @Test
    void a_student_of_fewer_bits_is_smaller_and_draws_as_before() throws Exception {
        Path teacher = TrainTeacher.train(temp.resolve("teacher"), 320);
        assumeTrue(IntegerProduct.possible(), "skipped: this machine's libraries multiply no whole numbers");
        QuantizationReport report = FewerBits.quantise(teacher, temp.resolve("int8"), 0.05);
        assertThat(report.bytes()).isLessThan(report.bytesBefore() * 6 / 10);
        assertThat(report.errors().output()).isBetween(1e-4, 0.05);
        DrawSamples.draw(temp.resolve("int8"), temp.resolve("int8.png"));
        requireARowForEachClass(temp.resolve("int8.png"));
    }

    @Test
    void an_adapter_of_what_training_changed_turns_the_model_into_the_trained_one() throws Exception {
        Path base = TrainTeacher.train(temp.resolve("base"), 160);
        Path tuned = TrainTeacher.train(temp.resolve("tuned"), 320);
        Path adapter = temp.resolve("adapter.safetensors");
        double some = ApplyLora.extract(base, tuned, 2, adapter);
        double most = ApplyLora.extract(base, tuned, 16, adapter);
        assertThat(some).isBetween(0.02, most);
        assertThat(most).isBetween(some, 1.0);
        assertThat(Files.size(adapter)).isLessThan(Files.size(base.resolve("model.safetensors")));
        ApplyLora.draw(base, adapter, 0.5, temp.resolve("half.png"));
        requireARowForEachClass(temp.resolve("half.png"));
        DrawSamples.draw(base, temp.resolve("base.png"));
        ApplyLora.draw(base, adapter, 0, temp.resolve("none.png"));
        assertThat(temp.resolve("none.png")).hasSameBinaryContentAs(temp.resolve("base.png"));
        assertThat(Files.readAllBytes(temp.resolve("half.png")))
                .isNotEqualTo(Files.readAllBytes(temp.resolve("base.png")));
    }

    /** Eight pictures in each row, one row a class, no two of them alike, each of many shades. */
    private static void requireARowForEachClass(Path png) throws Exception {
        PixelImage sheet = ImageDecoder.decode(Files.readAllBytes(png), png.toString());
        int each = 2 * 16;
        int stride = 2 * (16 + 2);
        assertThat(sheet.width()).isEqualTo(7 * stride + each);
        assertThat(sheet.height()).isEqualTo(9 * stride + each);
        Set<String> pictures = new HashSet<>();
        for (int i = 0; i < 80; i++) {
            StringBuilder picture = new StringBuilder();
            Set<Integer> shades = new HashSet<>();
            for (int k = 0; k < each * each; k++) {
                int row = i / 8 * stride + k / each;
                int shade = sheet.pixels()[(row * sheet.width() + i % 8 * stride + k % each) * sheet.channels()] & 0xff;
                picture.append(shade).append(' ');
                shades.add(shade);
            }
            pictures.add(picture.toString());
            assertThat(shades).as("picture " + i).hasSizeGreaterThan(8);
        }
        assertThat(pictures).hasSize(80);
    }

    @Test
    void a_pipeline_of_another_program_draws_what_a_text_asks_for() {
        Path pipeline = Path.of("../core/src/test/resources/dev/retort/pipeline/sd");
        DrawByWords.draw(pipeline, temp.resolve("words.png"), "a large red circle", "a small cross", 2, 7);
        PixelImage picture = ImageDecoder.read(temp.resolve("words.png"));
        assertThat(List.of(picture.channels(), picture.height(), picture.width()))
                .containsExactly(3, 64, 64);
    }

    @Test
    void another_programs_checkpoint_becomes_a_model_of_ours() {
        Path teacher = TrainTeacher.train(temp.resolve("teacher"), 32);
        try (TensorFile weights = TensorFiles.open(teacher.resolve(ModelFiles.WEIGHTS))) {
            DitLayout.DIFFUSERS.write(temp.resolve("theirs"), ModelFiles.card(teacher), weights, Storage.of(Dtype.F32));
        }
        OpenCheckpoint.keep(temp.resolve("theirs").toString(), temp.resolve("ours"));
        assertThat(ModelFiles.card(temp.resolve("ours")).network().name())
                .isEqualTo(ModelFiles.card(teacher).network().name());
        assertThat(temp.resolve("ours").resolve(ModelFiles.WEIGHTS).toFile().length())
                .isLessThan(teacher.resolve(ModelFiles.WEIGHTS).toFile().length() * 6 / 10);
    }

    @Test
    void a_student_learns_larger_pictures_from_a_teacher_of_small_ones() {
        Path taesd = Path.of("../../shared/weights/taesd");
        assumeTrue(Files.isDirectory(taesd), "skipped: it needs " + taesd + ", which is not here");
        Path student = LearnOnLatents.learn(taesd.resolve("taesd"), temp, 96);
        assertThat(ModelFiles.card(student).images().height()).isEqualTo(64);
        assertThat(ModelFiles.card(temp.resolve("teacher/model")).images().height())
                .isEqualTo(32);
    }

    @Test
    void more_steps_land_closer_to_the_ring() {
        assertThat(SolverWithoutNetwork.missedRadius("flow-heun", 20))
                .isLessThan(SolverWithoutNetwork.missedRadius("flow-heun", 3))
                .isLessThan(0.06);
    }
}
