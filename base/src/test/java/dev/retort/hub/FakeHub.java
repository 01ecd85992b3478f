package dev.retort.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.zip.GZIPOutputStream;

/**
 * A server on this machine that behaves as the hub does: it lists a repository, redirects large files to a server on another
 * port and small ones to another path of its own, answers ranges, and has the troubles it is told to have.
 */
final class FakeHub implements AutoCloseable {
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    static final String REPOSITORY = "acme/dit";

    /** One request as it came in. */
    record Request(String server, String path, String range, String authorization, String method) {}

    /** Answers in the place of the usual answer. */
    interface Trouble {
        void answer(HttpExchange exchange, byte[] content) throws IOException;
    }

    final List<Request> requests = new CopyOnWriteArrayList<>();
    final Map<String, byte[]> small = new TreeMap<>();
    final Map<String, byte[]> large = new TreeMap<>();
    final Map<String, String> revisions = new TreeMap<>(Map.of("main", COMMIT, COMMIT, COMMIT));
    /** Whether its list gives sizes and hashes, as mirrors may not. */
    boolean detailed = true;

    private final Map<String, Deque<Trouble>> troubles = new ConcurrentHashMap<>();
    private final HttpServer hub;
    private final HttpServer store;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    FakeHub() throws IOException {
        hub = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        store = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        hub.createContext("/", exchange -> answer("hub", exchange, this::hub));
        store.createContext("/", exchange -> answer("store", exchange, this::store));
        hub.setExecutor(threads);
        store.setExecutor(threads);
        hub.start();
        store.start();
    }

