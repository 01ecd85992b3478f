package dev.retort.card;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ClassChoiceTest {
    private static final List<String> SHAPES = List.of("circle", "square", "star", "Ankle boot");
    /** As folders 0, 1, 2, 10, 20 are sorted. */
    private static final List<String> DIGITS = List.of("0", "1", "10", "2", "20");

    private static final List<String> BIRDS = List.of("crane, whooping crane", "kite", "crane", "cock, rooster");

    private static List<Integer> chosen(String text, List<String> names) {
        return ClassChoice.parse(text, names).labels();
    }

    private static void refused(String text, List<String> names, String... words) {
        assertThatThrownBy(() -> chosen(text, names))
                .isInstanceOf(RetortException.class)
                .hasMessageContainingAll(words);
    }

    @Test
    void numbers_ranges_and_names_stand_in_one_list() {
        assertThat(chosen("0-2,3", SHAPES)).containsExactly(0, 1, 2, 3);
        assertThat(chosen(" star , 0, ankle BOOT,1-1", SHAPES)).containsExactly(2, 0, 3, 1);
    }

    @Test
    void a_number_means_the_same_alone_and_in_a_range() {
        assertThat(chosen("2", DIGITS)).containsExactly(3);
        assertThat(chosen("0-2", DIGITS)).containsExactly(0, 1, 3);
        assertThat(chosen("1-10", DIGITS)).containsExactly(1, 3, 2);
        refused("4", DIGITS, "4: this model has the classes 0, 1, 10, 2, 20");
        refused("0-4", DIGITS, "0-4: this model has");
        assertThat(chosen("7-8", List.of("007", "008"))).containsExactly(0, 1);
        assertThat(chosen("7", List.of("007", "008"))).containsExactly(0);
    }

    @Test
    void a_range_over_a_number_that_is_another_classes_name_is_refused() {
        List<String> mixed = List.of("2", "cat", "dog");
        assertThat(chosen("2", mixed)).containsExactly(0);
        assertThat(chosen("0-1", mixed)).containsExactly(0, 1);
        refused("0-2", mixed, "0-2 has two meanings, since 2 is the name of class 0; give the names");
        assertThat(chosen("1-2", List.of("cat", "1", "dog"))).containsExactly(1, 2);
    }

    @Test
    void a_name_with_commas_is_taken_whole_and_by_its_parts() {
        assertThat(chosen("cock, rooster", BIRDS)).containsExactly(3);
        assertThat(chosen("cock,rooster,kite", BIRDS)).containsExactly(3, 1);
        assertThat(chosen("kite, Cock", BIRDS)).containsExactly(1, 3);
        assertThat(chosen("whooping crane", BIRDS)).containsExactly(0);
        assertThat(chosen("crane", BIRDS)).containsExactly(2);
        refused("roster", BIRDS, "did you mean 'rooster'?");
    }

    @Test
    void a_name_of_two_classes_asks_for_their_numbers() {
        refused(
                "crane",
                List.of("crane", "tent", "crane"),
                "crane is the name of the classes 0 and 2; give their numbers");
        assertThat(chosen("cat", List.of("Cat", "cat"))).containsExactly(1);
    }

    @Test
    void what_is_no_class_is_refused_and_many_names_are_not_all_listed() {
        refused("", SHAPES, "empty entry");
        refused(",", SHAPES, "empty entry");
        refused("0,,1", SHAPES, "empty entry");
        refused("2-1", SHAPES, "runs backwards; write 1-2");
        refused("4", SHAPES, "4: this model has classes 0 to 3 (circle, square, star, Ankle boot)");
        refused("0-99999999999", SHAPES, "not a class of this model");
        List<String> many = IntStream.range(0, 1000).mapToObj(i -> "n" + i).toList();
        refused("1000", many, "n9 and 990 more");
    }
}
