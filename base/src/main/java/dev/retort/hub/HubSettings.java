package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.FileNames;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Where the hub and its cache are, from the environment variables that the hub's Python tools obey.
 *
 * @param endpoint the hub, without a slash at its end ({@code HF_ENDPOINT})
 * @param cache the folder with {@code models--OWNER--NAME} in it ({@code HF_HUB_CACHE}, {@code HF_HOME}/hub)
 * @param token what private and gated models ask for ({@code HF_TOKEN}, else the file {@code HF_HOME}/token); empty for none
 * @param offline use the cache alone ({@code HF_HUB_OFFLINE})
 * @param proxies between this machine and the hub ({@code HTTPS_PROXY} and the like)
 */
public record HubSettings(URI endpoint, Path cache, String token, boolean offline, Proxies proxies) {
    private static final String PUBLIC_HUB = "https://huggingface.co";

    public HubSettings {
        endpoint = checked(endpoint);
        if (!token.matches("[!-~]*")) {
            throw new RetortException(
                    Kind.ENVIRONMENT,
                    "the hub's token (HF_TOKEN or the file 'token' in HF_HOME) holds blanks or other characters that no token"
                            + " has; copy it again");
        }
    }

    /** The settings of this process. */
    public static HubSettings ofProcess() {
        return of(System.getenv(), home(System.getProperty("user.home", ""), System.getenv()));
    }

    /** JDK 17 calls the home of a user without an entry in the password file "?". */
    static Path home(String property, Map<String, String> environment) {
        boolean known = !property.isBlank() && !property.equals("?");
        String home = known ? property : environment.getOrDefault("HOME", "");
        if (home.isBlank()) {
            throw new RetortException(Kind.ENVIRONMENT, "this user has no home folder for the hub's cache; set HOME");
        }
        return FileNames.path(home);
    }

    /**
     * The settings that an environment makes.
     *
     * @param home the user's home folder, for what the environment does not say
     */
    public static HubSettings of(Map<String, String> environment, Path home) {
        Variables variables = new Variables(environment, home);
        Path cacheHome = variables.path(home.resolve(".cache"), "XDG_CACHE_HOME");
        Path hubHome = variables.path(cacheHome.resolve("huggingface"), "HF_HOME");
        return new HubSettings(
                endpoint(variables.text(PUBLIC_HUB, "HF_ENDPOINT")),
                variables.path(hubHome.resolve("hub"), "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"),
                variables.text(
                        tokenIn(variables.path(hubHome.resolve("token"), "HF_TOKEN_PATH")),
                        "HF_TOKEN",
                        "HUGGING_FACE_HUB_TOKEN"),
                List.of("1", "ON", "YES", "TRUE")
                        .contains(variables.text("", "HF_HUB_OFFLINE").toUpperCase(Locale.ROOT)),
                new Proxies(environment));
    }

    private record Variables(Map<String, String> environment, Path home) {
        /** The first variable that is set and not blank. */
        String text(String otherwise, String... names) {
            return Stream.of(names)
                    .map(name -> environment.getOrDefault(name, "").strip())
                    .filter(value -> !value.isEmpty())
                    .findFirst()
                    .orElse(otherwise);
        }

        Path path(Path otherwise, String... names) {
            String value = text("", names);
            if (value.isEmpty()) {
                return otherwise;
            }
            return value.equals("~") || value.startsWith("~/")
                    ? home.resolve(value.substring(Math.min(2, value.length())))
                    : FileNames.path(value);
        }
    }

    private static URI endpoint(String text) {
        try {
            return URI.create(text.replaceFirst("/+$", ""));
        } catch (IllegalArgumentException e) {
            throw wrong(text, e);
        }
    }

    /** The address with its scheme and host in lower case, where it is one of a hub. */
    private static URI checked(URI endpoint) {
        if (endpoint.getRawUserInfo() != null) {
            throw new RetortException(
                    Kind.ENVIRONMENT,
                    "HF_ENDPOINT holds a user or a password, which no hub is sent; take them out and set HF_TOKEN");
        }
        String scheme = String.valueOf(endpoint.getScheme()).toLowerCase(Locale.ROOT);
        boolean web = scheme.equals("http") || scheme.equals("https");
        if (!web
                || endpoint.getHost() == null
                || endpoint.getPort() == 0
                || endpoint.getPort() > 0xffff
                || endpoint.getRawQuery() != null
                || endpoint.getRawFragment() != null) {
            throw wrong(endpoint.toString(), null);
        }
        String rest = endpoint.toString().substring(endpoint.getScheme().length() + "://".length());
        String host = endpoint.getHost();
        return URI.create(scheme + "://" + host.toLowerCase(Locale.ROOT) + rest.substring(host.length()));
    }

    private static RetortException wrong(String endpoint, Exception cause) {
        boolean underscore = endpoint.matches("(?i)https?://[^/]*_.*");
        return new RetortException(
                Kind.ENVIRONMENT,
                "HF_ENDPOINT is '" + Quote.of(endpoint) + "', expected an address such as " + PUBLIC_HUB
                        + (underscore ? " (no host has a '_' in its name)" : "") + "; correct or unset it",
                cause);
    }

    private static String tokenIn(Path file) {
        try {
            return Files.isRegularFile(file) ? Files.readString(file).strip() : "";
        } catch (IOException e) {
            throw new RetortException(
                    Kind.ENVIRONMENT,
                    file + " holds the hub's token but cannot be read (" + e.getMessage()
                            + "); make it readable, or set HF_TOKEN",
                    e);
        }
    }

    /** Without the token, so that no log ever holds it. */
    @Override
    public String toString() {
        return endpoint + ", cache " + cache + (token.isEmpty() ? ", no token" : ", with a token")
                + (offline ? ", offline" : "");
    }
}
