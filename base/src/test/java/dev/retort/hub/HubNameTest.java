package dev.retort.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubNameTest {
    @Test
    void a_name_has_an_owner_and_a_repository_and_means_the_main_branch() {
        HubName name = HubName.parse("hf:acme/dit-xl.2");
        assertThat(name).isEqualTo(new HubName("acme", "dit-xl.2", "", "main")).hasToString("hf:acme/dit-xl.2");
        assertThat(name.repository()).isEqualTo("acme/dit-xl.2");
    }

    @Test
    void a_file_or_a_folder_and_a_revision_may_follow() {
        assertThat(HubName.parse("hf:acme/dit/vae/model.safetensors@v1.0"))
                .isEqualTo(new HubName("acme", "dit", "vae/model.safetensors", "v1.0"))
                .hasToString("hf:acme/dit/vae/model.safetensors@v1.0");
        assertThat(HubName.parse("hf:acme/dit@refs/pr/7").revision()).isEqualTo("refs/pr/7");
        assertThat(HubName.parse("hf:acme/dit/")).isEqualTo(HubName.parse("hf:acme/dit"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hf:",
                "hf:dit",
                "hf:/dit",
                "hf:acme/",
                "hf:acme//x",
                "hf:../dit",
                "hf:acme/..",
                "hf:ac--me/dit",
                "hf:acme/dit--x",
                "hf:acme/.dit",
                "hf:acme/dit.",
                "hf:acme/d it",
                "hf:acme/dit/../x",
                "hf:acme/dit/./x",
                "hf:acme/dit//x",
                "hf:acme/dit\\x",
                "hf:acme/dit@",
                "hf:acme/dit@../main",
                "hf:acme/dit@/main",
                "hf:acme/dit@a b",
                "hf:acme/dit@-x",
                "acme/dit"
            })
    void what_is_no_name_is_refused_with_the_form(String text) {
        assertThatThrownBy(() -> HubName.parse(text))
                .hasMessageContaining("hf:OWNER/NAME")
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.USAGE));
    }

    @Test
    void a_path_is_no_name() {
        assertThat(HubName.is("runs/teacher")).isFalse();
        assertThat(HubName.is("./hf:x/y")).isFalse();
        assertThat(HubName.is("hf:x/y")).isTrue();
    }
}
