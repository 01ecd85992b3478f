package dev.retort.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.net.Proxy;
import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which proxy is asked, from the variables that curl and Python obey. */
class ProxiesTest {
    private static Optional<String> proxy(String address, String... environment) {
        Map<String, String> variables = new HashMap<>();
        for (int i = 0; i < environment.length; i += 2) {
            variables.put(environment[i], environment[i + 1]);
        }
        return new Proxies(variables).of(URI.create(address)).map(ProxyServer::toString);
    }

    @Test
    void the_schemes_own_variable_comes_before_that_for_all_and_lower_case_before_upper() {
        String hub = "https://hub.example/x";
        assertThat(proxy(hub, "HTTPS_PROXY", "http://a:1", "ALL_PROXY", "http://b:2"))
                .contains("a:1");
        assertThat(proxy(hub, "HTTP_PROXY", "http://a:1", "ALL_PROXY", "http://b:2"))
                .contains("b:2");
        assertThat(proxy(hub, "HTTPS_PROXY", "http://a:1", "https_proxy", "http://c:3"))
                .contains("c:3");
        assertThat(proxy("http://hub.example/x", "all_proxy", "b")).contains("b:80");
        assertThat(proxy(hub, "HTTP_PROXY", "http://a:1")).isEmpty();
        assertThat(proxy(hub, "HTTPS_PROXY", "  ")).isEmpty();
    }

    @Test
    void the_selector_of_the_client_gives_the_same() {
        Proxies proxies =
                new Proxies(Map.of("HTTPS_PROXY", "HTTP://proxy.example:3128", "no_proxy", ".inside.example"));
        assertThat(proxies.selector().select(URI.create("https://huggingface.co/x")))
                .singleElement()
                .satisfies(chosen -> assertThat(chosen.address().toString()).contains("proxy.example", "3128"));
        assertThat(proxies.selector().select(URI.create("https://hub.inside.example/x")))
                .containsExactly(Proxy.NO_PROXY);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "hub.test:80 http://hub.test/ true",
                "hub.test:443 http://hub.test/ false",
                "hub.test:443 https://hub.test/ true",
                "hub.test http://hub.test:8080/ true",
                "HUB.test http://a.Hub.Test/ true",
                ".hub.test http://hub.test/ true",
                "*.hub.test http://a.hub.test/ true",
                ".hub.test:8080 http://a.hub.test:8080/ true",
                "ub.test http://hub.test/ false",
                "hub.test. http://hub.test/ true",
                "* http://hub.test/ true",
                "10.0.0.0/8 http://10.200.3.4/ true",
                "10.0.0.0/9 http://10.200.3.4/ false",
                "10.0.0.0/8 http://10.hub.test/ false",
                "0.0.0.0/0 http://9.8.7.6/ true",
                "10.1.2.3 http://10.1.2.3:99/ true",
                "10.1.2.3:98 http://10.1.2.3:99/ false",
                "2.3 http://10.1.2.3/ false",
                "fd00::/8 http://[fd00:1::2]/ true",
                "fd00::/8 http://10.1.2.3/ false",
                "[fd00::1]:80 http://[fd00::1]/ true",
                "fd00:0::1 http://[fd00::1]:81/ true",
                "10.0.0.0/99 http://10.1.2.3/ false",
                "10.0.0.0/x http://10.1.2.3/ false",
                "/8 http://10.1.2.3/ false",
                ":80 http://hub.test/ false",
                "a.test,,hub.test http://hub.test/ true",
                "a.test,.b.test;x http://hub.test/ false",
                "a http://127.8.9.10/ true",
                "a http://127.example/ false",
                "a http://[::1]:5/ true",
                "a http://LOCALHOST/ true"
            })
    void a_host_is_asked_without_a_proxy_where_an_entry_names_it(String list, String address, boolean excluded) {
        assertThat(proxy(address, "ALL_PROXY", "http://p:1", "NO_PROXY", list).isEmpty())
                .isEqualTo(excluded);
    }

    @Test
    void the_list_may_be_separated_by_blanks() {
        assertThat(proxy("http://b.test/", "ALL_PROXY", "http://p:1", "NO_PROXY", " a.test  b.test\t"))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "http://u:p@h:1, u:p",
        "u:p@h, u:p",
        "http://u%40x:p%3Aq%25@h:1/, u@x:p:q%",
        "http://u:p@q/r#s^@h:1, u:p@q/r#s^",
        "http://u:50%@h:1, u:50%",
        "http://u:%zz@h:1, u:%zz",
        "http://u@h:1, u",
        "http://h:1, ''"
    })
    void the_password_is_what_stands_before_the_last_at_sign(String text, String credentials) {
        ProxyServer server = ProxyServer.parse("HTTPS_PROXY", text);
        assertThat(server.credentials()).isEqualTo(credentials);
        assertThat(server.host()).isEqualTo("h");
        assertThat(server.authorization().isEmpty()).isEqualTo(credentials.isEmpty());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "socks5://u:secret@h:1080",
                "SOCKS5h://h:1080",
                "https://u:secret@h:443",
                "http://u:secret@h:99999",
                "http://u:secret@h:0",
                "http://u:secret@h:port",
                "\"http://h:1\"",
                "http://",
                "h h"
            })
    void a_proxy_that_cannot_be_used_is_refused_by_its_variable_and_never_shows_the_password(String text) {
        assertThatThrownBy(() -> proxy("https://hub.example/", "ALL_PROXY", text))
                .hasMessageStartingWith("ALL_PROXY ")
                .hasMessageContaining("http://HOST:PORT")
                .hasMessageNotContaining("secret")
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.ENVIRONMENT));
        assertThat(proxy("https://hub.example/", "ALL_PROXY", text, "HTTPS_PROXY", "http://h:1"))
                .contains("h:1");
    }

    @Test
    void no_text_shows_a_password() {
        Proxies proxies = new Proxies(Map.of("HTTPS_PROXY", "http://u:secret@h:1"));
        assertThat(proxies.havePassword()).isTrue();
        assertThat(proxies.toString()).contains("HTTPS_PROXY").doesNotContain("secret");
        assertThat(ProxyServer.parse("HTTPS_PROXY", "http://u:secret@[::1]:1")).hasToString("[::1]:1");
    }
}
