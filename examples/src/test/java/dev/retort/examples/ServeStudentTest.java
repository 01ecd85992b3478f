package dev.retort.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.io.ImageDecoder;
import dev.retort.io.PixelImage;
import dev.retort.runtime.StudentMetrics;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServeStudentTest {
    @TempDir
    Path temp;

    @Test
    void a_student_of_the_zoo_is_exported_and_served() throws Exception {
        Path onnx = ServeStudent.export(Path.of("..", "zoo", "fashion-few"), temp.resolve("fashion.onnx"));
        StudentMetrics metrics = ServeStudent.serve(onnx, temp.resolve("pictures"));
        assertThat(metrics.requests()).isEqualTo(10); // warming up is none
        assertThat(metrics.failures()).isZero();
        PixelImage bag = ImageDecoder.read(temp.resolve("pictures/8.png"));
        assertThat(bag.width()).isEqualTo(28);
        assertThat(bag.pixels()).contains((byte) 0).isNotEqualTo(new byte[28 * 28]);
    }
}