    /** Where the large files are. */
    String store() {
        return "http://127.0.0.1:" + store.getAddress().getPort();
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + hub.getAddress().getPort());
    }

    /** The next requests whose path contains the text are answered so. */
    void trouble(String path, Trouble... next) {
        troubles.computeIfAbsent(path, key -> new ArrayDeque<>()).addAll(Arrays.asList(next));
    }

    static Trouble status(int status, String... headers) {
        return (exchange, content) -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
            }
            exchange.sendResponseHeaders(status, -1);
        };
    }

    /** Promises all that was asked for and goes away in the middle. */
    static Trouble cutAfter(int bytes) {
        return (exchange, content) -> {
            int from = from(exchange);
            range(exchange, content, from);
            exchange.getResponseBody().write(content, from, bytes);
            exchange.getResponseBody().flush();
            throw new IOException("cut");
        };
    }

    /** Sends other content of the same length. */
    static Trouble damaged() {
        return (exchange, content) -> {
            byte[] other = content.clone();
            other[other.length / 2] ^= 1;
            send(exchange, other, from(exchange));
        };
    }

    /** Packs what was not asked for packed; a range is one of the packed bytes, as servers do it. */
    static Trouble packed(int bytesBeforeCut) {
        return (exchange, content) -> {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            try (OutputStream gzip = new GZIPOutputStream(all)) {
                gzip.write(content);
            }
            exchange.getResponseHeaders().set("Content-Encoding", "gzip");
            byte[] packed = all.toByteArray();
            int from = from(exchange);
            range(exchange, packed, from);
            exchange.getResponseBody().write(packed, from, Math.min(bytesBeforeCut, packed.length - from));
            exchange.getResponseBody().flush();
        };
    }

    /** The list of a repository, packed. */
    Trouble packedList() {
        return (exchange, content) -> packed(Integer.MAX_VALUE).answer(exchange, listing(COMMIT));
    }

    static Trouble withoutRanges() {
        return (exchange, content) -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content);
        };
    }

    static String sha256(byte[] bytes) {
        return digest("SHA-256", bytes);
    }

    static String blobId(byte[] bytes) {
        byte[] header = ("blob " + bytes.length + "\0").getBytes(StandardCharsets.US_ASCII);
        byte[] all = Arrays.copyOf(header, header.length + bytes.length);
        System.arraycopy(bytes, 0, all, header.length, bytes.length);
        return digest("SHA-1", all);
    }

    List<Request> requests(String server, String path) {
        return requests.stream()
                .filter(request ->
                        request.server().equals(server) && request.path().contains(path))
                .toList();
    }

    private interface Usual {
        void answer(HttpExchange exchange, String path) throws IOException;
    }

    private void answer(String server, HttpExchange exchange, Usual usual) throws IOException {
        String path = exchange.getRequestURI().getPath();
        requests.add(new Request(
                server,
                path,
                exchange.getRequestHeaders().getFirst("Range"),
                exchange.getRequestHeaders().getFirst("Authorization"),
                exchange.getRequestMethod()));
        try {
            for (Map.Entry<String, Deque<Trouble>> trouble : troubles.entrySet()) {
                if ((server + ":" + path).contains(trouble.getKey())
                        && !trouble.getValue().isEmpty()) {
                    String file = path.substring(path.indexOf(COMMIT) < 0 ? 0 : path.indexOf(COMMIT) + 41);
                    trouble.getValue().poll().answer(exchange, large.getOrDefault(file, small.get(file)));
                    return;
                }
            }
            usual.answer(exchange, path);
        } finally {
            exchange.close();
        }
    }

    private void hub(HttpExchange exchange, String path) throws IOException {
        String api = "/api/models/" + REPOSITORY + "/revision/";
        String resolve = "/" + REPOSITORY + "/resolve/" + COMMIT + "/";
        String local = "/api/resolve-cache/models/" + REPOSITORY + "/" + COMMIT + "/";
        if (path.startsWith(api)) {
            list(exchange, revisions.get(path.substring(api.length())));
        } else if (path.startsWith(resolve) && large.containsKey(path.substring(resolve.length()))) {
            String file = path.substring(resolve.length());
            described(exchange, sha256(large.get(file)), large.get(file).length);
            String place = "http://127.0.0.1:" + store.getAddress().getPort() + "/" + COMMIT + "/"
                    + file.replace(" ", "%20") + "?Signature=abc";
            status(302, "Location", place).answer(exchange, null);
        } else if (path.startsWith(resolve) && small.containsKey(path.substring(resolve.length()))) {
            String file = path.substring(resolve.length());
            described(exchange, blobId(small.get(file)), small.get(file).length);
            status(307, "Location", local + file.replace(" ", "%20")).answer(exchange, null);
        } else if (path.startsWith(local)) {
            send(exchange, small.get(path.substring(local.length())), from(exchange));
        } else {
            boolean repository = path.contains(REPOSITORY);
            status(404, "X-Error-Code", repository ? "EntryNotFound" : "RepoNotFound")
                    .answer(exchange, null);
        }
    }

    private void store(HttpExchange exchange, String path) throws IOException {
        send(exchange, large.get(path.substring(COMMIT.length() + 2)), from(exchange));
    }

    private static void described(HttpExchange exchange, String hash, int size) {
        exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
        exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + hash + "\"");
        exchange.getResponseHeaders().set("X-Linked-Size", String.valueOf(size));
    }

    private void list(HttpExchange exchange, String commit) throws IOException {
        if (commit == null) {
            status(404, "X-Error-Code", "RevisionNotFound").answer(exchange, null);
            return;
        }
        byte[] json = listing(commit);
        exchange.sendResponseHeaders(200, json.length);
        exchange.getResponseBody().write(json);
    }

    private byte[] listing(String commit) {
        List<String> files = new ArrayList<>();
        small.forEach((path, bytes) -> files.add(String.format(
                "{\"rfilename\":\"%s\",\"size\":%d,\"blobId\":\"%s\"}", path, bytes.length, blobId(bytes))));
        large.forEach((path, bytes) -> files.add(String.format(
                "{\"rfilename\":\"%s\",\"size\":%d,\"blobId\":\"%s\",\"lfs\":{\"sha256\":\"%s\",\"size\":%d,\"pointerSize\":134}}",
                path,
                bytes.length,
                blobId(sha256(bytes).getBytes(StandardCharsets.US_ASCII)),
                sha256(bytes),
                bytes.length)));
        if (!detailed) {
            files.replaceAll(file -> file.replaceFirst(",.*", "}"));
        }
        return ("{\"id\":\"" + REPOSITORY + "\",\"sha\":\"" + commit + "\",\"private\":false,\"siblings\":["
                        + String.join(",", files) + "]}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static int from(HttpExchange exchange) {
        String range = exchange.getRequestHeaders().getFirst("Range");
        return range == null ? 0 : Integer.parseInt(range.substring("bytes=".length(), range.length() - 1));
    }

    private static void send(HttpExchange exchange, byte[] content, int from) throws IOException {
        if (from >= content.length && content.length > 0) {
            status(416).answer(exchange, content);
            return;
        }
        range(exchange, content, from);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(content, from, content.length - from);
        }
    }

    private static void range(HttpExchange exchange, byte[] content, int from) throws IOException {
        if (from > 0) {
            String range = "bytes " + from + "-" + (content.length - 1) + "/" + content.length;
            exchange.getResponseHeaders().set("Content-Range", range);
        }
        int length = content.length - from;
        exchange.sendResponseHeaders(from > 0 ? 206 : 200, length == 0 ? -1 : length);
    }

    private static String digest(String algorithm, byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        hub.stop(0);
        store.stop(0);
        threads.shutdownNow();
    }
}
