package dev.retort.hub;

import static dev.retort.hub.FakeHub.cutAfter;
import static dev.retort.hub.FakeHub.damaged;
import static dev.retort.hub.FakeHub.status;
import static dev.retort.hub.FakeHub.withoutRanges;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What happens when the hub is slow, busy, cut off, wrong or malicious. */
class HubTroubleTest {
    private static final String NAME = "hf:" + FakeHub.REPOSITORY;
    private static final String FILE = "model.safetensors";
    private static final byte[] WEIGHTS = HubPullTest.random(2_000_000);

    @TempDir
    private Path folder;

    private final Said said = new Said();
    private final List<Duration> pauses = new ArrayList<>();
    private Duration silence = Duration.ofSeconds(20);
    private FakeHub server;

    @BeforeEach
    void start() throws IOException {
        server = new FakeHub();
        server.small.put("config.json", "{}".getBytes(UTF_8));
        server.large.put(FILE, WEIGHTS);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Snapshot pull(String token) {
        RetryPolicy policy = new RetryPolicy(
                List.of(Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(4)),
                Duration.ofSeconds(90),
                silence,
                1000,
                pauses::add);
        return new Hub(
                        new HubSettings(server.endpoint(), folder.resolve("hub"), token, false, Proxies.NONE),
                        policy,
                        said)
                .pull(HubName.parse(NAME));
    }

    private Path repository() {
        return folder.resolve("hub/models--acme--dit");
    }

    private Path incomplete() {
        return repository().resolve("blobs").resolve(FakeHub.sha256(WEIGHTS) + ".incomplete");
    }

    private void whole(Snapshot pulled) {
        assertThat(pulled.path().resolve(FILE)).hasBinaryContent(WEIGHTS);
        assertThat(incomplete()).doesNotExist();
    }

    private RetortException refused(Kind kind, String... words) {
        return refused("", kind, words);
    }

    private RetortException refused(String token, Kind kind, String... words) {
        RetortException[] thrown = new RetortException[1];
        assertThatThrownBy(() -> pull(token))
                .hasMessageContainingAll(words)
                .isInstanceOfSatisfying(RetortException.class, e -> {
                    assertThat(e.kind()).isEqualTo(kind);
                    thrown[0] = e;
                });
        assertThat(repository().resolve("refs/main")).doesNotExist();
        assertThat(repository().resolve("snapshots").resolve(FakeHub.COMMIT).resolve(FILE))
                .doesNotExist();
        return thrown[0];
    }

    private List<String> ranges() {
        return server.requests("store", FILE).stream()
                .map(request -> String.valueOf(request.range()))
                .toList();
    }

    /** Where a request began. */
    private long from(int request) {
        return Long.parseLong(ranges().get(request).replaceAll("\\D", ""));
    }

    @Test
    void a_host_that_does_not_exist_is_asked_for_twice_and_no_more() {
        RetryPolicy policy = new RetryPolicy(RetryPolicy.USUAL.pauses(), Duration.ZERO, silence, 1000, pauses::add);
        HubSettings nowhere =
                new HubSettings(URI.create("http://hub.invalid"), folder.resolve("hub"), "", false, Proxies.NONE);
        assertThatThrownBy(() -> new Hub(nowhere, policy, said).pull(HubName.parse(NAME)))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.NETWORK))
                .hasMessageContainingAll("failed 2 times in a row", "there is no host hub.invalid", "HF_ENDPOINT");
        assertThat(pauses).containsExactly(Duration.ofSeconds(1));
    }

    @Test
    void a_connection_cut_in_the_middle_goes_on_where_it_stopped() {
        server.trouble("store:", cutAfter(500_000), cutAfter(700_000), cutAfter(1));
        whole(pull(""));
        // what was on its way when the connection broke may be lost, what was kept is not asked for again
        assertThat(ranges()).hasSize(4).startsWith("null");
        assertThat(from(2)).isBetween(from(1), 1_200_000L);
        assertThat(from(3)).isBetween(from(2), 1_200_001L);
        assertThat(from(3)).isPositive();
        // each of the first two brought something, so each failure was a first one
        assertThat(pauses).hasSize(3).startsWith(Duration.ofSeconds(1), Duration.ofSeconds(1));
        assertThat(said.sentences)
                .anyMatch(s -> s.startsWith("fetching model.safetensors failed (") && s.endsWith("again in 1 s"));
    }

    @Test
    void a_connection_that_brings_nothing_is_given_up_and_the_next_command_goes_on() {
        server.trouble("store:", cutAfter(800_000), cutAfter(0), cutAfter(0), cutAfter(0));
        refused(Kind.NETWORK, "fetching model.safetensors failed 4 times in a row", "it goes on where it stopped");
        long kept = incomplete().toFile().length();
        assertThat(kept).isBetween(0L, 800_000L);
        server.requests.clear();
        Snapshot pulled = pull("");
        whole(pulled);
        assertThat(ranges()).containsExactly(kept == 0 ? "null" : "bytes=" + kept + "-");
        assertThat(pulled.fetched()).isEqualTo(2_000_000 - kept);
    }

    @Test
    void a_silent_connection_is_given_up() {
        silence = Duration.ofMillis(400);
        server.trouble("store:", (exchange, content) -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, 300_000);
            exchange.getResponseBody().flush();
            try {
                Thread.sleep(3000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        whole(pull(""));
        assertThat(said.sentences).anyMatch(s -> s.contains("nothing came for"));
        assertThat(ranges()).containsExactly("null", "bytes=300000-");
    }

    @Test
    void a_connection_that_brings_next_to_nothing_is_given_up_each_time_and_then_for_good() {
        silence = Duration.ofMillis(400);
        FakeHub.Trouble trickle = (exchange, content) -> {
            exchange.sendResponseHeaders(200, content.length);
            for (int i = 0; i < 200; i++) {
                exchange.getResponseBody().write(content, i, 1);
                exchange.getResponseBody().flush();
                try {
                    Thread.sleep(20);
                } catch (InterruptedException e) {
                    return;
                }
            }
        };
        server.trouble("store:", Collections.nCopies(4, trickle).toArray(FakeHub.Trouble[]::new));
        refused(Kind.NETWORK, "fetching model.safetensors failed 4 times in a row (only ", " came in ");
        assertThat(pauses).hasSize(3);
        whole(pull(""));
    }

    @Test
    void what_is_packed_though_it_was_not_asked_for_packed_is_unpacked() {
        server.trouble("/api/models", server.packedList());
        server.trouble("/api/resolve-cache", FakeHub.packed(Integer.MAX_VALUE));
        server.trouble(
                "store:",
                FakeHub.packed(500_000),
                FakeHub.packed(Integer.MAX_VALUE),
                FakeHub.packed(Integer.MAX_VALUE));
        Snapshot pulled = pull("");
        whole(pulled);
        assertThat(pulled.path().resolve("config.json")).hasContent("{}");
    }

    @Test
    void a_packing_that_is_not_known_is_named() {
        FakeHub.Trouble brotli = status(200, "Content-Encoding", "br");
        server.trouble("/api/models", Collections.nCopies(4, brotli).toArray(FakeHub.Trouble[]::new));
        refused(Kind.NETWORK, "packed as br");
    }

    @Test
    void a_redirect_that_is_not_escaped_is_followed() {
        String place = server.store() + "/" + FakeHub.COMMIT + "/" + FILE + "?name=a b|{c}^\u00e9&rest=100%";
        server.trouble(
                "/resolve/" + FakeHub.COMMIT + "/model",
                status(302, "X-Linked-Etag", FakeHub.sha256(WEIGHTS), "Location", place));
        whole(pull(""));
    }

    @Test
    void a_list_of_names_alone_is_completed_file_by_file() {
        server.detailed = false;
        Snapshot pulled = pull("");
        whole(pulled);
        assertThat(pulled.path().resolve("config.json")).hasContent("{}");
        assertThat(server.requests("store", FILE))
                .extracting(FakeHub.Request::method)
                .containsExactly("GET");
        assertThat(repository().resolve("trees").resolve(FakeHub.COMMIT + ".json"))
                .content()
                .contains(FakeHub.sha256(WEIGHTS), FakeHub.blobId("{}".getBytes(UTF_8)));
    }

    @Test
    void a_mirror_may_describe_its_files_by_the_usual_headers() {
        server.detailed = false;
        server.large.clear();
        String hash = FakeHub.blobId("{}".getBytes(UTF_8));
        server.trouble("/resolve/", status(200, "ETag", "W/\"" + hash + "\"", "Content-Length", "2"));
        assertThat(pull("").path().resolve("config.json")).hasContent("{}");
    }

    @Test
    void a_file_that_nobody_describes_is_refused_since_it_could_not_be_checked() {
        server.detailed = false;
        server.trouble("/resolve/", status(200, "ETag", "\"abc\"", "Content-Length", "2"));
        refused(Kind.CHECKPOINT, "the hub lists config.json with size 2 and hash 'abc", "could not be checked");
        assertThat(server.requests("store", "")).isEmpty();
    }

    @Test
    void a_server_without_ranges_begins_anew() {
        server.trouble("store:", cutAfter(500_000), withoutRanges());
        whole(pull(""));
    }

    @Test
    void a_server_that_never_sends_the_whole_is_given_up() {
        FakeHub.Trouble half = (exchange, content) -> {
            exchange.sendResponseHeaders(200, content.length / 2);
            exchange.getResponseBody().write(content, 0, content.length / 2);
        };
        server.trouble("store:", Collections.nCopies(20, half).toArray(FakeHub.Trouble[]::new));
        refused(Kind.NETWORK, "the connection was cut after 1.0 MB of 2.0 MB");
    }

    @Test
    void a_piece_that_was_not_asked_for_is_not_taken() {
        server.trouble("store:", cutAfter(500_000), (exchange, content) -> {
            exchange.getResponseHeaders().set("Content-Range", "bytes 400000-1999999/2000000");
            exchange.sendResponseHeaders(206, 1_600_000);
            exchange.getResponseBody().write(content, 400_000, 1_600_000);
        });
        whole(pull(""));
        assertThat(said.sentences).anyMatch(s -> s.contains("another piece than the one asked for"));
    }

    @Test
    void wrong_content_is_refused_and_nothing_of_it_is_left() throws IOException {
        server.trouble("store:", damaged());
        refused(Kind.CHECKPOINT, "model.safetensors came from", "another hash", "nothing of it was kept");
        try (Stream<Path> blobs = Files.list(repository().resolve("blobs"))) {
            // what came before it was right and is kept
            assertThat(blobs.map(blob -> blob.getFileName().toString()))
                    .containsExactly(FakeHub.blobId("{}".getBytes(UTF_8)));
        }
        whole(pull(""));
    }

    @Test
    void wrong_content_of_a_small_file_is_refused_by_its_git_hash() {
        server.large.clear();
        server.trouble("hub:/api/resolve-cache", damaged());
        refused(Kind.CHECKPOINT, "config.json came from", "another hash");
    }

    @Test
    void content_that_does_not_end_is_refused_before_the_disk_is_full() {
        server.trouble("store:", (exchange, content) -> {
            exchange.sendResponseHeaders(200, 0);
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 100; i++) {
                exchange.getResponseBody().write(zeros);
            }
        });
        refused(Kind.CHECKPOINT, "longer than the 2000000 bytes that the hub lists");
        assertThat(incomplete()).doesNotExist();
    }

    @Test
    void damaged_remains_of_an_earlier_attempt_are_fetched_again() throws IOException {
        Files.createDirectories(incomplete().getParent());
        Files.write(incomplete(), new byte[1_500_000]);
        whole(pull(""));
        assertThat(ranges()).containsExactly("bytes=1500000-", "null");
        Files.delete(repository().resolve("blobs").resolve(FakeHub.sha256(WEIGHTS)));
        Files.write(incomplete(), Arrays.copyOf(WEIGHTS, 3_000_000)); // more than there is of it, and right so far
        server.requests.clear();
        whole(pull(""));
        assertThat(ranges()).isEmpty();
    }

    @Test
    void a_hub_that_contradicts_its_own_list_is_not_believed() {
        server.trouble(
                "/resolve/" + FakeHub.COMMIT + "/model",
                status(302, "X-Linked-Etag", "\"abc\"", "Location", server.endpoint() + "/elsewhere"));
        server.trouble("/elsewhere", (exchange, content) -> exchange.sendResponseHeaders(200, 0));
        refused(Kind.CHECKPOINT, "with one hash or size and sends it with another (\"abc\"");
    }

    @Test
    void a_busy_hub_is_asked_again_after_the_pause_it_names() {
        server.trouble("/api/models", status(429, "Retry-After", "7"), status(503), status(500));
        whole(pull(""));
        assertThat(pauses).containsExactly(Duration.ofSeconds(7), Duration.ofSeconds(2), Duration.ofSeconds(4));
        assertThat(said.sentences)
                .contains("asking for the files of hf:acme/dit failed (127.0.0.1 answered 429); again in 7 s");
    }

    @Test
    void a_hub_that_stays_busy_is_given_up() {
        server.trouble("/api/models", Collections.nCopies(9, status(503)).toArray(FakeHub.Trouble[]::new));
        refused(Kind.NETWORK, "failed 4 times in a row (127.0.0.1 answered 503)");
        assertThat(pauses).hasSize(3);
    }

    @Test
    void a_pause_longer_than_the_policy_allows_is_told_and_not_waited_for() {
        server.trouble("/api/models", status(429, "Retry-After", "3600"));
        refused(Kind.NETWORK, "asks for a pause of 3600 s");
        assertThat(pauses).isEmpty();
    }

    @Test
    void a_pause_may_be_a_date() {
        Instant now = Instant.parse("2026-01-02T03:04:05Z");
        HttpHeaders date =
                HttpHeaders.of(Map.of("Retry-After", List.of("Fri, 02 Jan 2026 03:04:35 GMT")), (a, b) -> true);
        assertThat(HubClient.pauseAsked(date, now)).isCloseTo(Duration.ofSeconds(30), Duration.ZERO);
        assertThat(HubClient.pauseAsked(date, now.plusSeconds(60))).isZero();
        assertThat(HubClient.pauseAsked(HttpHeaders.of(Map.of("Retry-After", List.of("soon")), (a, b) -> true), now))
                .isZero();
    }

    @Test
    void who_may_not_read_is_told_what_to_do() {
        server.trouble("/api/models", status(401, "X-Error-Code", "RepoNotFound"));
        refused(Kind.NETWORK, "does not exist or is private", "HF_TOKEN");
        server.trouble("/api/models", status(401));
        assertThat(refused("hf_secret", Kind.NETWORK, "does not accept the token", "/settings/tokens"))
                .hasMessageNotContaining("hf_secret");
        server.trouble("/api/models", status(401, "X-Error-Code", "GatedRepo"));
        refused(Kind.NETWORK, "given only to those who asked for access", "/acme/dit", "then set HF_TOKEN");
        server.trouble("/resolve/", status(403));
        refused("hf_secret", Kind.NETWORK, "with the account whose token is used here");
        server.trouble("/api/models", status(418));
        refused(Kind.NETWORK, "answered 418");
        assertThat(pauses).isEmpty();
    }

    @Test
    void redirects_that_lead_nowhere_are_refused() {
        FakeHub.Trouble circle = status(302, "Location", "/acme/dit/resolve/" + FakeHub.COMMIT + "/" + FILE);
        server.trouble(
                "/resolve/" + FakeHub.COMMIT + "/model",
                Collections.nCopies(30, circle).toArray(FakeHub.Trouble[]::new));
        refused(Kind.NETWORK, "from redirect to redirect");
    }

    @Test
    void a_redirect_to_a_file_of_this_machine_is_refused() {
        server.trouble("/resolve/" + FakeHub.COMMIT + "/model", status(302, "Location", "file:///etc/passwd"));
        refused(Kind.NETWORK, "leads to 'file:///etc/passwd'");
    }

    @Test
    void an_answer_that_is_no_list_is_refused() {
        for (String answer : List.of("<html>log in</html>", "[]", "{\"sha\":\"x\"}", "")) {
            server.trouble("/api/models", (exchange, content) -> {
                exchange.sendResponseHeaders(200, answer.isEmpty() ? -1 : answer.length());
                exchange.getResponseBody().write(answer.getBytes(UTF_8));
            });
            refused(Kind.NETWORK, "HF_ENDPOINT");
        }
    }

    @Test
    void names_that_leave_their_folder_are_refused_before_anything_is_fetched() {
        for (String path :
                List.of("../x.json", "/etc/x.json", "a/../../x.json", "a//x.json", "./x.json", "a\\\\x.json")) {
            server.small.clear();
            server.small.put(path, "{}".getBytes(UTF_8));
            refused(Kind.CHECKPOINT, "would not stay inside its folder");
        }
        server.small.put("a", new byte[1]);
        server.small.clear();
        server.small.put("a.json", "{}".getBytes(UTF_8));
        server.small.put("a.json/b.json", "{}".getBytes(UTF_8));
        refused(Kind.CHECKPOINT, "as a file in a file");
        assertThat(server.requests("hub", "/resolve/")).isEmpty();
        assertThat(folder.resolve("x.json")).doesNotExist();
    }

    @Test
    void nothing_is_written_through_a_link_that_leads_out_of_the_cache() throws IOException {
        Path outside = Files.createDirectory(folder.resolve("outside"));
        Path snapshot =
                Files.createDirectories(repository().resolve("snapshots").resolve(FakeHub.COMMIT));
        Files.createSymbolicLink(snapshot.resolve("vae"), outside);
        server.small.put("vae/config.json", "{}".getBytes(UTF_8));
        assertThatThrownBy(() -> pull(""))
                .hasMessageContaining("not a folder of its own")
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.WRITE));
        assertThat(outside).isEmptyDirectory();
    }

    @Test
    void a_cache_that_cannot_be_written_is_named() throws IOException {
        Files.writeString(folder.resolve("hub"), "a file where the cache should be");
        assertThatThrownBy(() -> pull(""))
                .hasMessageContaining("HF_HUB_CACHE")
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.WRITE));
    }

    @Test
    void who_comes_second_waits_and_finds_what_the_first_fetched() throws Exception {
        List<Snapshot> both = Collections.synchronizedList(new ArrayList<>());
        Runnable one = () -> both.add(new Hub(
                        new HubSettings(server.endpoint(), folder.resolve("hub"), "", false, Proxies.NONE),
                        RetryPolicy.USUAL,
                        DownloadListener.NONE)
                .pull(HubName.parse(NAME)));
        List<Thread> threads = List.of(new Thread(one), new Thread(one));
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(both).hasSize(2);
        whole(both.get(0));
        assertThat(server.requests("store", FILE)).hasSize(1);
    }

    @Test
    void nobody_there_is_said_so() {
        server.close();
        refused(Kind.NETWORK, "127.0.0.1 does not answer", "HF_ENDPOINT");
        assertThat(pauses.stream().mapToLong(Duration::toSeconds).sum()).isCloseTo(7, within(0L));
    }
}
