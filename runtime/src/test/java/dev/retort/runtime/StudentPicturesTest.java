package dev.retort.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.diffusion.ArrayExecutor;
import dev.retort.diffusion.Plan;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The pictures of each form of file are those of the reference, and depend on nothing but what is asked for. */
class StudentPicturesTest {
    private static final TestStudents NETWORK = new TestStudents(5);
    private static final Plan TWO = TestStudents.plan(2);
    private static final Plan FOUR = TestStudents.plan(4);

    @TempDir
    private Path folder;

    static void requireEqual(List<Image> images, Plan plan, ArrayExecutor.Network[] networks, long seed) {
        for (int i = 0; i < images.size(); i++) {
            double[] expected = ArrayExecutor.sample(plan, TestStudents.SIZE, networks[i % networks.length], seed, i);
            byte[] bytes = images.get(i).bytes();
            for (int j = 0; j < bytes.length; j++) {
                long level = Math.round(Math.max(0, Math.min(255, (expected[j] + 1) * 127.5)));
                assertThat((long) (bytes[j] & 0xff))
                        .as("picture %s, pixel %s", i, j)
                        .isBetween(level - 1, level + 1);
            }
        }
    }

    private static ArrayExecutor.Network[] networks(int... labels) {
        return Arrays.stream(labels).mapToObj(NETWORK::network).toArray(ArrayExecutor.Network[]::new);
    }

    @Test
    void a_network_asked_at_any_time_draws_the_references_pictures_class_after_class() {
        Path file = NETWORK.anyTime(folder.resolve("any.onnx"), TestStudents.metadata("network", 1, TWO, FOUR));
        try (Student student = Student.open(file)) {
            assertThat(student.classes()).isEqualTo(TestStudents.CLASSES);
            assertThat(student.steps()).containsExactly(2, 4);
            assertThat(student.shape()).isEqualTo(new Shape(1, 8, 8));
            requireEqual(student.sample(Request.of(2, 0).seed(7).count(3)), TWO, networks(2, 0), 7);
            requireEqual(student.sample(Request.ofClasses("asterisk").steps(4)), FOUR, networks(2), 0);
            requireEqual(student.sample(Request.of()), TWO, networks(0, 1, 2), 0);
        }
    }

    @Test
    void guidance_is_computed_from_two_answers() {
        Path file = NETWORK.anyTime(folder.resolve("any.onnx"), TestStudents.metadata("network", 2.5, FOUR));
        try (Student student = Student.open(file)) {
            requireEqual(
                    student.sample(Request.of(1).seed(3).count(5)),
                    FOUR,
                    new ArrayExecutor.Network[] {NETWORK.guided(1, 2.5)},
                    3);
        }
    }

    @Test
    void a_folded_network_is_asked_by_rows() {
        Path file = NETWORK.folded(
                folder.resolve("folded.onnx"), TestStudents.metadata("network", 1.5, TWO, FOUR), TWO, FOUR);
        try (Student student = Student.open(file)) {
            requireEqual(
                    student.sample(Request.of(2).seed(1).count(2)),
                    TWO,
                    new ArrayExecutor.Network[] {NETWORK.guided(2, 1.5)},
                    1);
            requireEqual(
                    student.sample(Request.of(0).seed(1).steps(4)),
                    FOUR,
                    new ArrayExecutor.Network[] {NETWORK.guided(0, 1.5)},
                    1);
        }
    }

    @Test
    void an_unrolled_network_gets_all_its_noise_at_once() {
        Plan plan = TestStudents.noisyPlan(3);
        assertThat(plan.addsNoise()).isTrue();
        Path file = NETWORK.unrolled(folder.resolve("unrolled.onnx"), TestStudents.metadata("unrolled", 1, plan), plan);
        try (Student student = Student.open(file)) {
            requireEqual(student.sample(Request.of(1, 2).seed(9).count(3)), plan, networks(1, 2), 9);
        }
    }

    @Test
    void noise_between_steps_has_the_toolkits_addresses() {
        Plan plan = TestStudents.noisyPlan(4);
        Path file = NETWORK.anyTime(folder.resolve("noisy.onnx"), TestStudents.metadata("network", 1, plan));
        try (Student student = Student.open(file)) {
            requireEqual(student.sample(Request.of(0).seed(12345678901L).count(4)), plan, networks(0), 12345678901L);
        }
    }
}
