package dev.retort.evaluate;

import dev.retort.config.CardFile;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.torch.Natives;
import dev.retort.torch.TorchError;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** The parent's end of a {@link CostProbe}: the same Java and class path as this process, nothing shared. */
final class CostProbeProcess implements AutoCloseable {
    /**
     * A small heap, all of it in memory from the start, that grows as needed, and no garbage collector with memory of its own.
     * Else what Java happens to touch would count as the model's.
     */
    private static final List<String> JVM = List.of("-XX:+UseSerialGC", "-Xms32m", "-XX:+AlwaysPreTouch");

    private static final TypeReference<Map<String, Double>> ANSWER = new TypeReference<>() {};

    /** 128 and SIGKILL, by which Linux ends what takes too much memory. */
    private static final int KILLED = 137;

    private final String name;
    private final Process process;
    private final BufferedReader in;
    private final Writer out;
    private final Path errors;

    /** Starts the process and gives it its request. */
    CostProbeProcess(String name, CostProbe.ProbeRequest request) {
        this.name = name;
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(JVM);
        String cache = System.getProperty("org.bytedeco.javacpp.cachedir");
        if (cache != null) {
            command.add("-Dorg.bytedeco.javacpp.cachedir=" + cache);
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), CostProbe.class.getName()));
        try {
            errors = Files.createTempFile("retort-measure", ".txt");
            ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
            // Threads that spin for long would slow the neighbour that is being measured.
            Map<String, String> environment = builder.environment();
            if (!environment.containsKey("OMP_WAIT_POLICY")) {
                Natives.WAITING.forEach(environment::putIfAbsent);
            }
            process = builder.start();
        } catch (IOException e) {
            throw new RetortException(
                            Kind.ENVIRONMENT,
                            "no process could be started to measure " + name + " (" + e.getMessage()
                                    + "); run 'retort doctor', or leave the measurement out with 0 rounds",
                            e)
                    .about("rounds");
        }
        in = process.inputReader();
        out = process.outputWriter();
        send(CardFile.tree(request).toString());
    }

    /** Sends one line. */
    void send(String line) {
        try {
            out.write(line + "\n");
            out.flush();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Waits for one line. */
    Map<String, Double> answer() {
        try {
            String line = in.readLine();
            if (line == null) {
                throw failed(null);
            }
            return JsonMapper.shared().readValue(line, ANSWER);
        } catch (IOException | JacksonException e) {
            throw failed(e);
        }
    }

    private RetortException failed(Exception cause) {
        String why = "";
        try {
            process.waitFor(5, TimeUnit.SECONDS);
            why = Files.readAllLines(errors).stream()
                    .filter(line -> !line.isBlank() && !line.startsWith("\tat ") && !line.startsWith("WARNING"))
                    .findFirst()
                    .map(line -> " (" + line.replaceFirst("^Exception in thread \"main\" [\\w.$]+: ", "") + ")")
                    .orElse(process.isAlive() ? "" : " (exit code " + process.exitValue() + ")");
        } catch (IOException e) {
            cause = cause == null ? e : cause;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        boolean memory = why.contains("heap space")
                || why.contains("exit code " + KILLED)
                || TorchError.isOutOfMemory(new RuntimeException(why));
        return new RetortException(
                        memory ? Kind.MEMORY : Kind.ENVIRONMENT,
                        "the process that measures " + name + " died" + why
                                + "; use a smaller request where memory is short, or 0 rounds to leave the measurement out",
                        cause)
                .about("rounds");
    }

    @Override
    public void close() {
        try {
            out.close(); // the end of its input ends the process
            if (!process.waitFor(2, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        try {
            Files.deleteIfExists(errors);
        } catch (IOException e) {
            errors.toFile().deleteOnExit();
        }
    }
}
