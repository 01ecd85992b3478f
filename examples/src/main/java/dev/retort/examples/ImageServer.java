package dev.retort.examples;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.retort.runtime.Image;
import dev.retort.runtime.Request;
import dev.retort.runtime.Student;
import dev.retort.runtime.StudentException;
import dev.retort.runtime.StudentMetrics;
import dev.retort.runtime.StudentOptions;
import dev.retort.runtime.StudentOptions.Mode;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Phaser;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Lesson 13: an exported student as a web service that clients of OpenAI's image API understand, with nothing but the JDK's server and a
 * reader of JSON. {@code POST /v1/images/generations} draws, {@code GET /health} says whether it may be asked, {@code GET /metrics} what it has
 * done. What is wrong is refused before anything is made for it; who comes while the queue is full gets 503 at once. No thread waits for a picture.
 *
 * <p>Arguments: the file, then {@code --port N}, {@code --host ADDRESS} (the machine itself by default: it asks nobody who he is),
 * {@code --queue N}, {@code --mode latency|throughput}, {@code --deadline SECONDS}.
 */
public final class ImageServer implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ImageServer.class.getName());
    private static final int THREADS = 16;
    private static final int GRACE_SECONDS = 10;
    private static final String ANSWER_SECONDS = "sun.net.httpserver.maxRspTime";

    private record Answer(int status, String type, String body) {
        static Answer json(int status, Object value) {
            return new Answer(status, "application/json", ImageBody.JSON.writeValueAsString(value));
        }
    }

    /** What is answered in place of pictures. */
    static final class Refusal extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final int status;
        private final String field;

        Refusal(int status, String field, String message) {
            super(message);
            this.status = status;
            this.field = field;
        }
    }

    private final Student student;
    private final String model;
    private final Duration deadline;
    private final HttpServer http;
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    private final Phaser inWork = new Phaser(1);
    private volatile boolean stopping;

    private ImageServer(Student student, String model, InetSocketAddress address, Duration deadline)
            throws IOException {
        this.student = student;
        this.model = model;
        this.deadline = deadline;
        set(deadline);
        http = HttpServer.create(address, 0);
        http.setExecutor(threads);
        http.createContext("/", this::handle);
    }

    /**
     * What the JDK's server reads once, so a process's first server decides. Without nodelay, an answer to a kept connection may wait 40 ms for the
     * client's kernel. The others, in seconds, free the thread of one who sends no further, and of one who does not read his answer, which
     * is counted from the whole request on and so has the pictures' time in it.
     */
    private static void set(Duration deadline) {
        long answer = deadline.toSeconds() + 1 + GRACE_SECONDS;
        Map.of("sun.net.httpserver.nodelay", "true", "sun.net.httpserver.maxReqTime", "10", ANSWER_SECONDS, "" + answer)
                .forEach((name, value) -> System.setProperty(name, System.getProperty(name, value)));
        if (Long.getLong(ANSWER_SECONDS) <= deadline.toSeconds()) {
            throw new IllegalArgumentException(
                    "deadline is " + deadline + ", and this process's servers end answers after "
                            + System.getProperty(ANSWER_SECONDS) + " s; allow more by -D" + ANSWER_SECONDS);
        }
    }

    /**
     * Listens, draws the first pictures, then returns.
     *
     * @param student stays the caller's to close
     * @param model what requests may call it
     * @param deadline of each request; the longest in a process is its first server's
     * @throws IllegalArgumentException where the deadline is longer than this process's servers let an answer take
     */
    public static ImageServer start(Student student, String model, InetSocketAddress address, Duration deadline)
            throws IOException {
        ImageServer server = new ImageServer(student, model, address, deadline);
        server.http.start();
        try {
            student.warmUp();
        } catch (StudentException e) {
            server.close();
            throw e;
        }
        return server;
    }

    /** Where it listens. */
    public int port() {
        return http.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) {
        inWork.register();
        CompletableFuture<Answer> answer;
        try {
            answer = route(exchange);
        } catch (IOException | RuntimeException e) {
            answer = CompletableFuture.failedFuture(e);
        }
        answer.whenCompleteAsync((made, e) -> send(exchange, e == null ? made : failure(exchange, e)), threads);
    }

    private CompletableFuture<Answer> route(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String method = path.equals("/v1/images/generations") ? "POST" : "GET";
        if (!List.of("/v1/images/generations", "/health", "/metrics").contains(path)) {
            throw new Refusal(404, null, "there is no " + path + "; use /v1/images/generations, /health or /metrics");
        }
        if (!exchange.getRequestMethod().equals(method)) {
            exchange.getResponseHeaders().set("Allow", method);
            throw new Refusal(405, null, path + " has no " + exchange.getRequestMethod() + "; use " + method);
        }
        return switch (path) {
            case "/health" -> CompletableFuture.completedFuture(health());
            case "/metrics" -> CompletableFuture.completedFuture(metrics());
            default -> draw(exchange);
        };
    }

    private Answer health() {
        boolean ready = student.isReady() && !stopping;
        return Answer.json(ready ? 200 : 503, Map.of("status", ready ? "ready" : stopping ? "stopping" : "starting"));
    }

    private CompletableFuture<Answer> draw(HttpExchange exchange) throws IOException {
        if (stopping) {
            throw new Refusal(503, null, "the server is being stopped; ask another one");
        }
        Request request = ImageBody.request(exchange, student, model);
        return student.submit(request, deadline).thenApplyAsync(images -> pictures(images, request), threads);
    }

    private Answer pictures(List<Image> images, Request request) {
        String name = request.subject(student);
        List<Map<String, String>> data = images.stream()
                .map(image ->
                        Map.of("b64_json", Base64.getEncoder().encodeToString(image.png()), "revised_prompt", name))
                .toList();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("created", Instant.now().getEpochSecond());
        answer.put("seed", request.seed());
        if (!student.cut(name).isEmpty()) {
            answer.put("left_out", student.cut(name));
        }
        answer.put("data", data);
        return Answer.json(200, answer);
    }

    private static Answer failure(HttpExchange exchange, Throwable thrown) {
        Throwable e = thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
        int status = e instanceof Refusal refusal ? refusal.status : e instanceof StudentException s ? status(s) : 500;
        if (status == 503) {
            exchange.getResponseHeaders().set("Retry-After", "1");
        }
        if (status == 500) {
            LOG.log(System.Logger.Level.ERROR, "a request failed", e);
        }
        Map<String, Object> error = new LinkedHashMap<>();
        error.put("message", status == 500 ? "the server failed; its log says how" : e.getMessage());
        error.put("type", status < 500 ? "invalid_request_error" : "server_error");
        error.put("param", e instanceof Refusal refusal ? refusal.field : null);
        error.put("code", e instanceof StudentException s ? s.kind().name().toLowerCase(Locale.ROOT) : null);
        return Answer.json(status, Map.of("error", error));
    }

    private static int status(StudentException e) {
        return switch (e.kind()) {
            case BAD_REQUEST -> 400;
            case TOO_LARGE -> 413;
            case QUEUE_FULL, CLOSED -> 503;
            case DEADLINE -> 504;
            default -> 500;
        };
    }

    private void send(HttpExchange exchange, Answer answer) {
        byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", answer.type());
            exchange.sendResponseHeaders(answer.status(), body.length);
            exchange.getResponseBody().write(body);
        } catch (IOException e) {
            // who asked has gone
        } finally {
            inWork.arriveAndDeregister();
        }
    }

    private Answer metrics() {
        StudentMetrics now = student.metrics();
        String text = String.format(
                Locale.ROOT,
                """
                retort_requests_total %d
                retort_failures_total %d
                retort_images_total %d
                retort_batches_total %d
                retort_steps_total %d
                retort_queue_seconds_total %.6f
                retort_step_seconds_total %.6f
                retort_waiting_requests %d
                """,
                now.requests(),
                now.failures(),
                now.images(),
                now.batches(),
                now.steps(),
                now.queueNanos() / 1e9,
                now.stepNanos() / 1e9,
                now.waiting());
        return new Answer(200, "text/plain; version=0.0.4", text + residentMemory());
    }

    /** As Linux says it, under the name that Prometheus knows; nothing elsewhere. */
    private static String residentMemory() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .map(line ->
                            "process_resident_memory_bytes " + 1024 * Long.parseLong(line.replaceAll("\\D", "")) + "\n")
                    .findFirst()
                    .orElse("");
        } catch (IOException e) {
            return "";
        }
    }

    /** Lets nobody in any more, gives who is in some seconds, and ends. */
    @Override
    public void close() {
        stopping = true;
        int phase = inWork.arriveAndDeregister();
        try {
            inWork.awaitAdvanceInterruptibly(phase, GRACE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            // they had their time
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        http.stop(0);
        threads.shutdown();
    }

    /** Runs the lesson until Ctrl-C. */
    public static void main(String[] args) throws IOException {
        Map<String, String> options = new HashMap<>(Map.of(
                "--port", "8080", "--host", "127.0.0.1", "--queue", "64", "--mode", "throughput", "--deadline", "10"));
        for (int i = 1; i < args.length; i += 2) {
            if (i + 1 == args.length || options.replace(args[i], args[i + 1]) == null) {
                throw new IllegalArgumentException(
                        args[i] + " is unknown or has no value; there are " + options.keySet());
            }
        }
        boolean latency = Mode.valueOf(options.get("--mode").toUpperCase(Locale.ROOT)) == Mode.LATENCY;
        StudentOptions how = latency ? StudentOptions.latency() : StudentOptions.throughput();
        Path file = Path.of(args[0]);
        Student student = Student.open(file, how.queueCapacity(Integer.parseInt(options.get("--queue"))));
        ImageServer server = start(
                student,
                file.getFileName().toString().replaceFirst("\\.onnx$", ""),
                new InetSocketAddress(options.get("--host"), Integer.parseInt(options.get("--port"))),
                Duration.ofSeconds(Long.parseLong(options.get("--deadline"))));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.close();
            student.close();
        }));
        System.out.println("http://" + options.get("--host") + ":" + server.port() + " draws "
                + (student.takesPrompts() ? "prompts such as " + student.prompts() : student.classes()));
    }
}

