package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.diffusion.ArrayExecutor;
import dev.retort.diffusion.BoundaryScaling;
import dev.retort.diffusion.KarrasSchedule;
import dev.retort.diffusion.Lcm;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.TimeGrid;
import dev.retort.diffusion.Weighting;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** The reference numbers of consistency models: scalings, weights, curricula, losses with gradients, samplers. */
class ConsistencyModelsCaseTest {
    private static final KarrasSchedule SCHEDULE = new KarrasSchedule();
    private static final double DATA = 0.5;
    private static final double LEAST = 0.002;

    private final StepCase reference = StepCase.of("consistency-models");
    private final double[][] p = reference.rows("params");
    private final double[][] clean = reference.rows("x_start");
    private final double[][] noise = reference.rows("noise");

    @Test
    void every_output_agrees() {
        scalingsAndWeights();
        denoising();
        for (String name : List.of("l2.uniform", "l2.karras", "l1.uniform")) {
            consistency("ct." + name, false);
            consistency("cd." + name, true);
        }
        progressive("l2.uniform", Weighting.SIMPLE);
        progressive("l2.truncated-snr", Weighting.TRUNCATED_SNR);
        progressive("l1.snr+1", Weighting.SNR_PLUS_ONE);
        samplers();
        curricula();
        assertThat(reference.open()).isEmpty();
    }

    private void scalingsAndWeights() {
        double[] sigma = reference.get("scalings.sigma");
        scaling("edm", s -> BoundaryScaling.edm(s, DATA), sigma);
        scaling("boundary", s -> BoundaryScaling.consistency(s, LEAST, DATA), sigma);
        weights("snr", Weighting.SNR, sigma);
        weights("snr+1", Weighting.SNR_PLUS_ONE, sigma);
        weights("karras", karras(), sigma);
        weights("truncated-snr", Weighting.TRUNCATED_SNR, sigma);
        weights("uniform", Weighting.SIMPLE, sigma);
        for (int n : new int[] {2, 18, 40}) {
            reference.check(
                    "sigmas.n" + n,
                    TimeGrid.karras(SCHEDULE, n).points().stream()
                            .mapToDouble(TimeGrid.Point::sigma)
                            .toArray());
        }
    }

    private static Weighting karras() {
        return new Weighting.SnrPlus(1 / (DATA * DATA));
    }

    private void scaling(String name, DoubleFunction<BoundaryScaling> form, double[] sigma) {
        reference.check(
                "scalings." + name + ".c_skip", map(sigma, s -> form.apply(s).skip()));
        reference.check(
                "scalings." + name + ".c_out", map(sigma, s -> form.apply(s).out()));
        reference.check(
                "scalings." + name + ".c_in", map(sigma, s -> form.apply(s).in()));
    }

    private void weights(String name, Weighting weighting, double[] sigma) {
        reference.check("weights." + name, map(sigma, s -> weighting.weight(Prediction.X0, SCHEDULE, s)));
    }

    private static double[] map(double[] of, Function<Double, Double> function) {
        double[] mapped = new double[of.length];
        for (int i = 0; i < of.length; i++) {
            mapped[i] = function.apply(of[i]);
        }
        return mapped;
    }

    /** A network within a form, on one element. */
    private static Dual network(Dual[] p, Dual x, double sigma, BoundaryScaling form) {
        Dual in = x.times(form.in());
        Dual raw = p[0].times(in)
                .plus(p[1].times(p[2].times(in).tanh())
                        .times(p[3].times(Math.log(sigma + 1e-44)).cos()));
        return x.times(form.skip()).plus(raw.times(form.out()));
    }

    private double teacher(double x, double sigma) {
        return network(Dual.constants(p[2]), Dual.of(x), sigma, BoundaryScaling.edm(sigma, DATA)).value;
    }

    /** How one element of one sample is learned. */
    private interface Element {
        Dual error(Dual[] student, int sample, int element);
    }

    private Dual[] losses(Element element, boolean squared, double[] weights) {
        Dual[] student = Dual.variables(p[0]);
        Dual[] losses = new Dual[clean.length];
        for (int b = 0; b < losses.length; b++) {
            Dual[] errors = new Dual[clean[b].length];
            for (int i = 0; i < errors.length; i++) {
                Dual error = element.error(student, b, i);
                errors[i] = squared ? error.squared() : error.abs();
            }
            losses[b] = Dual.mean(errors).times(weights[b]);
        }
        return losses;
    }

    private void checkLosses(String name, Dual[] losses) {
        reference.check(name + ".loss", Dual.values(losses));
        reference.check(name + ".grad_student", Dual.mean(losses).slope);
    }

    private void denoising() {
        double[] sigma = reference.get("denoise.sigmas");
        Element element = (student, b, i) -> network(
                        student,
                        Dual.of(clean[b][i] + sigma[b] * noise[b][i]),
                        sigma[b],
                        BoundaryScaling.edm(sigma[b], DATA))
                .plus(-clean[b][i]);
        reference.check("denoise.xs_mse", Dual.values(losses(element, true, new double[] {1, 1, 1, 1})));
        checkLosses("denoise", losses(element, true, map(sigma, s -> karras().weight(Prediction.X0, SCHEDULE, s))));
    }

