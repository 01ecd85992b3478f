package dev.retort.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole repository from a server that behaves as the hub does, into a cache that Python tools can use. */
class HubPullTest {
    private static final String NAME = "hf:" + FakeHub.REPOSITORY;
    private static final byte[] WEIGHTS = random(3_000_000);
    private static final byte[] CONFIG = "{\"a\": 1}\n".getBytes(UTF_8);

    @TempDir
    private Path folder;

    private final Said said = new Said();
    private FakeHub server;

    @BeforeEach
    void start() throws IOException {
        server = new FakeHub();
        server.small.put("config.json", CONFIG);
        server.small.put("empty.txt", new byte[0]);
        server.small.put("vae/config with blank.json", "{}".getBytes(UTF_8));
        server.large.put("model.safetensors", WEIGHTS);
        server.large.put("pytorch_model.bin", random(500));
        server.large.put("vae/weights.safetensors", random(700_000));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    private Hub hub(boolean offline, String token) {
        RetryPolicy policy = new RetryPolicy(
                List.of(Duration.ofMillis(1)), Duration.ofSeconds(1), Duration.ofSeconds(5), 1000, time -> {});
        return new Hub(
                new HubSettings(server.endpoint(), folder.resolve("hub"), token, offline, Proxies.NONE), policy, said);
    }

    private Path repository() {
        return folder.resolve("hub/models--acme--dit");
    }

    @Test
    void the_cache_has_the_layout_of_the_hubs_own_tools() throws IOException {
        Snapshot pulled = hub(false, "").pull(HubName.parse(NAME));
        Path snapshot = repository().resolve("snapshots").resolve(FakeHub.COMMIT);
        assertThat(pulled.path()).isEqualTo(snapshot);
        assertThat(repository().resolve("refs/main")).hasContent(FakeHub.COMMIT);
        assertThat(snapshot.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(Files.readSymbolicLink(snapshot.resolve("model.safetensors")))
                .isEqualTo(Path.of("../../blobs", FakeHub.sha256(WEIGHTS)));
        assertThat(Files.readSymbolicLink(snapshot.resolve("config.json")))
                .isEqualTo(Path.of("../../blobs", FakeHub.blobId(CONFIG)));
        assertThat(Files.readSymbolicLink(snapshot.resolve("vae/weights.safetensors"))
                        .toString())
                .startsWith("../../../blobs/");
        assertThat(snapshot.resolve("vae/config with blank.json")).hasContent("{}");
        assertThat(snapshot.resolve("empty.txt")).isEmptyFile();
        assertThat(snapshot.resolve("pytorch_model.bin")).doesNotExist();
        try (Stream<Path> blobs = Files.list(repository().resolve("blobs"))) {
            assertThat(blobs.map(blob -> blob.getFileName().toString()))
                    .hasSize(5)
                    .allMatch(name -> name.matches("[0-9a-f]{40}|[0-9a-f]{64}"));
        }
        assertThat(repository().resolve("trees").resolve(FakeHub.COMMIT + ".json"))
                .content()
                .contains("\"format_version\" : 1", "\"lfs_sha256\" : \"" + FakeHub.sha256(WEIGHTS));
    }

    @Test
    void size_and_what_is_left_out_are_said_before_anything_is_fetched() {
        List<String> first = new ArrayList<>();
        DownloadListener listener = new DownloadListener() {
            @Override
            public void say(String sentence) {
                first.add(sentence + " | " + server.requests("store", "").size());
            }

            @Override
            public void progress(long done, long total, String file) {}
        };
        new Hub(new HubSettings(server.endpoint(), folder, "", false, Proxies.NONE), RetryPolicy.USUAL, listener)
                .pull(HubName.parse(NAME));
        assertThat(first)
                .containsExactly(
                        "hf:acme/dit (commit 0123456789ab): 5 files, 3.7 MB | 0",
                        "Left out: the same weights in another file (pytorch_model.bin, 500 B); one of them comes by its"
                                + " name, hf:acme/dit/FILE | 0");
    }

    @Test
    void progress_counts_every_byte_once() {
        Snapshot pulled = hub(false, "").pull(HubName.parse(NAME));
        assertThat(said.total)
                .isEqualTo(pulled.bytes())
                .isEqualTo(pulled.fetched())
                .isEqualTo(3_700_000 + 11);
        assertThat(said.progress).isSorted().last().isEqualTo(said.total);
    }

    @Test
    void the_token_goes_to_the_hub_and_to_nobody_else() {
        hub(false, "hf_secret").pull(HubName.parse(NAME));
        assertThat(server.requests("hub", ""))
                .extracting(FakeHub.Request::authorization)
                .containsOnly("Bearer hf_secret");
        assertThat(server.requests("store", ""))
                .hasSize(2)
                .extracting(FakeHub.Request::authorization)
                .containsOnlyNulls();
        assertThat(said.sentences).noneMatch(sentence -> sentence.contains("hf_secret"));
    }

    @Test
    void without_a_token_none_is_sent() {
        hub(false, "").pull(HubName.parse(NAME));
        assertThat(server.requests).extracting(FakeHub.Request::authorization).containsOnlyNulls();
    }

    @Test
    void what_is_cached_is_resolved_without_a_request() {
        Path pulled = hub(false, "").resolve(NAME);
        int before = server.requests.size();
        assertThat(hub(false, "").resolve(NAME)).isEqualTo(pulled);
        assertThat(hub(true, "").resolve(NAME)).isEqualTo(pulled);
        assertThat(hub(true, "").resolve(NAME + "/model.safetensors")).isEqualTo(pulled.resolve("model.safetensors"));
        assertThat(hub(true, "").resolve(NAME + "/vae")).isEqualTo(pulled.resolve("vae"));
        assertThat(hub(true, "").resolve(NAME + "@" + FakeHub.COMMIT)).isEqualTo(pulled);
        assertThat(server.requests).hasSize(before);
    }

    @Test
    void a_second_pull_asks_once_and_fetches_only_what_is_new() {
        hub(false, "").pull(HubName.parse(NAME));
        server.requests.clear();
        Snapshot again = hub(false, "").pull(HubName.parse(NAME));
        assertThat(again.fetched()).isZero();
        assertThat(server.requests).hasSize(1);
        assertThat(said.sentences).anyMatch(sentence -> sentence.endsWith("3.7 MB, all of it in the cache"));
    }

    @Test
    void another_revision_shares_the_content_that_did_not_change() throws IOException {
        hub(false, "").pull(HubName.parse(NAME));
        String other = FakeHub.COMMIT.replace('0', 'f');
        server.revisions.put("v2", other);
        server.requests.clear();
        Snapshot pulled = hub(false, "").pull(HubName.parse(NAME + "@v2"));
        assertThat(pulled.path()).isEqualTo(repository().resolve("snapshots").resolve(other));
        assertThat(pulled.path().resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(server.requests).hasSize(1);
        assertThat(repository().resolve("refs/v2")).hasContent(other);
        assertThat(repository().resolve("refs/main")).hasContent(FakeHub.COMMIT);
    }

    @Test
    void one_file_or_one_folder_comes_alone() {
        Snapshot file = hub(false, "").pull(HubName.parse(NAME + "/pytorch_model.bin"));
        assertThat(file.path()).hasBinaryContent(random(500));
        assertThat(file.files()).isEqualTo(1);
        Snapshot vae = hub(false, "").pull(HubName.parse(NAME + "/vae"));
        assertThat(vae.files()).isEqualTo(2);
        assertThat(vae.path().resolve("weights.safetensors")).isRegularFile();
        assertThat(vae.path().resolveSibling("config.json")).doesNotExist();
    }

    @Test
    void a_model_that_is_cached_in_part_is_completed() throws IOException {
        Path pulled = hub(false, "").resolve(NAME);
        Files.delete(pulled.resolve("model.safetensors").toRealPath());
        server.requests.clear();
        assertThat(hub(false, "").resolve(NAME)).isEqualTo(pulled);
        assertThat(pulled.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(server.requests("store", "")).hasSize(1);
        Files.delete(pulled.resolve("model.safetensors").toRealPath());
        assertThatThrownBy(() -> hub(true, "").resolve(NAME))
                .hasMessageContainingAll("HF_HUB_OFFLINE", "retort pull hf:acme/dit")
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.NETWORK));
    }

    @Test
    void what_a_python_tool_left_without_a_list_is_completed_online_and_taken_as_it_is_offline() throws IOException {
        Path pulled = hub(false, "").resolve(NAME);
        Files.delete(repository().resolve("trees").resolve(FakeHub.COMMIT + ".json"));
        Files.delete(pulled.resolve("config.json"));
        server.revisions.put("main", FakeHub.COMMIT.replace('0', 'f')); // newer, but not what the cache has
        assertThat(hub(true, "").resolve(NAME)).isEqualTo(pulled);
        assertThat(said.sentences).last().asString().contains("as the cache has it");
        assertThat(hub(false, "").resolve(NAME)).isEqualTo(pulled);
        assertThat(pulled.resolve("config.json")).hasBinaryContent(CONFIG);
        assertThat(repository().resolve("refs/main")).hasContent(FakeHub.COMMIT);
        Files.delete(repository().resolve("trees").resolve(FakeHub.COMMIT + ".json"));
        server.close();
        assertThat(hub(false, "").resolve(NAME)).isEqualTo(pulled);
        assertThat(said.sentences).last().asString().contains("as the cache has it", "127.0.0.1 does not answer");
    }

    @Test
    void what_only_people_read_may_be_missing() throws IOException {
        server.small.put("README.md", "# A model".getBytes(UTF_8));
        Path pulled = hub(false, "").resolve(NAME);
        Files.delete(pulled.resolve("README.md"));
        int before = server.requests.size();
        assertThat(hub(false, "").resolve(NAME)).isEqualTo(pulled);
        assertThat(server.requests).hasSize(before);
        Files.delete(pulled.resolve("config.json"));
        assertThat(hub(true, "").resolve(NAME)).isEqualTo(pulled);
        assertThat(said.sentences).last().asString().contains("perhaps not all of it");
    }

    @Test
    void progress_ends_at_the_end_though_only_an_early_file_is_missing() throws IOException {
        Path pulled = hub(false, "").resolve(NAME);
        Files.delete(pulled.resolve("config.json").toRealPath());
        said.progress.clear();
        hub(false, "").pull(HubName.parse(NAME));
        assertThat(said.progress).last().isEqualTo(said.total);
    }

    @Test
    void a_path_is_left_alone_and_a_name_is_not_fetched_offline() {
        assertThat(hub(false, "").resolve("runs/hf")).isEqualTo(Path.of("runs/hf"));
        assertThatThrownBy(() -> hub(true, "").resolve(NAME)).hasMessageContaining("not in the cache");
        assertThatThrownBy(() -> hub(true, "").pull(HubName.parse(NAME)))
                .hasMessageContaining("HF_HUB_OFFLINE forbids");
        assertThat(server.requests).isEmpty();
    }

    @Test
    void what_is_not_there_is_named() {
        refused(NAME + "/no.safetensors", Kind.CHECKPOINT, "holds nothing to load; in the repository are config.json,");
        refused(NAME + "@v9", Kind.CHECKPOINT, "has no revision 'v9'");
        refused("hf:acme/nothing", Kind.CHECKPOINT, "hf:acme/nothing does not exist");
    }

    private void refused(String name, Kind kind, String... words) {
        assertThatThrownBy(() -> hub(false, "").resolve(name))
                .hasMessageContainingAll(words)
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(kind));
        assertThat(repository().resolve("snapshots")).doesNotExist();
    }

    /** As a copy without links leaves the cache: files in the commit's folder, and perhaps no contents beside it. */
    private Path dereferenced() throws IOException {
        Path snapshot = hub(false, "").pull(HubName.parse(NAME)).path();
        try (Stream<Path> files = Files.walk(snapshot)) {
            for (Path link : files.filter(Files::isSymbolicLink).toList()) {
                byte[] content = Files.readAllBytes(link);
                Files.delete(link);
                Files.write(link, content);
            }
        }
        try (Stream<Path> blobs = Files.list(repository().resolve("blobs"))) {
            for (Path blob : blobs.toList()) {
                Files.delete(blob);
            }
        }
        server.requests.clear();
        said.sentences.clear();
        return snapshot;
    }

    @Test
    void a_cache_that_was_copied_without_links_is_used_as_it_is() throws IOException {
        Path snapshot = dereferenced();
        Snapshot pulled = hub(false, "").pull(HubName.parse(NAME));
        assertThat(pulled.fetched()).isZero();
        assertThat(server.requests).allMatch(request -> request.path().startsWith("/api/models"));
        assertThat(snapshot.resolve("model.safetensors")).isRegularFile().hasBinaryContent(WEIGHTS);
        assertThat(Files.isSymbolicLink(snapshot.resolve("model.safetensors"))).isFalse();
        assertThat(said.sentences).anyMatch(sentence -> sentence.contains("files instead of links"));
    }

    @Test
    void what_was_changed_in_such_a_cache_is_said_and_fetched() throws IOException {
        Path snapshot = dereferenced();
        Files.write(snapshot.resolve("config.json"), "{\"a\": 2}\n".getBytes(UTF_8));
        Snapshot pulled = hub(false, "").pull(HubName.parse(NAME));
        assertThat(pulled.fetched()).isEqualTo(CONFIG.length);
        assertThat(snapshot.resolve("config.json")).hasBinaryContent(CONFIG);
        assertThat(said.sentences)
                .anyMatch(sentence -> sentence.contains("config.json is not what the hub lists; it is replaced"));
    }
}
