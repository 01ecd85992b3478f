package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
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
 */
public record HubSettings(URI endpoint, Path cache, String token, boolean offline) {
    private static final String PUBLIC_HUB = "https://huggingface.co";

    public HubSettings {
        String scheme = String.valueOf(endpoint.getScheme());
        if (!scheme.matches("https?") || endpoint.getHost() == null) {
            throw new RetortException(
                    Kind.ENVIRONMENT,
                    "HF_ENDPOINT is '" + endpoint + "', expected an address such as " + PUBLIC_HUB
                            + "; correct or unset it");
        }
        if (!token.matches("[!-~]*")) {
            throw new RetortException(
                    Kind.ENVIRONMENT,
                    "the hub's token (HF_TOKEN or the file 'token' in HF_HOME) holds blanks or other characters that no token"
                            + " has; copy it again");
        }
    }

    /** The settings of this process. */
    public static HubSettings ofProcess() {
        return of(System.getenv(), Path.of(System.getProperty("user.home")));
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
                        .contains(variables.text("", "HF_HUB_OFFLINE").toUpperCase(Locale.ROOT)));
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
                    : Path.of(value);
        }
    }

    private static URI endpoint(String text) {
        try {
            return URI.create(text.replaceFirst("/+$", ""));
        } catch (IllegalArgumentException e) {
            throw new RetortException(
                    Kind.ENVIRONMENT,
                    "HF_ENDPOINT is '" + text + "', which is no address; correct or unset it, as in HF_ENDPOINT="
                            + PUBLIC_HUB,
                    e);
        }
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
