package dev.retort.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.diffusion.ArrayExecutor;
import dev.retort.diffusion.Clamp;
import dev.retort.diffusion.Ddpm;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.DpmSolver;
import dev.retort.diffusion.FlowEuler;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.FlowMap;
import dev.retort.diffusion.ParallelEuler;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.diffusion.Solver;
import dev.retort.diffusion.Solvers;
import dev.retort.diffusion.TimeGrid;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FloatExecutorTest {
    private static final int SAMPLES = 3;
    private static final int SIZE = 7;
    private static final int HEADS = 16; // most that a plan below reads
    private static final long SEED = 11;
    private static final DiscreteSchedule SD = DiscreteSchedule.scaledLinear(1000, 0.00085, 0.012);
    private static final FlowLinear FLOW = new FlowLinear();

    /** Every solver on the schedule that it can serve, and beside them a learned variance, a dynamic threshold and several heads. */
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
        Process dynamic = new Process(SD, Prediction.EPSILON, new Clamp.Dynamic(0.9, 1.5));
        plans.add(new Ddpm(Ddpm.Variance.LEARNED_RANGE).plan(dynamic, TimeGrid.linspace(SD, 5)));
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
    void a_batch_of_floats_follows_the_reference_of_doubles_sample_by_sample(Plan plan) {
        FloatExecutor executor = new FloatExecutor(plan, SAMPLES, SIZE, SIZE * HEADS);
        float[] start = new float[SAMPLES * SIZE];
        noise(Purpose.SAMPLE_START, 0, start);
        for (int again = 0; again < 2; again++) { // the second run finds what the first left
            float[] drawn = run(executor, plan, start);
            for (int n = 0; n < SAMPLES; n++) {
                double[] expected = ArrayExecutor.sample(plan, SIZE, FloatExecutorTest::network, SEED, n);
                for (int i = 0; i < SIZE; i++) {
                    double tolerance = 1e-5 * Math.max(1, Math.abs(expected[i]));
                    assertThat((double) drawn[n * SIZE + i])
                            .as("sample %s, value %s", n, i)
                            .isBetween(expected[i] - tolerance, expected[i] + tolerance);
                }
            }
        }
    }

    private static float[] run(FloatExecutor executor, Plan plan, float[] start) {
        return executor.run(
                start,
                (step, input) -> {
                    float[] output = new float[SAMPLES * SIZE * HEADS];
                    for (int n = 0; n < SAMPLES; n++) {
                        double[] one = new double[SIZE];
                        for (int i = 0; i < SIZE; i++) {
                            one[i] = input[n * SIZE + i];
                        }
                        double[] answer = network(one, plan.steps().get(step).call());
                        for (int i = 0; i < answer.length; i++) {
                            output[n * SIZE * HEADS + i] = (float) answer[i];
                        }
                    }
                    return output;
                },
                (step, values) -> noise(Purpose.SAMPLE_STEP, step, values),
                step -> true);
    }

    /** Several heads, the second of which serves as variance too. */
    private static double[] network(double[] input, Plan.Call call) {
        double[] output = new double[SIZE * HEADS];
        for (int head = 0; head < HEADS; head++) {
            for (int i = 0; i < SIZE; i++) {
                output[head * SIZE + i] =
                        Math.tanh(0.7 * input[i] - 0.4 * input[(i + 1 + head) % SIZE] + Math.sin(call.time()));
            }
        }
        return output;
    }

    private static void noise(Purpose purpose, int step, float[] values) {
        for (int n = 0; n < SAMPLES; n++) {
            Rng.at(SEED, purpose, step, n).fillGaussian(values, n * SIZE, SIZE);
        }
    }

    @Test
    void a_watcher_ends_it_between_steps() {
        Plan plan = new FlowEuler().plan(new Process(FLOW, Prediction.FLOW), TimeGrid.flow(FLOW, 5, 1));
        List<Integer> called = new ArrayList<>();
        float[] answer = new float[SIZE];
        float[] drawn = new FloatExecutor(plan, 1, SIZE, SIZE)
                .run(
                        new float[SIZE],
                        (step, input) -> {
                            called.add(step);
                            return answer;
                        },
                        (step, values) -> {},
                        step -> step < 2);
        assertThat(drawn).isNull();
        assertThat(called).containsExactly(0, 1, 2);
    }

    @Test
    void a_run_allocates_nothing_of_the_size_of_a_batch() {
        int size = 1 << 16;
        Plan plan = new DpmSolver(3).plan(new Process(SD, Prediction.V, Clamp.to(1)), TimeGrid.linspace(SD, 20));
        FloatExecutor executor = new FloatExecutor(plan, 1, size, size);
        float[] start = new float[size];
        float[] answer = new float[size];
        executor.run(start, (step, input) -> answer, (step, values) -> {}, step -> true);
        long before = allocated();
        executor.run(start, (step, input) -> answer, (step, values) -> {}, step -> true);
        assertThat(allocated() - before).isLessThan(size); // a quarter of one state
    }

    private static long allocated() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean())
                .getThreadAllocatedBytes(Thread.currentThread().getId());
    }
}
