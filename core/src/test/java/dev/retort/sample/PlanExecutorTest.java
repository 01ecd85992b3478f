package dev.retort.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Plain;
import dev.retort.card.ProcessSpec;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.Solvers;
import dev.retort.diffusion.TimeGrid;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Plans that differ from sample to sample, and the gradient of a last step. */
class PlanExecutorTest {
    private static final int SIZE = 3 * 2 * 2;
    private static final Process PROCESS = ProcessSpec.ddpm().process();
    private static final double[][] TIMES = {{999, 600, 200}, {800, 500, 0}, {400, 30, 2}};

    private static Plan plan(String solver, double... times) {
        return Solvers.named(solver).plan(PROCESS, TimeGrid.of("own", (DiscreteSchedule) PROCESS.schedule(), times));
    }

    /** A network whose answer depends on time and state, for some samples of a batch. */
    private static PlanExecutor.Evaluation network(List<Plan> plans) {
        return (k, x) -> {
            double[] factor = plans.stream()
                    .mapToDouble(plan -> Math.cos(plan.times()[k]))
                    .toArray();
            return Ops.add(x, 0.3).tanh().mul(Plain.tensor(factor, factor.length, 1, 1, 1));
        };
    }

    private static Tensor images(double[] values) {
        return Plain.tensor(values, values.length / SIZE, 3, 2, 2);
    }

    private static double[] part(double[] all, int sample) {
        return Arrays.copyOfRange(all, sample * SIZE, (sample + 1) * SIZE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ddim", "ddpm", "dpmpp-2m", "unipc", "heun"})
    void a_plan_for_each_sample_gives_what_each_plan_gives_alone(String solver) {
        List<Plan> plans =
                Arrays.stream(TIMES).map(times -> plan(solver, times)).toList();
        double[] start = Plain.normal(1, 1, 3 * SIZE);
        double[] noise = Plain.normal(2, 1, 3 * SIZE);
        try (Scope scope = Scope.open()) {
            double[] together = Plain.values(
                    PlanExecutor.run(plans, images(start), network(plans), k -> images(noise), (k, x0, next) -> {}));
            for (int i = 0; i < plans.size(); i++) {
                int sample = i;
                List<Plan> one = List.of(plans.get(i));
                double[] alone = Plain.values(PlanExecutor.run(
                        one,
                        images(part(start, i)),
                        network(one),
                        k -> images(part(noise, sample)),
                        (k, x0, next) -> {}));
                assertThat(Plain.error(part(together, i), alone))
                        .as(solver + " " + i)
                        .isLessThan(1e-5);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ddim", "dpmpp-2m", "unipc"})
    void the_graph_of_the_last_step_leads_to_its_answer_and_no_further(String solver) {
        List<Plan> plans =
                Arrays.stream(TIMES).map(times -> plan(solver, times)).toList();
        try (Scope scope = Scope.open()) {
            Tensor weight = Plain.tensor(new double[] {0.7}, 1).set_requires_grad(true);
            Tensor start = images(Plain.normal(1, 1, 3 * SIZE));
            PlanExecutor.Evaluation network =
                    (k, x) -> network(plans).output(k, x).mul(weight);
            Tensor plain;
            try (NoGrad off = NoGrad.on()) {
                plain = PlanExecutor.run(plans, start, network, k -> start, (k, x0, next) -> {});
            }
            Tensor end = PlanExecutor.runToGraph(plans, start, network, k -> start, (k, x0, next) -> {});
            assertThat(Plain.values(end)).containsExactly(Plain.values(plain));
            end.sum().backward();
            // the last step is linear in the answer: what is left without it, and what it adds for each unit of weight
            double[] withNothing = Plain.values(PlanExecutor.runToGraph(
                    plans,
                    start,
                    (k, x) ->
                            k < 2 ? network.output(k, x) : network.output(k, x).mul(Plain.tensor(new double[] {0}, 1)),
                    k -> start,
                    (k, x0, next) -> {}));
            double expected = (Arrays.stream(Plain.values(plain)).sum()
                            - Arrays.stream(withNothing).sum())
                    / 0.7;
            assertThat(Plain.values(weight.grad())[0])
                    .isCloseTo(expected, org.assertj.core.api.Assertions.within(1e-4 * Math.abs(expected) + 1e-4));
        }
    }

    @Test
    void the_first_steps_of_a_plan_are_a_plan() {
        Plan plan = plan("ddim", 999, 600, 200);
        Plan first = plan.first(2);
        assertThat(first.times()).containsExactly(999, 600);
        try (Scope scope = Scope.open()) {
            Tensor start = images(Plain.normal(1, 1, SIZE));
            List<double[]> states = new ArrayList<>();
            PlanExecutor.run(plan, start, network(List.of(plan)), k -> start, (k, x0, next) -> {
                if (k == 1) {
                    states.add(Plain.values(next));
                }
            });
            Tensor part = PlanExecutor.run(first, start, network(List.of(plan)), k -> start, (k, x0, next) -> {});
            assertThat(Plain.values(part)).containsExactly(states.get(0));
        }
        assertThatThrownBy(() -> plan.first(0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void plans_of_other_lengths_do_not_go_together() {
        List<Plan> plans = List.of(plan("ddim", 999, 600, 200), plan("ddim", 999, 600));
        try (Scope scope = Scope.open()) {
            Tensor start = images(Plain.normal(1, 1, 2 * SIZE));
            assertThatThrownBy(() -> PlanExecutor.run(plans, start, network(plans), k -> start, (k, x0, next) -> {}))
                    .hasMessageContaining("3 and 2 steps");
        }
    }
}
