package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A teacher that is never wrong: a mixture in the plane whose components have classes, noised by any schedule. It knows what a perfect network says of a noised
 * sample, with a class or without, guided or not, and the velocity of the state on its way from noise to data.
 *
 * @param mixture all components
 * @param classes the class of each component, 0, 1, ...
 */
public record MixtureTeacher(GaussianMixture mixture, List<Integer> classes) {
    /** The class that stands for none. */
    public static final int NONE = -1;

    public MixtureTeacher {
        classes = List.copyOf(classes);
        if (classes.size() != mixture.components()) {
            throw new IllegalArgumentException(
                    classes.size() + " classes of " + mixture.components() + " components; expected one each");
        }
    }

    /** A ring of components whose classes take turns. */
    public static MixtureTeacher ring(int components, double radius, double deviation, int classes) {
        List<Integer> turns = new ArrayList<>();
        for (int k = 0; k < components; k++) {
            turns.add(k % classes);
        }
        return new MixtureTeacher(GaussianMixture.ring(components, radius, deviation), turns);
    }

    /** The components of a class as a mixture of their own; all of them for {@link #NONE}. */
    public GaussianMixture of(int label) {
        if (label == NONE) {
            return mixture;
        }
        int[] members = IntStream.range(0, classes.size())
                .filter(k -> classes.get(k) == label)
                .toArray();
        double[] weights = new double[members.length];
        double[][] means = new double[members.length][];
        double[] deviations = new double[members.length];
        for (int i = 0; i < members.length; i++) {
            weights[i] = mixture.weight(members[i]);
            means[i] = mixture.mean(members[i]);
            deviations[i] = mixture.deviation(members[i]);
        }
        return new GaussianMixture(weights, means, deviations);
    }

    /** E[x0 | x, label]. */
    public double[] x0(double[] x, TimeGrid.Point at, int label) {
        return of(label).x0(x, at.alpha(), at.sigma());
    }

    /** What a perfect network of a prediction says. */
    public double[] output(Prediction prediction, double[] x, TimeGrid.Point at, int label) {
        return of(label).output(prediction, x, at.alpha(), at.sigma());
    }

    /** The same guided, u + g (c - u). */
    public double[] guided(Prediction prediction, double[] x, TimeGrid.Point at, int label, double scale) {
        double[] with = output(prediction, x, at, label);
        double[] without = output(prediction, x, at, NONE);
        for (int d = 0; d < with.length; d++) {
            with[d] = without[d] + scale * (with[d] - without[d]);
        }
        return with;
    }

    /** dx/dt on the way of a sample, t being the schedule's time: alpha' x0 + sigma' eps with what the perfect network says. */
    public double[] velocity(NoiseSchedule schedule, double[] x, double time, int label) {
        TimeGrid.Point at = schedule.point(time);
        double[] slopes = slopes(schedule, time);
        double[] x0 = x0(x, at, label);
        double[] velocity = new double[x.length];
        for (int d = 0; d < x.length; d++) {
            velocity[d] = slopes[0] * x0[d] + slopes[1] * (x[d] - at.alpha() * x0[d]) / at.sigma();
        }
        return velocity;
    }

    /** alpha' and sigma' of a continuous schedule at a time. */
    public static double[] slopes(NoiseSchedule schedule, double time) {
        if (schedule instanceof KarrasSchedule) {
            return new double[] {0, 1};
        }
        if (schedule instanceof FlowLinear flow) {
            return new double[] {-1 / flow.timeScale(), 1 / flow.timeScale()};
        }
        if (schedule instanceof TrigFlow trig) {
            return new double[] {-Math.sin(time), trig.sigmaData() * Math.cos(time)};
        }
        if (schedule instanceof CosineLogSnr cosine) {
            double speed = Math.atan(Math.exp(-cosine.logSnrMin() / 2)) - Math.atan(Math.exp(-cosine.logSnrMax() / 2));
            return new double[] {-cosine.sigma(time) * speed, cosine.alpha(time) * speed};
        }
        throw new IllegalArgumentException(schedule.name() + " has no derivatives; expected a continuous schedule");
    }

    /** Where the exact way leads from a state: {@code steps} steps of the classical Runge-Kutta rule. */
    public double[] flow(NoiseSchedule schedule, double[] x, double from, double to, int steps, int label) {
        double h = (to - from) / steps;
        double[] y = x.clone();
        for (int k = 0; k < steps; k++) {
            double t = from + k * h;
            double[] k1 = velocity(schedule, y, t, label);
            double[] k2 = velocity(schedule, moved(y, k1, h / 2), t + h / 2, label);
            double[] k3 = velocity(schedule, moved(y, k2, h / 2), t + h / 2, label);
            double[] k4 = velocity(schedule, moved(y, k3, h), t + h, label);
            for (int d = 0; d < y.length; d++) {
                y[d] += h / 6 * (k1[d] + 2 * k2[d] + 2 * k3[d] + k4[d]);
            }
        }
        return y;
    }

    private static double[] moved(double[] y, double[] velocity, double h) {
        double[] moved = y.clone();
        for (int d = 0; d < y.length; d++) {
            moved[d] += h * velocity[d];
        }
        return moved;
    }
}
