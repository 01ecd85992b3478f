package dev.retort.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/** A process of its own whose memory is read: requests of every kind, good and bad, and reloads. */
final class LeakProbe {
    private LeakProbe() {}

    /** Arguments: two student files, numbers of requests and of reloads; prints resident kilobytes before and after each. */
    public static void main(String[] args) throws IOException {
        Path one = Path.of(args[0]);
        Path other = Path.of(args[1]);
        int requests = Integer.parseInt(args[2]);
        int reloads = Integer.parseInt(args[3]);
        try (Student student =
                Student.open(one, StudentOptions.throughput().threads(2).batchSizes(1, 4))) {
            ask(student, requests / 3);
            long before = resident();
            ask(student, requests);
            System.out.println("requests " + before + " " + resident());
            reload(student, one, other, reloads / 3);
            before = resident();
            reload(student, one, other, reloads);
            System.out.println("reloads " + before + " " + resident());
        }
        System.out.println(
                "openmp " + Files.readString(Path.of("/proc/self/maps")).matches("(?s).*lib(gomp|omp|iomp5|mkl).*"));
    }

    private static void ask(Student student, int requests) {
        Random random = new Random(requests);
        for (int i = 0; i < requests; i++) {
            Request request = Request.of(random.nextInt(3)).seed(i).count(1 + random.nextInt(5));
            try {
                switch (i % 8) {
                    case 5 -> student.sample(request, Duration.ofNanos(1 + random.nextInt(100_000)));
                    case 6 -> student.submit(request.steps(4)).cancel(true);
                    case 7 -> student.sample(request.count(1000));
                    default -> student.sample(request);
                }
            } catch (StudentException e) {
                switch (e.kind()) {
                    case DEADLINE, TOO_LARGE, QUEUE_FULL -> {}
                    default -> throw e;
                }
            }
        }
    }

    private static void reload(Student student, Path one, Path other, int reloads) {
        for (int i = 0; i < reloads; i++) {
            CompletableFuture<?> inFlight = student.submit(Request.of(0, 1).count(2));
            student.reload(i % 2 == 0 ? other : one);
            inFlight.join();
        }
    }

    /** After a collection, which frees buffers that nothing refers to. */
    private static long resident() throws IOException {
        System.gc();
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }
}
