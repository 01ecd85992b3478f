package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models of a hub on this machine, from processes whose environment names it. */
class PullCommandTest {
    private static final String COMMIT = "a".repeat(40);

    @TempDir
    private Path folder;

    private final AtomicInteger requests = new AtomicInteger();
    private HttpServer server;

    @BeforeEach
    void serve() throws Exception {
        Path model = TinyModel.save(folder.resolve("source"), 8, 0.1);
        Files.writeString(model.resolve("picture.png"), "no picture");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            requests.incrementAndGet();
            String path = exchange.getRequestURI().getPath();
            boolean list = path.equals("/api/models/acme/tiny/revision/main");
            Path file = model.resolve(path.substring(path.lastIndexOf('/') + 1));
            if (list || path.startsWith("/acme/tiny/resolve/" + COMMIT) && Files.exists(file)) {
                byte[] body = list ? listing(model) : Files.readAllBytes(file);
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
            } else {
                exchange.getResponseHeaders().set("X-Error-Code", "RepoNotFound");
                exchange.sendResponseHeaders(404, -1);
            }
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private static byte[] listing(Path model) throws IOException {
        List<String> files = new ArrayList<>();
        for (String name : List.of("model.json", "model.safetensors", "picture.png")) {
            byte[] bytes = Files.readAllBytes(model.resolve(name));
            files.add("{\"rfilename\":\"" + name + "\",\"size\":" + bytes.length + ",\"blobId\":\"" + blobId(bytes)
                    + "\"}");
        }
        return ("{\"sha\":\"" + COMMIT + "\",\"siblings\":[" + String.join(",", files) + "]}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static String blobId(byte[] bytes) {
        try {
            MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
            sha1.update(("blob " + bytes.length + "\0").getBytes(StandardCharsets.US_ASCII));
            return HexFormat.of().formatHex(sha1.digest(bytes));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A process of its own, since the environment belongs to the process. */
    private Ran retort(boolean offline, String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of(args));
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("HF_") || name.startsWith("HUGGING"));
        builder.environment()
                .put("HF_ENDPOINT", "http://127.0.0.1:" + server.getAddress().getPort());
        builder.environment().put("HF_HOME", folder.resolve("home").toString());
        builder.environment().put("HF_HUB_OFFLINE", offline ? "1" : "0");
        builder.environment().putIfAbsent("OMP_WAIT_POLICY", "PASSIVE");
        Process process = builder.start();
        assertThat(process.waitFor(4, TimeUnit.MINUTES)).isTrue();
        return new Ran(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    @Test
    void a_pulled_model_is_sampled_without_the_hub() throws Exception {
        Ran pulled = retort(false, "pull", "hf:acme/tiny");
        pulled.good();
        Path snapshot = folder.resolve("home/hub/models--acme--tiny/snapshots").resolve(COMMIT);
        assertThat(pulled.out().strip()).isEqualTo(snapshot.toString());
        assertThat(pulled.err())
                .contains("hf:acme/tiny (commit aaaaaaaaaaaa): 2 files, ", "Left out: ", "picture.png", "fetch 100%")
                .contains("Next: retort inspect hf:acme/tiny");
        assertThat(snapshot.resolve("model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("source/model.safetensors"));
        server.stop(0);
        int asked = requests.get();
        Ran inspected = retort(true, "inspect", "hf:acme/tiny");
        inspected.good();
        assertThat(inspected.err()).contains("Next: retort sample hf:acme/tiny");
        Path grid = folder.resolve("grid.png");
        Ran sampled = retort(true, "sample", "hf:acme/tiny", "--count", "2", "--out", grid.toString());
        sampled.good();
        assertThat(grid).isNotEmptyFile();
        assertThat(requests).hasValue(asked);
    }

    @Test
    void a_command_that_needs_a_model_fetches_it() throws Exception {
        Ran ran = retort(
                false,
                "distill",
                "warmup-feature-joint",
                "--dry-run",
                "--json",
                "--set",
                "teacher.model=hf:acme/tiny",
                "--set",
                "run.data.kind=shapes",
                "--set",
                "run.data.size=16");
        // fetched, and then looked at: it works on pictures of 8 pixels, which the shapes do not come in
        ran.refused(3, "hf:acme/tiny (commit aaaaaaaaaaaa)", "data.size is 8");
    }

    @Test
    void the_model_that_training_starts_from_is_fetched_and_then_judged() throws Exception {
        Ran ran = retort(
                false,
                "train",
                "shapes-teacher",
                "--init-from",
                "hf:acme/tiny",
                "--run",
                folder.resolve("run").toString(),
                "--set",
                "model.size=1x8x2/2");
        ran.refused(7, "the network to start from does not fit");
        assertThat(ran.err()).contains("hf:acme/tiny (commit aaaaaaaaaaaa)");
    }

    @Test
    void refusals_are_one_sentence_with_the_exit_code_of_their_kind() throws Exception {
        retort(false, "pull", "hf:acme/nothing").refused(7, "hf:acme/nothing does not exist");
        retort(true, "evaluate", "hf:acme/tiny").refused(10, "HF_HUB_OFFLINE", "retort pull hf:acme/tiny");
        retort(false, "pull", "acme/tiny").refused(2, "hf:OWNER/NAME");
        retort(false, "compare", "hf:acme", "x").refused(2, "hf:OWNER/NAME");
    }

    @Test
    void json_says_what_came() throws Exception {
        Ran ran = retort(false, "pull", "hf:acme/tiny/picture.png", "--json", "--quiet");
        ran.good();
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out()).contains("\"commit\" : \"" + COMMIT, "\"fetched\" : 10", "\"files\" : 1");
    }
}
