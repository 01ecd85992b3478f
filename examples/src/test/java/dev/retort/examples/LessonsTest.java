package dev.retort.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.model.ModelFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LessonsTest {
    @TempDir
    Path temp;

    @Test
    void a_teacher_is_trained_a_student_distilled_and_both_draw() {
        Path teacher = TrainTeacher.train(temp.resolve("teacher"), 320);
        Path student = DistilStudent.distil(teacher, temp.resolve("student"), 320);
        assertThat(ModelFolder.card(student).network().parameters())
                .isLessThan(ModelFolder.card(teacher).network().parameters() / 2);
        DrawSamples.draw(student, temp.resolve("student.png"));
        assertThat(temp.resolve("student.png"))
                .satisfies(png -> assertThat(Files.size(png)).isGreaterThan(1000));
    }

    @Test
    void more_steps_land_closer_to_the_ring() {
        assertThat(SolverWithoutNetwork.missedRadius("flow-heun", 20))
                .isLessThan(SolverWithoutNetwork.missedRadius("flow-heun", 3))
                .isLessThan(0.06);
    }
}
