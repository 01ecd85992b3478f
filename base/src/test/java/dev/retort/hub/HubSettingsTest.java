package dev.retort.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The environment variables of the hub's own tools mean here what they mean there. */
class HubSettingsTest {
    @TempDir
    private Path home;

    private HubSettings of(Map<String, String> environment) {
        return HubSettings.of(environment, home);
    }

    @Test
    void without_variables_the_public_hub_and_the_usual_cache_are_used() {
        assertThat(of(Map.of()))
                .isEqualTo(new HubSettings(
                        URI.create("https://huggingface.co"),
                        home.resolve(".cache/huggingface/hub"),
                        "",
                        false,
                        Proxies.NONE));
    }

    @Test
    void the_nearest_variable_names_the_cache() {
        assertThat(of(Map.of("XDG_CACHE_HOME", "/x")).cache()).isEqualTo(Path.of("/x/huggingface/hub"));
        assertThat(of(Map.of("XDG_CACHE_HOME", "/x", "HF_HOME", "/h")).cache()).isEqualTo(Path.of("/h/hub"));
        assertThat(of(Map.of("HF_HOME", "/h", "HF_HUB_CACHE", "/c")).cache()).isEqualTo(Path.of("/c"));
        assertThat(of(Map.of("HF_HOME", "~/h")).cache()).isEqualTo(home.resolve("h/hub"));
        assertThat(of(Map.of("HUGGINGFACE_HUB_CACHE", "/old")).cache()).isEqualTo(Path.of("/old"));
    }

    @Test
    void the_token_comes_from_the_variable_else_from_the_file() throws IOException {
        Path file = Files.createDirectories(home.resolve("h")).resolve("token");
        Files.writeString(file, "hf_file\n");
        String hubHome = file.getParent().toString();
        assertThat(of(Map.of("HF_HOME", hubHome)).token()).isEqualTo("hf_file");
        assertThat(of(Map.of("HF_HOME", hubHome, "HF_TOKEN", " hf_variable ")).token())
                .isEqualTo("hf_variable");
        assertThat(of(Map.of("HF_TOKEN_PATH", file.toString())).token()).isEqualTo("hf_file");
    }

    @Test
    void no_text_shows_the_token() {
        assertThat(of(Map.of("HF_TOKEN", "hf_secret")).toString())
                .doesNotContain("secret")
                .contains("with a token");
    }

    @Test
    void offline_is_what_the_tools_take_for_true() {
        assertThat(of(Map.of("HF_HUB_OFFLINE", "1")).offline()).isTrue();
        assertThat(of(Map.of("HF_HUB_OFFLINE", "yes")).offline()).isTrue();
        assertThat(of(Map.of("HF_HUB_OFFLINE", "0")).offline()).isFalse();
    }

    @Test
    void a_wrong_variable_is_named() {
        for (Map<String, String> environment : List.of(
                Map.of("HF_ENDPOINT", "a b"), Map.of("HF_ENDPOINT", "hub.example"), Map.of("HF_TOKEN", "a b"))) {
            assertThatThrownBy(() -> of(environment))
                    .hasMessageContaining(environment.keySet().iterator().next())
                    .isInstanceOfSatisfying(
                            RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.ENVIRONMENT));
        }
        assertThat(of(Map.of("HF_ENDPOINT", "https://hub.example/")).endpoint())
                .isEqualTo(URI.create("https://hub.example"));
    }

    @Test
    void an_address_in_capitals_is_the_same_address() {
        assertThat(of(Map.of("HF_ENDPOINT", "HTTP://Hub.Example:8080/Mirror/")).endpoint())
                .isEqualTo(URI.create("http://hub.example:8080/Mirror"));
        assertThat(of(Map.of("HF_ENDPOINT", "HTTPS://[::1]:8443")).endpoint())
                .isEqualTo(URI.create("https://[::1]:8443"));
    }

    @Test
    void an_address_that_is_none_of_a_hub_is_refused() {
        for (String wrong : List.of(
                "http://hub.example:99999",
                "http://hub.example:0",
                "http://my_hub:8080",
                "http://hub.example?x=1",
                "http://hub.example#x",
                "ftp://hub.example",
                "http://",
                "localhost:8080",
                "mailto:a",
                "http:x")) {
            assertThatThrownBy(() -> of(Map.of("HF_ENDPOINT", wrong)))
                    .as(wrong)
                    .hasMessageContaining("HF_ENDPOINT is '" + wrong)
                    .isInstanceOfSatisfying(
                            RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.ENVIRONMENT));
        }
        assertThatThrownBy(() -> of(Map.of("HF_ENDPOINT", "https://me:secret@hub.example")))
                .hasMessageContaining("HF_TOKEN")
                .hasMessageNotContaining("secret");
    }

    @Test
    void a_token_of_several_lines_is_refused_without_showing_it() {
        assertThatThrownBy(() -> of(Map.of("HF_TOKEN", "hf_a\nhf_b")))
                .hasMessageContaining("HF_TOKEN")
                .hasMessageNotContaining("hf_a")
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.ENVIRONMENT));
    }

    @Test
    void a_user_in_no_password_file_has_the_home_of_the_variable() {
        assertThat(HubSettings.home("?", Map.of("HOME", "/h"))).isEqualTo(Path.of("/h"));
        assertThat(HubSettings.home("/home/me", Map.of("HOME", "/h"))).isEqualTo(Path.of("/home/me"));
        assertThatThrownBy(() -> HubSettings.home("?", Map.of())).hasMessageContaining("set HOME");
    }
}
