package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A hub behind a proxy, from processes whose environment names it; no name is looked up but by the proxy. */
class ProxyTest {
    private static final String COMMIT = "b".repeat(40);
    private static final String PASSWORD =
            "Basic " + Base64.getEncoder().encodeToString("me:p@ss".getBytes(StandardCharsets.UTF_8));

    @TempDir
    private Path folder;

    /** The heads of the requests that the proxy saw. */
    private final List<String> asked = new CopyOnWriteArrayList<>();

    private ServerSocket proxy;
    /** What the proxy answers; an empty text lets the tunnel through to the hub. */
    private volatile String answer = "";

    private volatile int hubPort;

    @BeforeEach
    void listen() throws IOException {
        proxy = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        thread(() -> {
            while (true) {
                Socket socket = proxy.accept();
                thread(() -> serve(socket));
            }
        });
    }

    @AfterEach
    void stop() throws IOException {
        proxy.close();
    }

    private interface Action {
        void run() throws IOException;
    }

    private static void thread(Action action) {
        Thread thread = new Thread(() -> {
            try {
                action.run();
            } catch (IOException e) {
                // the other side, or the test, has ended
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private void serve(Socket socket) throws IOException {
        try (socket) {
            StringBuilder head = new StringBuilder();
            InputStream in = socket.getInputStream();
            while (!head.toString().endsWith("\r\n\r\n")) {
                int c = in.read();
                if (c < 0) {
                    return;
                }
                head.append((char) c);
            }
            asked.add(head.toString());
            OutputStream out = socket.getOutputStream();
            if (!answer.isEmpty()) {
                out.write((answer + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
                return;
            }
            try (Socket hub = new Socket(InetAddress.getLoopbackAddress(), hubPort)) {
                out.write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                thread(() -> in.transferTo(hub.getOutputStream()));
                hub.getInputStream().transferTo(out);
            }
        }
    }

    private Ran pull(String endpoint, List<String> options, String... environment) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path")));
        command.addAll(options);
        command.addAll(List.of(Main.class.getName(), "pull", "hf:acme/tiny"));
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment()
                .keySet()
                .removeIf(name -> name.startsWith("HF_") || name.toLowerCase().endsWith("_proxy"));
        builder.environment().put("HF_ENDPOINT", endpoint);
        builder.environment().put("HF_HOME", folder.resolve("home").toString());
        for (int i = 0; i < environment.length; i += 2) {
            builder.environment().put(environment[i], environment[i + 1]);
        }
        Process process = builder.start();
        if (!process.waitFor(4, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            fail("it does not end; it said " + Files.readString(err));
        }
        return new Ran(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    private String proxy(String credentials) {
        return "http://" + credentials + "127.0.0.1:" + proxy.getLocalPort();
    }

    private HttpsServer hub(Path store) throws Exception {
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "hub",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=hub.test",
                        "-ext",
                        "san=dns:hub.test",
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        "changeit",
                        "-keystore",
                        store.toString())
                .start();
        assertThat(keytool.waitFor()).isZero();
        KeyStore keys = KeyStore.getInstance(store.toFile(), "changeit".toCharArray());
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, "changeit".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        HttpsServer hub = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        hub.setHttpsConfigurator(new HttpsConfigurator(context));
        return hub;
    }

    @Test
    void the_password_of_the_address_opens_the_tunnel_and_goes_no_further() throws Exception {
        Path store = folder.resolve("keys");
        HttpsServer hub = hub(store);
        List<String> heard = new CopyOnWriteArrayList<>();
        hub.createContext("/", exchange -> {
            exchange.getRequestHeaders().forEach((name, values) -> heard.add(name + ": " + values));
            boolean list = exchange.getRequestURI().getPath().startsWith("/api");
            byte[] body = (list
                            ? "{\"sha\":\"" + COMMIT + "\",\"siblings\":[{\"rfilename\":\"config.json\",\"size\":2,"
                                    + "\"blobId\":\"9e26dfeeb6e641a33dae4961196235bdb965b21b\"}]}"
                            : "{}")
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        hub.start();
        hubPort = hub.getAddress().getPort();
        Ran ran = pull(
                "https://hub.test:" + hubPort,
                List.of(
                        "-Djavax.net.ssl.trustStore=" + store,
                        "-Djavax.net.ssl.trustStorePassword=changeit",
                        "-Djavax.net.ssl.trustStoreType=PKCS12"),
                "HTTPS_PROXY",
                proxy("me:p%40ss@"),
                "HF_TOKEN",
                "hf_token");
        hub.stop(0);
        ran.good();
        assertThat(asked).isNotEmpty().allSatisfy(head -> assertThat(head)
                .startsWith("CONNECT hub.test:" + hubPort)
                .contains("Proxy-Authorization: " + PASSWORD)
                .doesNotContain("hf_token"));
        assertThat(heard).contains("Authorization: [Bearer hf_token]").noneMatch(header -> header.startsWith("Proxy-"));
    }

    @Test
    void a_proxy_that_refuses_is_named_with_what_to_do_and_its_password_never_shown() throws Exception {
        answer = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"";
        pull("https://hub.test", List.of(), "HTTPS_PROXY", proxy("me:secret@"))
                .refused(10, "the proxy 127.0.0.1:", "does not accept the user and the password of HTTPS_PROXY");
        assertThat(Files.readString(folder.resolve("err"))).doesNotContain("secret");
        pull("https://hub.test", List.of(), "ALL_PROXY", proxy(""))
                .refused(10, "asks for a user and a password", "set ALL_PROXY=http://USER:PASSWORD@127.0.0.1:");
        pull("http://hub.test", List.of(), "http_proxy", proxy("me:p@ss@"))
                .refused(10, "does not accept the user and the password of http_proxy");
        assertThat(asked.get(asked.size() - 1))
                .startsWith("GET http://hub.test/")
                .contains("Proxy-Authorization: " + PASSWORD);
        answer = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: NTLM";
        pull("https://hub.test", List.of(), "HTTPS_PROXY", proxy("")).refused(10, "(NTLM)", "only Basic");
        answer = "HTTP/1.1 403 Forbidden";
        pull("https://hub.test", List.of(), "HTTPS_PROXY", proxy(""))
                .refused(10, "refuses to connect to hub.test (403)", "NO_PROXY");
    }

    @Test
    void wrong_settings_of_the_environment_are_told_by_their_names() throws Exception {
        pull("https://hub.test", List.of(), "ALL_PROXY", "socks5://me:secret@127.0.0.1:1080")
                .refused(4, "ALL_PROXY", "socks5://", "HTTPS_PROXY");
        pull("https://hub.test", List.of(), "HTTPS_PROXY", "http://").refused(4, "HTTPS_PROXY");
        pull("http://hub.test:70000", List.of()).refused(4, "HF_ENDPOINT");
        pull("http://127.0.0.1:1", List.of(), "HF_TOKEN", "hf_a\nhf_b").refused(4, "HF_TOKEN");
        pull("http://127.0.0.1:1", List.of(), "HF_TOKEN_PATH", folder.toString(), "HF_HUB_OFFLINE", "1")
                .refused(10, "HF_HUB_OFFLINE");
    }
}
