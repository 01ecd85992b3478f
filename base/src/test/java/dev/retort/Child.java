package dev.retort;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A JVM of its own with the tests' class path: for what must be killed, limited or started afresh. */
public final class Child implements AutoCloseable {
    private static final long PATIENCE_MINUTES = 5;

    private final Process process;
    private final BufferedReader output;
    private final List<String> lines = new ArrayList<>();

    private Child(Process process) {
        this.process = process;
        this.output = process.inputReader();
    }

    /** Starts the main method of a test class. */
    public static Child start(Class<?> main, List<String> jvm, Map<String, String> environment, String... arguments)
            throws IOException {
        return start(List.of(), main, jvm, environment, arguments);
    }

    /** The same, behind a shell command such as {@code ulimit -f 8}. */
    public static Child limited(String shell, Class<?> main, List<String> jvm, String... arguments) throws IOException {
        return start(List.of("sh", "-c", shell + "; exec \"$@\"", "sh"), main, jvm, Map.of(), arguments);
    }

    private static Child start(
            List<String> before, Class<?> main, List<String> jvm, Map<String, String> environment, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC"));
        // It is gone before the slow compiler's work would pay.
        command.add("-XX:TieredStopAtLevel=1");
        command.addAll(jvm);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        // Threads that wait for work must not take the cores of a busy machine.
        builder.environment().putIfAbsent("OMP_WAIT_POLICY", "PASSIVE");
        builder.environment().putAll(environment);
        return new Child(builder.start());
    }

    /** The next line it prints, null at its end. */
    public String line() throws IOException {
        String line = output.readLine();
        if (line != null) {
            lines.add(line);
        }
        return line;
    }

    /** kill -9, and waits until it is gone. */
    public void kill() throws InterruptedException {
        process.destroyForcibly();
        assertThat(process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES)).isTrue();
    }

    /** Waits for its end and returns all it printed; its exit code must be 0. */
    public List<String> finish() throws IOException, InterruptedException {
        while (line() != null) {
            // Collected by line().
        }
        assertThat(process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(String.join("\n", lines)).isZero();
        return List.copyOf(lines);
    }

    @Override
    public void close() throws InterruptedException {
        kill();
    }
}