/** What clients send to have pictures drawn, read strictly. */
final class ImageBody {
    static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final int MOST_BYTES = 64 << 10;
    private static final int MOST_IMAGES = 10;
    private static final List<String> FIELDS = List.of("prompt", "model", "n", "size", "response_format", "seed");

    private ImageBody() {}

    private static byte[] bytes(HttpExchange exchange) throws IOException {
        String type = exchange.getRequestHeaders().getFirst("Content-Type");
        if (type == null || !type.replaceFirst(";.*", "").strip().equalsIgnoreCase("application/json")) {
            throw new ImageServer.Refusal(415, null, "Content-Type is " + type + "; expected application/json");
        }
        String length = exchange.getRequestHeaders().getFirst("Content-Length");
        boolean large = length != null && Long.parseLong(length) > MOST_BYTES;
        byte[] body = large ? new byte[0] : exchange.getRequestBody().readNBytes(MOST_BYTES + 1);
        if (large || body.length > MOST_BYTES) {
            exchange.getResponseHeaders().set("Connection", "close");
            throw new ImageServer.Refusal(
                    413, null, "the body is larger than " + MOST_BYTES + " bytes; a prompt is a few words");
        }
        return body;
    }

    private static JsonNode parsed(byte[] body) {
        try {
            JsonNode json = JSON.readTree(body);
            if (json.isObject()) {
                return json;
            }
        } catch (JacksonException e) {
            throw new ImageServer.Refusal(400, null, "the body is no JSON (" + e.getOriginalMessage() + ")");
        }
        throw new ImageServer.Refusal(
                400, null, "the body is no JSON object; expected one such as {\"prompt\": \"bag\"}");
    }

