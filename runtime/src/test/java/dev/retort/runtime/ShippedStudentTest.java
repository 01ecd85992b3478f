package dev.retort.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The student that the project ships in 8 bits. */
class ShippedStudentTest {
    private static final Path FILE = Path.of("..", "zoo", "fashion-few.onnx");

    @Test
    void it_is_small_and_draws_clothes_on_black_of_each_class_on_any_cpu() throws Exception {
        assertThat(Files.size(FILE)).isLessThan(3_000_000);
        try (Student student = Student.open(FILE)) {
            assertThat(student.classes()).hasSize(10).contains("bag", "sneaker");
            assertThat(student.steps()).containsExactly(1);
            List<Image> images =
                    student.sample(Request.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9).seed(7));
            assertThat(images).hasSize(10).doesNotHaveDuplicates();
            for (Image image : images) {
                int dark = 0;
                int bright = 0;
                for (byte level : image.bytes()) {
                    dark += (level & 0xff) < 26 ? 1 : 0;
                    bright += (level & 0xff) > 102 ? 1 : 0;
                }
                assertThat(dark).as("dark pixels of 784").isBetween(150, 700);
                assertThat(bright).as("bright pixels of 784").isBetween(40, 600);
            }
            // a bag and a sneaker are wide where trousers are not: the left column of pixels in the middle of the
            // height
            assertThat(column(images.get(8), 4)).isGreaterThan(column(images.get(1), 4));
        }
    }

    private static int column(Image image, int x) {
        int sum = 0;
        for (int y = 0; y < image.height(); y++) {
            sum += image.bytes()[y * image.width() + x] & 0xff;
        }
        return sum;
    }
}
