package dev.retort.runtime;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** A process of its own that opens a student under odd circumstances and prints what came of it. */
final class TrapProbe {
    private TrapProbe() {}

    /** Arguments: what to try, a student file. */
    public static void main(String[] args) throws Exception {
        Path file = Path.of(args[1]);
        switch (args[0]) {
            case "open" -> open(file);
            case "environment" -> environment(file);
            case "threads" -> threads(file);
            case "denormal" -> denormal(file);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void open(Path file) {
        try (Student student = Student.open(file)) {
            System.out.println("drawn " + student.sample(Request.of(1)).size());
        } catch (StudentException e) {
            System.out.println(e.kind() + " " + e.getMessage());
        }
    }

    /** The smallest number above 0, computed on a thread that opened a student. */
    private static void denormal(Path file) {
        try (Student student = Student.open(file)) {
            System.out.println(Float.MIN_VALUE
                    * student.labels().size()
                    / student.classes().size());
        }
    }

    /** Somebody else made the environment first, with threads for all that spin. */
    private static void environment(Path file) throws OrtException {
        OrtEnvironment.ThreadingOptions others = new OrtEnvironment.ThreadingOptions();
        others.setGlobalIntraOpNumThreads(4);
        others.setGlobalSpinControl(true);
        OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING, "somebody else", others);
        open(file);
    }

    /** How many threads opening adds to the process, and what share of a core they take when nobody asks. */
    private static void threads(Path file) throws IOException, InterruptedException {
        OrtEnvironment.getEnvironment();
        long before = count();
        LoadedModel model = LoadedModel.open(file, 1, false);
        System.out.println("one " + (count() - before));
        model.release();
        model = LoadedModel.open(file, 3, false);
        System.out.println("three " + (count() - before));
        model.release();
        try (Student student = Student.open(file, StudentOptions.throughput())) {
            student.warmUp();
            System.out.println("workers " + workers());
            Thread.sleep(1500); // what was drawn is compiled meanwhile
            OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            long busy = system.getProcessCpuTime();
            Thread.sleep(500);
            System.out.println("idle " + (system.getProcessCpuTime() - busy) / 5_000_000);
        }
    }

    private static long count() throws IOException, InterruptedException {
        Thread.sleep(200); // until the thread that opened a file has ended
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            return tasks.count();
        }
    }

    private static long workers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("retort-student-"))
                .count();
    }
}
