package dev.retort.card;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.config.CardFile;
import dev.retort.config.OneLine;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TrainedForTest {
    private static final ProcessSpec FLOW = ProcessSpec.flow();
    private static final NoiseSchedule SCHEDULE = FLOW.noiseSchedule();
    private static final SamplingSpec EULER = SamplingSpec.of("flow-euler", 4, 1);
    private static final TrainedFor FOUR = TrainedFor.steps(4, EULER, 1.5);
    private static final TrainedFor JUMPS = TrainedFor.jumps(SamplingSpec.of("lcm", 2, 1), 1);

    private static void refused(TrainedFor trained, SamplingSpec asked, String sentence) {
        assertThatThrownBy(() -> trained.requireFit(SCHEDULE, asked))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.USAGE))
                .hasMessage(sentence);
    }

    private static GridSpec grid(String line) {
        return OneLine.parse(GridSpec.class, line);
    }

    @Test
    void what_differs_from_its_training_is_named_with_what_it_was_trained_for() {
        assertThatCode(() -> FOUR.requireFit(SCHEDULE, EULER)).doesNotThrowAnyException();
        refused(FOUR, EULER.withSteps(3), "steps is 3, but the model was trained for 4 steps alone; ask for as many");
        refused(
                FOUR.and(TrainedFor.steps(1, EULER, 1)).and(TrainedFor.steps(2, EULER, 1)),
                EULER.withSteps(3),
                "steps is 3, but the model was trained for 1, 2 or 4 steps alone; ask for one of these");
        refused(
                FOUR,
                SamplingSpec.of("flow-heun", 4, 1),
                "solver is flow-heun, but the model was trained for flow-euler alone; leave it at that");
        refused(
                FOUR,
                EULER.with(4, grid("flow:shift=3")),
                "grid is flow:shift=3, but the model was trained at the times of the grid default alone; leave it at that");
        refused(
                FOUR,
                EULER.withGuidance(2, 0, 1, 0),
                "guidance is 2.0, but a guidance of 1.5 is baked into the model; ask for 1");
    }

    @Test
    void guidance_beyond_the_scales_that_it_was_told_is_refused_with_these() {
        TrainedFor told = JUMPS.withGuidanceInput(Optional.of(new GuidanceRange(1, 4)));
        SamplingSpec lcm = SamplingSpec.of("lcm", 2, 1);
        for (double scale : new double[] {1, 2.5, 4}) {
            assertThatCode(() -> told.requireFit(SCHEDULE, lcm.withGuidance(scale, 0, 1, 0)))
                    .doesNotThrowAnyException();
        }
        for (double scale : new double[] {0.5, 4.5}) {
            refused(
                    told,
                    lcm.withGuidance(scale, 0, 1, 0),
                    "guidance is " + scale
                            + ", but the model was told scales from 1.0 to 4.0 alone; ask for one of these");
        }
        assertThat(told.text()).isEqualTo("any number of steps of lcm, guidance told from 1.0 to 4.0");
        assertThat(told.ofClasses(List.of(1)).and(FOUR).inSteps(2, lcm).guidanceInput())
                .contains(new GuidanceRange(1, 4));
        assertThat(CardFile.value(CardFile.tree(told), TrainedFor.class)).isEqualTo(told);
    }

    @Test
    void a_class_beyond_its_domain_is_named_with_those_that_it_was_distilled_for() {
        List<String> names = List.of("coat", "shirt", "bag");
        TrainedFor bags = FOUR.ofClasses(List.of(2, 0, 2));
        assertThat(bags.classes()).containsExactly(0, 2);
        assertThat(bags.guided(3).and(JUMPS).classes()).containsExactly(0, 2);
        assertThatCode(() -> bags.requireClasses(List.of(2, 2, 0), names)).doesNotThrowAnyException();
        assertThatCode(() -> FOUR.requireClasses(List.of(1), names)).doesNotThrowAnyException();
        assertThatThrownBy(() -> bags.requireClasses(List.of(2, 1), names))
                .hasMessage("classes shirt: the model was distilled for coat, bag alone; ask for these");
    }

    @Test
    void a_grid_of_another_name_and_the_same_times_is_the_same() {
        for (String line : List.of("flow", "even", "times:at=1000,750,500,250")) {
            assertThatCode(() -> FOUR.requireFit(SCHEDULE, EULER.with(4, grid(line))))
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void jumps_are_in_any_number_of_steps_of_their_solver_and_what_is_bound_by_nothing_is_sampled_in_any_way() {
        for (int steps : new int[] {1, 2, 7}) {
            SamplingSpec asked = SamplingSpec.of("lcm", steps, 2).with(steps, grid("flow:shift=3"));
            assertThatCode(() -> JUMPS.requireFit(SCHEDULE, asked)).doesNotThrowAnyException();
        }
        for (double gamma : new double[] {0, 0.3, 1}) {
            SamplingSpec asked = SamplingSpec.of("lcm", 4, 1).with(new SolverSpec.Tcd(gamma));
            assertThatCode(() -> JUMPS.requireFit(SCHEDULE, asked)).doesNotThrowAnyException();
            refused(
                    TrainedFor.steps(4, SamplingSpec.of("lcm", 4, 1), 1),
                    asked,
                    "solver is " + asked.solver().text()
                            + ", but the model was trained for lcm alone; leave it at that");
        }
        refused(
                JUMPS,
                SamplingSpec.of("lcm", 4, 1).with(new SolverSpec.Lcm(1)),
                "solver is lcm:timeScaling=1, but the model was trained for lcm alone; leave it at that");
        refused(JUMPS, EULER, "solver is flow-euler, but the model was trained for lcm alone; leave it at that");
        assertThatCode(() -> TrainedFor.ANY.requireFit(SCHEDULE, SamplingSpec.of("flow-heun", 50, 4)))
                .doesNotThrowAnyException();
        assertThat(TrainedFor.ANY.text()).isEqualTo("any way of sampling");
        assertThat(FOUR.text()).isEqualTo("4 steps of flow-euler on the grid default, guidance 1.5 baked in");
        assertThat(JUMPS.text()).isEqualTo("any number of steps of lcm");
        assertThat(JUMPS.and(FOUR)).isEqualTo(FOUR);
        assertThat(TrainedFor.ANY.guided(2).and(JUMPS)).isEqualTo(JUMPS.guided(2));
    }

    @Test
    void only_within_its_own_grid_does_a_student_of_few_steps_follow_an_ode() {
        assertThat(FOUR.followsOde(FLOW, 1000, 750, 500, 250, 0)).isTrue();
        assertThat(FOUR.followsOde(FLOW, 1000, 500, 0)).isFalse();
        assertThat(FOUR.followsOde(FLOW, 1000, 875, 750)).isFalse();
        assertThat(JUMPS.followsOde(FLOW, 1000, 0)).isFalse();
        TrainedFor noisy = TrainedFor.steps(4, SamplingSpec.of("lcm", 4, 1), 1);
        assertThat(noisy.followsOde(FLOW, 1000, 750, 500, 250, 0)).isFalse();
        assertThat(TrainedFor.ANY.guided(2).followsOde(FLOW, 1, 2, 3)).isTrue();
    }

    @Test
    void a_card_says_it_in_six_fields() {
        assertThat(CardFile.tree(FOUR).toString())
                .isEqualTo(
                        "{\"steps\":[4],\"solver\":\"flow-euler\",\"grid\":\"default\",\"guidance\":1.5,\"guidanceInput\":null,\"classes\":[]}");
        for (TrainedFor trained : List.of(FOUR, JUMPS, TrainedFor.ANY)) {
            assertThat(CardFile.value(CardFile.tree(trained), TrainedFor.class)).isEqualTo(trained);
        }
        assertThatThrownBy(() -> new TrainedFor(List.of(4), null, null, 1, Optional.empty(), List.of()))
                .hasMessageContaining("solver is null, expected that of the steps [4], and a grid");
    }
}
