package dev.retort.android;

import dev.retort.runtime.Image;
import dev.retort.runtime.Request;
import dev.retort.runtime.Student;
import dev.retort.runtime.StudentOptions;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** A student that came with the app. Nothing here is Android's own, so it runs, and is tested, on any JVM. */
final class Pictures implements AutoCloseable {
    private static final int THREADS = 2; // a phone's fast cores

    private final Student student;

    private Pictures(Student student) {
        this.student = student;
    }

    /**
     * Opens a student.
     *
     * @param asset its file in the app's package: ONNX Runtime opens files by path, so that they need not fit into Java's heap
     * @param file where it is unpacked
     */
    static Pictures open(InputStream asset, File file) throws IOException {
        try (OutputStream out = new FileOutputStream(file)) {
            byte[] part = new byte[1 << 16];
            for (int read = asset.read(part); read >= 0; read = asset.read(part)) {
                out.write(part, 0, read);
            }
        }
        StudentOptions options = StudentOptions.latency().threads(THREADS).batchSizes(1);
        return new Pictures(Student.open(file.toPath(), options));
    }

    /** One picture of the student's first class. */
    Image draw(long seed) {
        return student.sample(Request.of(student.labels().get(0)).seed(seed)).get(0);
    }

    @Override
    public void close() {
        student.close();
    }
}