    private void consistency(String name, boolean distil) {
        double[] indices = reference.get("consistency.indices");
        TimeGrid grid = TimeGrid.karras(SCHEDULE, 18);
        Weighting weighting = name.endsWith("karras") ? karras() : Weighting.SIMPLE;
        Element element = (student, b, i) -> {
            TimeGrid.Point t = grid.points().get((int) indices[b]);
            TimeGrid.Point s = grid.points().get((int) indices[b] + 1);
            double x = clean[b][i] + t.sigma() * noise[b][i];
            FirstOrderStep step = FirstOrderStep.between(t, s);
            double euler = step.fromState() * x + step.fromX0() * (distil ? teacher(x, t.sigma()) : clean[b][i]);
            double landed = euler;
            if (distil) {
                double slope = (x - teacher(x, t.sigma())) / t.sigma();
                double there = (euler - teacher(euler, s.sigma())) / s.sigma();
                landed = x + (s.sigma() - t.sigma()) * (slope + there) / 2;
            }
            double target = network(
                            Dual.constants(p[1]),
                            Dual.of(landed),
                            s.sigma(),
                            BoundaryScaling.consistency(s.sigma(), LEAST, DATA))
                    .value;
            return network(student, Dual.of(x), t.sigma(), BoundaryScaling.consistency(t.sigma(), LEAST, DATA))
                    .plus(-target);
        };
        double[] weights = map(
                indices,
                i -> weighting.weight(
                        Prediction.X0, SCHEDULE, grid.points().get(i.intValue()).sigma()));
        checkLosses(name, losses(element, name.contains(".l2."), weights));
    }

    private void progressive(String name, Weighting weighting) {
        double[] indices = reference.get("progdist.indices");
        TimeGrid grid = TimeGrid.karras(SCHEDULE, 37);
        Element element = (student, b, i) -> {
            int at = 2 * (int) indices[b];
            TimeGrid.Point t = grid.points().get(at);
            TimeGrid.Point end = grid.points().get(at + 2);
            double x = clean[b][i] + t.sigma() * noise[b][i];
            double landed = x;
            for (int k = at; k < at + 2; k++) {
                FirstOrderStep step = FirstOrderStep.between(
                        grid.points().get(k), grid.points().get(k + 1));
                landed = step.fromState() * landed
                        + step.fromX0() * teacher(landed, grid.points().get(k).sigma());
            }
            ProgressiveTarget target = ProgressiveTarget.of(Prediction.X0, t, end);
            return network(student, Dual.of(x), t.sigma(), BoundaryScaling.edm(t.sigma(), DATA))
                    .plus(-(target.fromState() * x + target.fromLanding() * landed));
        };
        double[] weights = map(
                indices,
                i -> weighting.weight(
                        Prediction.X0,
                        SCHEDULE,
                        grid.points().get(2 * i.intValue()).sigma()));
        checkLosses("progdist." + name, losses(element, name.startsWith("l2"), weights));
    }

    private void samplers() {
        TimeGrid grid = TimeGrid.karras(SCHEDULE, 40);
        TimeGrid few = new TimeGrid(
                "three of forty",
                List.of(
                        grid.points().get(0),
                        grid.points().get(22),
                        grid.points().get(39)));
        Process student = new Process(SCHEDULE, Prediction.X0);
        double[][] fresh = reference.rows("multistep.fresh_noise");
        reference.check("multistep.sample", sample(new Lcm(10, LEAST).plan(student, few), fresh));
        reference.check("onestep.sample", sample(new Lcm().plan(student, TimeGrid.of("one", SCHEDULE, 80)), fresh));
    }

    private double[] sample(Plan plan, double[][] fresh) {
        ArrayExecutor.Network network = (input, call) -> {
            double[] output = new double[input.length];
            for (int i = 0; i < input.length; i++) {
                output[i] = network(
                                Dual.constants(p[0]),
                                Dual.of(input[i]),
                                call.sigma(),
                                BoundaryScaling.consistency(call.sigma(), LEAST, DATA))
                        .value;
            }
            return output;
        };
        return ArrayExecutor.run(plan, StepCase.flat(noise), network, k -> fresh[k], (k, x0, next) -> {});
    }

    private void curricula() {
        curriculum("fixed", new ConsistencyCurriculum.Fixed(40, 0.95));
        curriculum("fixed-progressive", new ConsistencyCurriculum.Growing(2, 150, 1000, 0.9, false));
        curriculum("adaptive-progressive", new ConsistencyCurriculum.Growing(2, 200, 1000, 0.95, true));
        curriculum("progdist", new ConsistencyCurriculum.Halving(64, 100));
    }

    private void curriculum(String name, ConsistencyCurriculum curriculum) {
        double[] steps = {0, 1, 99, 400, 999};
        reference.check("schedule." + name + ".ema", map(steps, k -> curriculum.decay(k.longValue())));
        reference.check("schedule." + name + ".scales", map(steps, k -> (double) curriculum.levels(k.longValue())));
    }
}
