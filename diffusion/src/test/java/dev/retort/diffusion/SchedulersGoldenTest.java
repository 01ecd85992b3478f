package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.InputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** The scheduler trajectories in short, for checkouts without the reference beside them. */
class SchedulersGoldenTest {
    @TestFactory
    Stream<DynamicTest> three_elements_of_every_seven_step_trajectory_agree() throws IOException {
        JsonNode golden;
        try (InputStream in = SchedulersGoldenTest.class.getResourceAsStream("/golden/schedulers.json")) {
            golden = ReferenceTensors.JSON.readTree(in);
        }
        double[] init = ReferenceTrajectories.numbers(golden.get("init"));
        double[][] noise = ReferenceTrajectories.rows(golden.get("noise"));
        return ReferenceTrajectories.stream(golden.get("rows"))
                .map(row -> DynamicTest.dynamicTest(row.get("id").asString(), () -> {
                    SchedulerSettings settings = SchedulerSettings.of(
                            golden.get("groups").get(row.get("group").asString()));
                    Plan plan = SchedulersReferenceTest.plan(settings, row, 7);
                    ReferenceTrajectories.assertTimes(plan.times(), row.get("timesteps"), settings.karras());
                    double[][] wanted = ReferenceTrajectories.rows(row.get("states"));
                    ReferenceTrajectories.assertStates(plan, init, noise, row, wanted, row);
                }));
    }

    /** The sums of the library's own test suite: a ramp of 768 values, model(x, t) = x t/(t+1), ten steps. */
    @Test
    void the_published_sums_of_ten_step_loops_agree() {
        DiscreteSchedule dit = DiscreteSchedule.linear();
        Process eps = new Process(dit, Prediction.EPSILON);
        TimeGrid leading = TimeGrid.leading(dit, 10, 0);
        assertSum(new Ddim(0, true, 100).plan(new Process(dit, Prediction.EPSILON, Clamp.to(1)), leading), 172.0067);
        assertSum(new Ddim().plan(new Process(dit, Prediction.V, Clamp.to(1)), leading), 52.5302);
        TimeGrid toFirst = leading.endingAt(dit.point(0));
        assertSum(new Pndm(true, 100).plan(eps, toFirst), 198.1318);
        assertSum(new Pndm(false, 100).plan(eps, toFirst), 197.7156);
        assertSum(new Pndm(true, 100).plan(new Process(dit, Prediction.V), toFirst), 67.3986);
        DiscreteSchedule sd = DiscreteSchedule.scaledLinear(1000, 0.00085, 0.012);
        Process latent = new Process(sd, Prediction.EPSILON);
        assertSum(new Tcd(0).plan(latent, TimeGrid.consistency(sd, 1, 50).endingAt(sd.point(0))), 29.8715);
        assertSum(new Tcd(0).plan(latent, TimeGrid.consistency(sd, 10, 50).endingAt(sd.point(0))), 181.2040);
        assertSum(new Lcm().plan(latent, TimeGrid.consistency(sd, 1, 50)), 18.7097);
    }

    /** Those that draw from torch's generator of seed 0. */
    @Test
    void the_published_sums_of_loops_with_noise_agree() {
        DiscreteSchedule dit = DiscreteSchedule.linear();
        TimeGrid all = TimeGrid.leading(dit, 1000, 0);
        Clamp clamp = Clamp.to(1);
        assertSum(new Ddpm().plan(new Process(dit, Prediction.EPSILON, clamp), all), 258.9606, new TorchRandom(0));
        assertSum(new Ddpm().plan(new Process(dit, Prediction.V, clamp), all), 202.0296, new TorchRandom(0));
        DiscreteSchedule sd = DiscreteSchedule.scaledLinear(1000, 0.00085, 0.012);
        Plan lcm = new Lcm().plan(new Process(sd, Prediction.EPSILON), TimeGrid.consistency(sd, 10, 50));
        assertSum(lcm, 197.7616, new TorchRandom(0));
    }

    private static void assertSum(Plan plan, double wanted) {
        assertSum(plan, wanted, null);
    }

    /** The library's fixture is the ramp (3, 8, 8, 4) permuted to (4, 3, 8, 8): what it draws is put back into the ramp's order. */
    private static double[] noise(TorchRandom random) {
        float[] drawn = new float[768];
        random.fillGaussian(drawn, 0, 768);
        double[] noise = new double[768];
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 192; j++) {
                noise[4 * j + i] = drawn[192 * i + j];
            }
        }
        return noise;
    }

    private static void assertSum(Plan plan, double wanted, TorchRandom random) {
        double[] ramp = new double[768];
        for (int i = 0; i < ramp.length; i++) {
            ramp[i] = i / 768.;
        }
        double[] x = ArrayExecutor.run(
                plan,
                ramp,
                (in, call) -> {
                    double[] out = in.clone();
                    for (int i = 0; i < out.length; i++) {
                        out[i] *= call.time() / (call.time() + 1);
                    }
                    return out;
                },
                k -> noise(random),
                (k, x0, next) -> {});
        double sum = 0;
        for (double v : x) {
            sum += Math.abs(v);
        }
        assertThat(sum).as(plan.solver()).isCloseTo(wanted, within(1e-2));
    }
}
