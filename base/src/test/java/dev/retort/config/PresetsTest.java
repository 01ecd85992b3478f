package dev.retort.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PresetsTest {
    @Test
    void a_preset_says_in_its_first_line_what_it_is() {
        assertThat(Presets.list("testing"))
                .extracting(Preset::name, Preset::about)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(
                        "small", "retort train small: 1 minute on two cores; made for the tests of this package"));
    }

    @Test
    void every_preset_we_ship_says_what_it_is_and_its_name_is_used_once() {
        List<Preset> all = Stream.of("train", "distill", "classifier")
                .flatMap(kind -> Presets.list(kind).stream())
                .toList();
        assertThat(all).allSatisfy(preset -> assertThat(preset.about())
                .as(preset.name())
                .matches("retort " + preset.kind().replace("classifier", "train-classifier") + " " + preset.name()
                        + ": .+"));
        assertThat(all).extracting(Preset::name).doesNotHaveDuplicates();
    }

    @Test
    void an_unknown_preset_proposes_the_nearest() {
        assertThatThrownBy(() -> Presets.open("testing", "smal"))
                .hasMessageStartingWith("There is no testing preset 'smal'; did you mean 'small'? Known: small");
    }

    @Test
    void a_missing_file_is_named() {
        assertThatThrownBy(() -> Presets.open("testing", "no/such.yaml"))
                .hasMessageStartingWith("There is no file no/such.yaml");
    }

    @Test
    void suggestions_are_near_or_absent() {
        List<String> known = List.of("train", "distill", "sample");
        assertThat(Suggestion.nearest("trian", known)).contains("train");
        assertThat(Suggestion.nearest("DISTIL", known)).contains("distill");
        assertThat(Suggestion.nearest("zoo", known)).isEmpty();
        assertThat(dev.retort.diffusion.EditDistance.of("kitten", "sitting")).isEqualTo(3);
    }
}
