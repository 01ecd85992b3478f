package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class PlanTest {
    private static final DiscreteSchedule SD = DiscreteSchedule.scaledLinear(1000, 0.00085, 0.012);
    private static final Process PROCESS = new Process(SD, Prediction.EPSILON);

    @Test
    void every_plan_says_how_little_has_to_be_remembered() {
        TimeGrid grid = TimeGrid.linspace(SD, 30);
        assertThat(depths(new Ddim().plan(PROCESS, grid))).containsExactly(1, 1, 1);
        assertThat(depths(new Heun().plan(PROCESS, grid))).containsExactly(2, 2, 0);
        assertThat(depths(new DpmSolver(2).plan(PROCESS, grid))).containsExactly(1, 0, 2);
        assertThat(depths(new DpmSolver(3).plan(PROCESS, grid))).containsExactly(1, 0, 3);
        assertThat(depths(new UniPc().plan(PROCESS, grid))).containsExactly(2, 0, 3);
        assertThat(depths(new Pndm().plan(PROCESS, grid))).containsExactly(2, 5, 0);
        assertThat(depths(new Ddpm().plan(PROCESS, grid))).containsExactly(1, 0, 1);
    }

    private static int[] depths(Plan plan) {
        return new int[] {
            plan.depth(Combination.Source.STATE),
            plan.depth(Combination.Source.OUTPUT),
            plan.depth(Combination.Source.X0)
        };
    }

    @Test
    void a_plan_says_at_which_steps_it_stands_on_the_grid() {
        TimeGrid grid = TimeGrid.trailing(SD, 5);
        assertThat(new Ddim().plan(PROCESS, grid).stepsAt(grid)).containsExactly(0, 1, 2, 3, 4);
        assertThat(new Heun().plan(PROCESS, grid).stepsAt(grid)).containsExactly(0, 2, 4, 6, 8);
        assertThat(new Pndm().plan(PROCESS, grid).stepsAt(grid)).containsExactly(0, 2, 3, 4, 5);
        assertThat(new Pndm(true, 0).plan(PROCESS, grid).stepsAt(grid)).containsExactly(0, 4, 8, 12, 13);
        TimeGrid lowest = grid.endingAt(SD.point(0));
        assertThat(new Heun().plan(PROCESS, lowest).stepsAt(lowest)).containsExactly(0, 2, 4, 6, 8);
        TimeGrid one = TimeGrid.trailing(SD, 1);
        assertThat(new Ddim().plan(PROCESS, one).stepsAt(one)).containsExactly(0);
        TimeGrid other = TimeGrid.leading(SD, 5, 0);
        assertThatThrownBy(() -> new Ddim().plan(PROCESS, grid).stepsAt(other))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("never calls at time 0.0 of the grid leading");
        assertThat(new Ddim().plan(PROCESS, grid).addsNoise()).isFalse();
        assertThat(new Ddpm().plan(PROCESS, grid).addsNoise()).isTrue();
    }

    @Test
    void a_step_that_asks_for_more_than_there_was_is_refused() {
        Plan.Call call = PROCESS.call(SD.point(500));
        assertThatThrownBy(() -> new Plan("mine", 1, List.of(new Plan.Step(call, Combination.x0(1), NoiseScale.NONE))))
                .hasMessageContaining("asks for a X0 of 1 steps before");
        assertThatThrownBy(() -> new Plan("mine", 1, List.of())).hasMessageContaining("no step");
    }

    @Test
    void combinations_add_up_and_forget_what_cancels() {
        Combination a = Combination.state(0).times(2).plus(Combination.x0(1));
        assertThat(a.minus(Combination.x0(1))).isEqualTo(Combination.state(0).times(2));
        assertThat(a.plus(a).coefficient(Combination.Source.STATE, 0)).isEqualTo(4);
        assertThat(a.before(2).deepest(Combination.Source.X0)).isEqualTo(3);
        assertThat(a.times(0)).isEqualTo(Combination.ZERO);
        assertThatThrownBy(() -> a.times(Double.POSITIVE_INFINITY)).hasMessageContaining("expected a finite number");
    }

    @Test
    void a_sample_depends_on_its_address_and_not_on_its_neighbours() {
        Plan plan = new Ddpm().plan(PROCESS, TimeGrid.linspace(SD, 10));
        GaussianMixture mixture = GaussianMixture.ring(5, 1, 0.1);
        double[] alone = ArrayExecutor.sample(plan, 2, mixture.network(), 1, 7);
        for (int i = 0; i < 7; i++) {
            ArrayExecutor.sample(plan, 2, mixture.network(), 1, i);
        }
        assertThat(ArrayExecutor.sample(plan, 2, mixture.network(), 1, 7)).containsExactly(alone);
        assertThat(ArrayExecutor.sample(plan, 2, mixture.network(), 1, 8)).isNotEqualTo(alone);
        assertThat(ArrayExecutor.sample(plan, 2, mixture.network(), 2, 7)).isNotEqualTo(alone);
    }

    @Test
    void a_clamp_holds_the_predicted_clean_sample_and_its_noise_fits_it() {
        Process clamped = new Process(SD, Prediction.EPSILON, Clamp.to(1));
        Plan plan = new Ddim().plan(clamped, TimeGrid.linspace(SD, 5));
        Plan.Step step = plan.steps().get(0);
        double[] x = {3};
        Plan single = new Plan("one", 1, List.of(step));
        double[] next =
                ArrayExecutor.run(single, x, (in, call) -> new double[] {-2}, k -> null, (k, x0, y) -> assertThat(x0[0])
                        .isEqualTo(1));
        TimeGrid.Point t = SD.point(999);
        TimeGrid.Point s = SD.point(749);
        assertThat(next[0]).isCloseTo(s.alpha() + s.sigma() * (3 - t.alpha()) / t.sigma(), within(1e-12));
    }

    @Test
    void dynamic_thresholding_rescales_by_a_quantile() {
        double[] x0 = {0.5, -3, 1, 2, -1.5};
        new Clamp.Dynamic(0.75, 10).apply(x0);
        assertThat(x0).containsExactly(0.25, -1, 0.5, 1, -0.75);
        double[] small = {0.2, -0.3};
        new Clamp.Dynamic(0.99, 10).apply(small);
        assertThat(small).containsExactly(0.2, -0.3);
    }

    @Test
    void solvers_are_found_by_name_and_a_slip_is_answered_with_the_nearest() {
        assertThat(Solvers.names())
                .containsExactly(
                        "ddpm",
                        "ddim",
                        "pndm",
                        "euler",
                        "euler-ancestral",
                        "heun",
                        "dpmpp-2m",
                        "dpmpp-3m",
                        "dpmpp-2m-sde",
                        "unipc",
                        "lcm",
                        "tcd",
                        "flow-euler",
                        "flow-heun",
                        "flow-map",
                        "parallel-euler");
        for (String name : Solvers.names()) {
            assertThat(Solvers.named(name).name()).isEqualTo(name);
        }
        assertThat(Solvers.named(" DPMPP_2M ")).isEqualTo(new DpmSolver(2));
        assertThatThrownBy(() -> Solvers.named("ddin"))
                .hasMessageContaining("did you mean \"ddim\"?")
                .hasMessageContaining("unipc");
    }

    @Test
    void solvers_that_cannot_serve_a_schedule_say_which_can() {
        FlowLinear flow = new FlowLinear();
        Process straight = new Process(flow, Prediction.FLOW);
        assertThatThrownBy(() -> new Euler().plan(straight, TimeGrid.flow(flow, 4, 1)))
                .hasMessageContaining("use flow-euler");
        assertThatThrownBy(() -> new FlowEuler().plan(PROCESS, TimeGrid.linspace(SD, 4)))
                .hasMessageContaining("needs the schedule flow");
        assertThatThrownBy(() -> new Pndm(true, 0).plan(PROCESS, TimeGrid.linspace(SD, 3)))
                .hasMessageContaining("at least 4");
        assertThatThrownBy(() -> new DpmSolver(4)).hasMessageContaining("order is 4");
    }

    @Test
    void every_solver_fit_for_it_runs_a_flow_from_pure_noise() {
        FlowLinear flow = new FlowLinear();
        Process straight = new Process(flow, Prediction.FLOW);
        GaussianMixture mixture = GaussianMixture.ring(4, 1, 0.05);
        for (String name : List.of(
                "ddpm", "ddim", "dpmpp-2m", "dpmpp-3m", "dpmpp-2m-sde", "unipc", "lcm", "flow-euler", "flow-heun")) {
            Plan plan = Solvers.named(name).plan(straight, TimeGrid.flow(flow, 20, 1));
            double[] x = ArrayExecutor.sample(plan, 2, mixture.network(), 4, 0);
            assertThat(Math.hypot(x[0], x[1])).as(name).isBetween(0.4, 1.3);
        }
    }
}
