package dev.retort.bench;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.torch.Natives;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A child process that measures: a line of JSON to it, a line of JSON back. */
final class Worker implements AutoCloseable {
    private static final JsonMapper JSON = new JsonMapper();

    private final String name;
    private final Process process;
    private final Writer to;
    private final BufferedReader from;
    private final JsonNode hello;

    private Worker(String name, List<String> command, Map<String, String> environment) {
        this.name = name;
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
        // PyTorch waits by its own default, some milliseconds awake: less than a turn.
        Natives.WAITING.keySet().forEach(builder.environment()::remove);
        builder.environment().putAll(environment);
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new RetortException(Kind.ENVIRONMENT, command.get(0) + " could not be started: " + e.getMessage(), e);
        }
        to = process.outputWriter(StandardCharsets.UTF_8);
        from = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        hello = read();
    }

    /** Our side, in a JVM like this one. */
    static Worker ours(String device) {
        return ours(device, Map.of());
    }

    /** Our side as another commit has it. */
    static Worker before(Path jar, String device) {
        return java(device, Map.of(), jar.toString());
    }

    /** Our side with more in its environment, and options of the JVM. */
    static Worker ours(String device, Map<String, String> environment, String... options) {
        return java(device, environment, System.getProperty("java.class.path"), options);
    }

    private static Worker java(String device, Map<String, String> environment, String classes, String... options) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", classes, StepServer.class.getName(), device));
        Map<String, String> all = new HashMap<>(Natives.WAITING);
        all.putAll(environment);
        return new Worker("ours", command, all);
    }

    /** Plain PyTorch in the Python given. */
    static Worker peer(Path python, Path script, String device) {
        return new Worker("peer", List.of(python.toString(), script.toString(), device), Map.of());
    }

    /** What the worker said of itself. */
    JsonNode hello() {
        return hello;
    }

    /** The answer to a command; fails with ENVIRONMENT where the worker reports an error or dies. */
    JsonNode ask(Map<String, Object> command) {
        try {
            to.write(JSON.writeValueAsString(command));
            to.write('\n');
            to.flush();
        } catch (IOException e) {
            throw new RetortException(Kind.ENVIRONMENT, "the " + name + " process ended early", e);
        }
        JsonNode answer = read();
        if (answer.has("error")) {
            throw new RetortException(
                    Kind.ENVIRONMENT,
                    "the " + name + " process failed: " + answer.get("error").asString());
        }
        return answer;
    }

    private JsonNode read() {
        try {
            String line = from.readLine();
            if (line == null) {
                throw new RetortException(
                        Kind.ENVIRONMENT, "the " + name + " process ended early; is its memory enough?");
            }
            return JSON.readTree(line);
        } catch (IOException e) {
            throw new RetortException(Kind.ENVIRONMENT, "the " + name + " process cannot be read", e);
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