    /** What is asked for; the model and the size are those that there are, or none. */
    static Request request(HttpExchange exchange, Student student, String model) throws IOException {
        JsonNode body = parsed(bytes(exchange));
        for (String field : body.propertyNames()) {
            require(FIELDS.contains(field), field, "not known here", "some of " + FIELDS);
        }
        String wanted = text(body, "model", model);
        if (!wanted.equals(model)) {
            throw new ImageServer.Refusal(404, "model", "model is " + wanted + "; expected " + model + ", or none");
        }
        String size = student.shape().width() + "x" + student.shape().height();
        for (Map.Entry<String, String> only :
                Map.of("size", size, "response_format", "b64_json").entrySet()) {
            String value = text(body, only.getKey(), only.getValue());
            require(value.equals(only.getValue()), only.getKey(), value, only.getValue() + ", or none");
        }
        long n = whole(body, "n", 1);
        require(n >= 1 && n <= MOST_IMAGES, "n", n, "1 to " + MOST_IMAGES);
        long seed = whole(body, "seed", ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE));
        require(seed >= 0, "seed", seed, "at least 0, or none for any");
        return Request.inWords(text(body, "prompt", ""), student).seed(seed).count((int) n);
    }

    private static void require(boolean right, String field, Object value, String expected) {
        if (!right) {
            throw new ImageServer.Refusal(400, field, field + " is " + value + "; expected " + expected);
        }
    }

    private static String text(JsonNode body, String field, String otherwise) {
        JsonNode value = body.path(field);
        boolean none = value.isMissingNode() || value.isNull();
        require(none || value.isString(), field, value, "a text");
        return none ? otherwise : value.stringValue();
    }

    private static long whole(JsonNode body, String field, long otherwise) {
        JsonNode value = body.path(field);
        boolean none = value.isMissingNode() || value.isNull();
        require(none || value.isIntegralNumber() && value.canConvertToLong(), field, value, "a whole number");
        return none ? otherwise : value.longValue();
    }
}
