package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PlanTextTest {
    private static final DiscreteSchedule SD = DiscreteSchedule.scaledLinear(1000, 0.00085, 0.012);
    private static final FlowLinear FLOW = new FlowLinear();
    private static final Plan ONE = new FlowEuler().plan(new Process(FLOW, Prediction.FLOW), TimeGrid.flow(FLOW, 1, 1));
    private static final Plan.Call SD_CALL = new Process(SD, Prediction.X0).call(SD.point(3));

    /** Each solver on the schedule that it can serve, and what no usual option has: a variance, thresholds, options in the name. */
    private static Stream<Plan> plans() {
        List<Solver> solvers =
                new ArrayList<>(Solvers.names().stream().map(Solvers::named).toList());
        solvers.addAll(List.of(new FlowMap(true), new FlowEuler(true), new ParallelEuler(3), new DpmSolver(3)));
        List<Plan> plans = new ArrayList<>();
        for (Solver solver : solvers) {
            plans.add(either(
                    () -> solver.plan(new Process(SD, Prediction.V, Clamp.to(1.1)), TimeGrid.linspace(SD, 6)),
                    () -> solver.plan(new Process(FLOW, Prediction.FLOW), TimeGrid.flow(FLOW, 6, 3))));
        }
        Process dynamic = new Process(SD, Prediction.EPSILON, new Clamp.Dynamic(0.995, 1.5));
        plans.add(new Ddpm(Ddpm.Variance.LEARNED_RANGE).plan(dynamic, TimeGrid.linspace(SD, 5)));
        plans.add(new Plan("nothing", 1e-300, List.of(new Plan.Step(SD_CALL, Combination.ZERO, NoiseScale.NONE))));
        return plans.stream();
    }

    private static Plan either(Supplier<Plan> one, Supplier<Plan> other) {
        try {
            return one.get();
        } catch (IllegalArgumentException e) {
            return other.get();
        }
    }

    @ParameterizedTest
    @MethodSource("plans")
    void a_plan_comes_back_from_its_text_to_the_last_digit(Plan plan) {
        assertThat(PlanText.parse(PlanText.of(plan))).isEqualTo(plan);
    }

    @Test
    void the_text_of_one_step_is_what_the_runtime_reads() {
        assertThat(PlanText.of(ONE))
                .isEqualTo("retort-plan 1\nsolver flow-euler\nstart 1.0\n"
                        + "step time=1.0 alpha=0.0 sigma=1.0 scale=1.0 prediction=flow clamp=none until=NaN heads=0:1.0"
                        + " refined=state@0:1.0 next=state@0:1.0,output@0:-1.0 noise=none\n");
    }

    @Test
    void a_text_that_is_no_plan_is_refused_with_its_line() {
        String text = PlanText.of(ONE);
        refused("", "line 1 of a plan is \"\", expected \"retort-plan 1\"");
        refused(text.replace("retort-plan 1", "retort-plan 2"), "another version");
        refused(text.replace("start 1.0", "start one"), "line 3 of a plan is \"start one\": one is no number");
        refused(text.replace("clamp=none", "clamp=range"), "clamp is range, expected none, range:limit");
        refused(text.replace("clamp=none", "clamp=:"), "clamp is :, expected none, range:limit");
        refused(text.replace("noise=none", "noise=0.3"), "noise is 0.3, expected none, fixed:scale");
        refused(text.replace("noise=none", "noise=:"), "noise is :, expected none, fixed:scale");
        refused(text.replace("noise=none", "noise=none:"), "noise is none:, expected none, fixed:scale");
        refused(text.replace("heads=0:1.0", "heads=:"), " is no whole number");
        refused(text.replace(" until=NaN", ""), "expected [time, alpha");
        refused(text.replace("state@0:1.0,", "stat@0:1.0,"), "stat is none of [state, output, x0]");
        refused(text.replace("state@0:1.0,", "state@3:1.0,"), "asks for a STATE of 3 steps before");
        refused(text.replace("output@0:-1.0", "output"), "a term is output, expected source@lag:coefficient");
        refused(text.substring(0, text.indexOf("step")), "has no step");
    }

    private static void refused(String text, String why) {
        assertThatThrownBy(() -> PlanText.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(why);
    }
}
