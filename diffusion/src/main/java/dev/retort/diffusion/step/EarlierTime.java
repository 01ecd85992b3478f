package dev.retort.diffusion.step;

import dev.retort.diffusion.NoiseSchedule;

/**
 * Which earlier time a time is compared with in consistency tuning (Geng et al. 2024, ECT): r = max(least, t (1 - (1 - ratio) (1 + k sigmoid(-b t)))). With ratio
 * 0 it is the loss of diffusion; a stage later it comes closer to t.
 *
 * @param ratio r / t far from the data, in 0..1
 * @param k 8 in the paper
 * @param b 1 in the paper
 * @param least the earliest r, at least 0
 */
public record EarlierTime(double ratio, double k, double b, double least) {
    public EarlierTime {
        if (!(ratio >= 0 && ratio < 1)) {
            throw new IllegalArgumentException("ratio is " + ratio + ", expected at least 0 and below 1");
        }
        if (!(k >= 0) || !(b > 0) || !(least >= 0)) {
            throw new IllegalArgumentException("k is " + k + ", b is " + b + " and least is " + least
                    + "; expected k and least at least 0, b above 0");
        }
    }

    /** With the paper's k and b. */
    public EarlierTime(double ratio, double least) {
        this(ratio, 8, 1, least);
    }

    /**
     * The ratio of a stage: 1 - q^-(stage + 1).
     *
     * @param q above 1; 2 doubles the closeness with every stage, 256 is the recipe of an hour
     * @param stage 0, 1, ...
     */
    public static EarlierTime ofStage(double q, int stage) {
        if (!(q > 1) || stage < 0) {
            throw new IllegalArgumentException(
                    "q is " + q + " and stage is " + stage + "; expected q above 1, stage at least 0");
        }
        return new EarlierTime(1 - StrictMath.pow(q, -(stage + 1)), 0);
    }

    /** r of t, both in the variable of the map itself: sigma of EDM in the paper. */
    public double before(double t) {
        double closer = 1 + k / (1 + StrictMath.exp(b * t));
        return Math.max(t - t * (1 - ratio) * closer, least);
    }

    /**
     * r of t on a schedule, the map acting on sigma / alpha, which is t / (1 - t) of a flow. Where that is infinite r is t: draw times below it.
     *
     * @param time a time of the schedule
     */
    public double before(NoiseSchedule schedule, double time) {
        return schedule.timeOfRatio(before(schedule.noiseRatio(time)));
    }
}
