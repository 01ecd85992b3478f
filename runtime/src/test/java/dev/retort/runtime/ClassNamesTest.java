package dev.retort.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class ClassNamesTest {
    private static final List<String> NAMES = List.of("tench, Tinca tinca", "bag", "Bag", "crane", "crane, machine");

    @Test
    void a_class_is_found_by_its_name_else_but_for_upper_case_else_by_a_synonym() {
        assertThat(ClassNames.label("bag", NAMES)).isEqualTo(1);
        assertThat(ClassNames.label(" Bag ", NAMES)).isEqualTo(2);
        assertThat(ClassNames.label("CRANE", NAMES)).isEqualTo(3);
        assertThat(ClassNames.label("tinca TINCA", NAMES)).isEqualTo(0);
    }

    @Test
    void a_name_of_several_classes_and_one_of_none_are_refused() {
        assertThatThrownBy(() -> ClassNames.label("BAG", NAMES))
                .hasMessage("'BAG' is the name of the classes [1, 2]; give their numbers");
        assertThatThrownBy(() -> ClassNames.label("crate", NAMES))
                .hasMessageStartingWith(
                        "'crate' is no class of this student; did you mean 'crane'? It has the classes 0 tench");
    }
}
