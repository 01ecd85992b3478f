package dev.retort.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Child;
import dev.retort.runtime.Image;
import dev.retort.runtime.Request;
import dev.retort.runtime.Student;
import dev.retort.runtime.StudentOptions;
import dev.retort.runtime.TestStudents;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The server on a port of its own, asked as clients ask and as they should not. */
@Timeout(60)
class ImageServerTest {
    private static final String DRAW = "/v1/images/generations";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @TempDir
    private Path folder;

    private final HttpClient client = HttpClient.newHttpClient();
    private final CountDownLatch free = new CountDownLatch(1);
    private Student student;
    private ImageServer server;

    @BeforeEach
    void start() throws IOException {
        student = Student.open(
                TestStudents.usual(folder), StudentOptions.latency().queueCapacity(2));
        server = start(Duration.ofSeconds(30));
    }

    private ImageServer start(Duration deadline) throws IOException {
        return ImageServer.start(
                student, "shapes", new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), deadline);
    }

    @AfterEach
    void stop() {
        free.countDown();
        server.close();
        student.close();
    }

    private HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path));
    }

    private HttpResponse<String> get(String path) throws Exception {
        return client.send(to(path).build(), BodyHandlers.ofString());
    }

    private HttpRequest drawing(String body) {
        return drawing(BodyPublishers.ofString(body));
    }

    private HttpRequest drawing(BodyPublisher body) {
        return to(DRAW).header("Content-Type", "application/json; charset=utf-8")
                .POST(body)
                .build();
    }

    private HttpResponse<String> draw(String body) throws Exception {
        return client.send(drawing(body), BodyHandlers.ofString());
    }

    private static JsonNode error(int status, HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        JsonNode error = JSON.readTree(response.body()).path("error");
        assertThat(error.path("type").asString()).isEqualTo(status < 500 ? "invalid_request_error" : "server_error");
        assertThat(error.propertyNames()).containsExactlyInAnyOrder("message", "type", "param", "code");
        return error;
    }

    private void refused(String body, String field, String message) throws Exception {
        JsonNode error = error(400, draw(body));
        assertThat(error.path("message").asString()).contains(message);
        assertThat(error.path("param").isNull() ? null : error.path("param").asString())
                .isEqualTo(field);
    }

    /** Holds the one worker until {@link #free}. */
    private CompletableFuture<List<Image>> hold() throws InterruptedException {
        CountDownLatch held = new CountDownLatch(1);
        CompletableFuture<List<Image>> result = student.submit(Request.of(0), Duration.ofMinutes(1), (done, total) -> {
            held.countDown();
            try {
                free.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        held.await();
        return result;
    }

    @Test
    void a_prompt_draws_what_the_student_draws_as_openai_hands_it_out() throws Exception {
        HttpResponse<String> response = draw("""
                {"model": "shapes", "prompt": "a square", "n": 3, "size": "8x8", "response_format": "b64_json", "seed": 7}""");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/json");
        JsonNode answer = JSON.readTree(response.body());
        assertThat(answer.path("created").longValue()).isPositive();
        assertThat(answer.path("seed").longValue()).isEqualTo(7);
        List<Image> expected = student.sample(Request.of(1).seed(7).count(3));
        assertThat(answer.path("data").size()).isEqualTo(3);
        for (int i = 0; i < 3; i++) {
            JsonNode picture = answer.path("data").path(i);
            assertThat(Base64.getDecoder().decode(picture.path("b64_json").asString()))
                    .isEqualTo(expected.get(i).png());
            assertThat(picture.path("revised_prompt").asString()).isEqualTo("square");
        }
    }

    @Test
    void a_prompt_alone_draws_one_picture_whose_seed_draws_it_again() throws Exception {
        JsonNode first = JSON.readTree(draw("{\"prompt\": \"2\", \"n\": null}").body());
        JsonNode again = JSON.readTree(draw("{\"prompt\": \"2\", \"seed\": " + first.path("seed") + "}")
                .body());
        assertThat(again.path("data")).isEqualTo(first.path("data")).hasSize(1);
        assertThat(JSON.readTree(draw("{\"prompt\": \"2\"}").body()).path("data"))
                .isNotEqualTo(first.path("data"));
    }

    @Test
    void a_student_that_takes_prompts_draws_what_the_prompt_says_and_the_answer_tells_what_was_left_out()
            throws Exception {
        server.close();
        student.close();
        student = Student.open(TestStudents.words(folder));
        server = start(Duration.ofSeconds(30));
        String prompt = "A red circle";
        JsonNode answer = JSON.readTree(
                draw("{\"prompt\": \"" + prompt + "\", \"seed\": 7}").body());
        assertThat(Base64.getDecoder()
                        .decode(answer.path("data").path(0).path("b64_json").asString()))
                .isEqualTo(student.sample(Request.ofPrompts("a red circle").seed(7))
                        .get(0)
                        .png());
        assertThat(answer.path("data").path(0).path("revised_prompt").asString())
                .isEqualTo(prompt);
        assertThat(answer.has("left_out")).isFalse();
        assertThat(JSON.readTree(draw("{\"prompt\": \"a red circle two blue squares\"}")
                                .body())
                        .path("left_out")
                        .asString())
                .isEqualTo("blue squares");
        refused("{}", null, "prompt is empty; expected a text that says what is to be drawn");
    }

    @Test
    void a_body_that_is_no_json_object_or_says_a_thing_twice_is_refused() throws Exception {
        for (String body : List.of("", "{", "{\"prompt\": \"square\"", "{} {}", "{\"n\": 1, \"n\": 2}", "nonsense")) {
            refused(body, null, "the body is no JSON");
        }
        refused("[\"square\"]", null, "the body is no JSON object");
        refused("[".repeat(2000), null, "the body is no JSON");
        refused("{\"n\": " + "9".repeat(2000) + "}", null, "the body is no JSON");
    }

    @Test
    void each_field_that_is_wrong_is_named_with_what_was_expected() throws Exception {
        refused("{}", null, "the prompt is empty; expected the name or the number of a class");
        refused("{\"prompt\": \"hexagon\"}", null, "'hexagon' is no class of this student");
        refused("{\"prompt\": \"7\"}", null, "class 7 is none that the student draws");
        refused("{\"prompt\": 7}", "prompt", "prompt is 7; expected a text");
        refused("{\"prompt\": \"0\", \"n\": 0}", "n", "n is 0; expected 1 to 10");
        refused("{\"prompt\": \"0\", \"n\": 11}", "n", "n is 11; expected 1 to 10");
        refused("{\"prompt\": \"0\", \"n\": 1.5}", "n", "n is 1.5; expected a whole number");
        refused("{\"prompt\": \"0\", \"n\": \"2\"}", "n", "n is \"2\"; expected a whole number");
        refused("{\"prompt\": \"0\", \"seed\": -1}", "seed", "seed is -1; expected at least 0");
        refused("{\"prompt\": \"0\", \"seed\": 1e99}", "seed", "expected a whole number");
        refused("{\"prompt\": \"0\", \"seed\": 9223372036854775808}", "seed", "expected a whole number");
        refused("{\"prompt\": \"0\", \"size\": \"1024x1024\"}", "size", "size is 1024x1024; expected 8x8, or none");
        refused("{\"prompt\": \"0\", \"response_format\": \"url\"}", "response_format", "expected b64_json, or none");
        refused("{\"prompt\": \"0\", \"style\": \"vivid\"}", "style", "style is not known here");
        JsonNode error = error(404, draw("{\"prompt\": \"0\", \"model\": \"dall-e-3\"}"));
        assertThat(error.path("message").asString()).isEqualTo("model is dall-e-3; expected shapes, or none");
        assertThat(student.metrics().waiting()).isZero();
    }

    @Test
    void other_paths_methods_and_types_are_refused_as_http_says_it() throws Exception {
        error(404, get("/v1/images/edits"));
        error(404, get("/health/x"));
        HttpResponse<String> got = get(DRAW);
        error(405, got);
        assertThat(got.headers().firstValue("Allow")).contains("POST");
        error(405, client.send(to("/health").DELETE().build(), BodyHandlers.ofString()));
        BodyPublisher body = BodyPublishers.ofString("{\"prompt\": \"0\"}");
        error(415, client.send(to(DRAW).POST(body).build(), BodyHandlers.ofString()));
        error(
                415,
                client.send(
                        to(DRAW).header("Content-Type", "text/plain").POST(body).build(), BodyHandlers.ofString()));
    }

    @Test
    void a_body_of_ten_gigabytes_is_refused_before_a_byte_of_it_is_read() throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            String head = "POST " + DRAW + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 10737418240\r\n\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            byte[] answer = new byte[1 << 10];
            int read = socket.getInputStream().readNBytes(answer, 0, 12);
            assertThat(new String(answer, 0, read, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 413");
        }
        String large = "{\"prompt\": \"" + "x".repeat(64 << 10) + "\"}";
        error(413, draw(large));
        BodyPublisher chunked = BodyPublishers.fromPublisher(BodyPublishers.ofString(large));
        error(413, client.send(drawing(chunked), BodyHandlers.ofString()));
        assertThat(draw("{\"prompt\": \"0\"}").statusCode()).isEqualTo(200);
    }

    @Test
    void a_full_queue_is_503_at_once_and_who_waited_gets_his_pictures() throws Exception {
        CompletableFuture<List<Image>> drawing = hold();
        List<CompletableFuture<HttpResponse<String>>> waiting = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            waiting.add(client.sendAsync(drawing("{\"prompt\": \"1\", \"seed\": 3}"), BodyHandlers.ofString()));
        }
        while (student.metrics().waiting() < 2) {
            Thread.sleep(1);
        }
        for (int i = 0; i < 40; i++) {
            HttpResponse<String> response = draw("{\"prompt\": \"0\"}");
            JsonNode error = error(503, response);
            assertThat(error.path("code").asString()).isEqualTo("queue_full");
            assertThat(response.headers().firstValue("Retry-After")).contains("1");
        }
        free.countDown();
        assertThat(drawing.get()).hasSize(1);
        for (CompletableFuture<HttpResponse<String>> response : waiting) {
            assertThat(response.get().statusCode()).isEqualTo(200);
        }
    }

    @Test
    void pictures_that_are_not_there_in_time_are_504() throws Exception {
        server.close();
        server = start(Duration.ofMillis(50));
        hold();
        JsonNode error = error(504, draw("{\"prompt\": \"0\"}"));
        assertThat(error.path("code").asString()).isEqualTo("deadline");
        assertThat(error.path("message").asString()).contains("within PT0.05S");
    }

    @Test
    void it_is_healthy_from_its_first_picture_until_it_is_stopped() throws Exception {
        assertThat(get("/health").body()).isEqualTo("{\"status\":\"ready\"}");
        server.close();
        student.close();
        student = Student.open(TestStudents.usual(folder));
        hold();
        int port = freePort();
        CompletableFuture<ImageServer> starting = CompletableFuture.supplyAsync(() -> {
            try {
                return ImageServer.start(
                        student,
                        "shapes",
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                        Duration.ofSeconds(30));
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        HttpRequest health = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/health"))
                .build();
        HttpResponse<String> early = null;
        while (early == null) {
            try {
                early = client.send(health, BodyHandlers.ofString());
            } catch (IOException e) {
                Thread.sleep(5);
            }
        }
        assertThat(early.statusCode()).isEqualTo(503);
        assertThat(early.body()).isEqualTo("{\"status\":\"starting\"}");
        free.countDown();
        server = starting.get();
        assertThat(client.send(health, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @Test
    void metrics_are_plain_text_that_prometheus_reads() throws Exception {
        long before = student.metrics().images();
        draw("{\"prompt\": \"0\", \"n\": 5}");
        HttpResponse<String> response = get("/metrics");
        assertThat(response.headers().firstValue("Content-Type")).contains("text/plain; version=0.0.4");
        assertThat(response.body().lines())
                .allMatch(line -> line.matches("[a-z_]+ [0-9.]+"))
                .contains("retort_images_total " + (before + 5), "retort_waiting_requests 0");
    }

    @Test
    void who_is_being_served_when_it_stops_gets_his_pictures() throws Exception {
        hold();
        CompletableFuture<HttpResponse<String>> waiting =
                client.sendAsync(drawing("{\"prompt\": \"1\"}"), BodyHandlers.ofString());
        while (student.metrics().waiting() < 1) {
            Thread.sleep(1);
        }
        Thread stopping = new Thread(server::close);
        stopping.start();
        while (!get("/health").body().contains("stopping")) {
            Thread.sleep(1);
        }
        error(503, draw("{\"prompt\": \"0\"}"));
        free.countDown();
        stopping.join();
        assertThat(waiting.get().statusCode()).isEqualTo(200);
    }

    @Test
    void who_stops_sending_or_does_not_read_his_answers_is_cut_off() throws Exception {
        List<String> seconds = List.of(
                "-Dsun.net.httpserver.maxReqTime=1",
                "-Dsun.net.httpserver.maxRspTime=1",
                "-Dsun.net.httpserver.timerMillis=100");
        String file = TestStudents.usual(folder).toString();
        try (Child child = Child.start(ImageServer.class, seconds, Map.of(), file, "--port", "0", "--deadline", "0")) {
            String line = child.line();
            URI root = URI.create(line.substring(0, line.indexOf(' ')));
            InetSocketAddress address = new InetSocketAddress(root.getHost(), root.getPort());
            try (SocketChannel silent = SocketChannel.open(address);
                    SocketChannel deaf = SocketChannel.open(address)) {
                write(
                        silent,
                        "POST " + DRAW + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                + "Content-Length: 9\r\n\r\n{");
                String asking = "GET /" + "x".repeat(60_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
                assertThatThrownBy(() -> {
                            while (true) { // the server takes no more once its answers lie unread, and then hangs up
                                write(deaf, asking);
                            }
                        })
                        .isInstanceOf(IOException.class);
                assertThat(silent.read(ByteBuffer.allocate(1))).isEqualTo(-1);
            }
            HttpRequest health = HttpRequest.newBuilder(root.resolve("/health")).build();
            assertThat(client.send(health, BodyHandlers.ofString()).statusCode())
                    .isEqualTo(200);
        }
    }

    private static void write(SocketChannel socket, String said) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(said.getBytes(StandardCharsets.US_ASCII));
        while (bytes.hasRemaining()) {
            socket.write(bytes);
        }
    }

    @Test
    void a_deadline_beyond_the_time_that_an_answer_may_take_is_refused() {
        assertThatThrownBy(() -> start(Duration.ofDays(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("allow more by -Dsun.net.httpserver.maxRspTime");
    }
}
