import dev.retort.runtime.Request;
import dev.retort.runtime.Student;
import java.nio.file.Files;
import java.nio.file.Path;

/** Draws a picture. Arguments: the exported student, the name of a class, the PNG file. */
public class DrawPicture {
    public static void main(String[] args) throws Exception {
        try (Student student = Student.open(Path.of(args[0]))) {
            Files.write(Path.of(args[2]), student.sample(Request.ofClasses(args[1]).seed(7)).get(0).png());
        }
    }
}
