package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Collectors;

/**
 * The noise levels a sampler visits: N points at which the network is called, then the end. Usually from noise to data; the inversion
 * of a sampler goes the other way.
 *
 * @param name which rule made it, for metadata
 * @param points N+1 points, the last one being where the last step lands
 */
public record TimeGrid(String name, List<Point> points) {

    /**
     * One noise level: x = alpha x0 + sigma eps.
     *
     * @param time what the network is told
     * @param alpha the factor before the clean sample
     * @param sigma the factor before the noise
     */
    public record Point(double time, double alpha, double sigma) {
        public Point {
            if (!(alpha >= 0 && sigma >= 0 && alpha + sigma > 0)) {
                throw new IllegalArgumentException("a point of a time grid has alpha " + alpha + " and sigma " + sigma
                        + "; expected both at least 0, one of them above 0");
            }
        }

        /** sigma / alpha. */
        public double noiseRatio() {
            return sigma / alpha;
        }

        /** ln(alpha / sigma), half the log-SNR, the lambda of DPM-Solver; infinite at the clean end. */
        public double lambda() {
            return StrictMath.log(alpha / sigma);
        }
    }

    public TimeGrid {
        points = List.copyOf(points);
        if (points.size() < 2) {
            throw new IllegalArgumentException("the time grid " + name + " has " + points.size()
                    + " points; expected at least 2, one call and the end");
        }
    }

    /** Calls at the given times of a schedule, in this order, ending at its clean time. */
    public static TimeGrid of(String name, NoiseSchedule schedule, double... times) {
        List<Point> points = new ArrayList<>();
        for (double time : times) {
            points.add(schedule.point(time));
        }
        points.add(schedule.point(schedule.cleanTime()));
        return new TimeGrid(name, points);
    }

    /** k * floor(T/N) + offset, k = N-1..0: never visits the noisiest times (DDPM, DDIM, Stable Diffusion). */
    public static TimeGrid leading(DiscreteSchedule schedule, int steps, int offset) {
        requireSteps(steps, schedule.steps());
        int stride = schedule.steps() / steps;
        if (offset < 0 || (steps - 1) * stride + offset >= schedule.steps()) {
            throw new IllegalArgumentException(
                    "offset is " + offset + ", which takes the first of " + steps + " leading times out of 0.."
                            + (schedule.steps() - 1) + "; expected a smaller offset or fewer steps");
        }
        return descending("leading", schedule, steps, k -> k * stride + offset);
    }

    /** round(T - k T/N) - 1, k = 0..N-1, ties to even: always visits T-1 (few-step students need it). */
    public static TimeGrid trailing(DiscreteSchedule schedule, int steps) {
        requireSteps(steps, schedule.steps());
        double stride = (double) schedule.steps() / steps;
        return descending("trailing", schedule, steps, k -> Math.rint(schedule.steps() - (steps - 1 - k) * stride) - 1);
    }

    /** N whole times from T-1 to 0, evenly spaced, ties to even; N = 1 gives 0. */
    public static TimeGrid linspace(DiscreteSchedule schedule, int steps) {
        requireSteps(steps, schedule.steps());
        return descending("linspace", schedule, steps, k -> Math.rint(evenly(k, steps, schedule.steps() - 1)));
    }

    /** N times from T-1 to 0, evenly spaced and not rounded, for networks that take fractional times. */
    public static TimeGrid fractional(DiscreteSchedule schedule, int steps) {
        requireSteps(steps, schedule.steps());
        return descending("fractional", schedule, steps, k -> evenly(k, steps, schedule.steps() - 1));
    }

    /** The grid of DiT's respacing strings, see {@link Respacing}. */
    public static TimeGrid respaced(DiscreteSchedule schedule, String spec) {
        int[] times = Respacing.times(spec, schedule.steps());
        return descending("respaced(" + spec + ")", schedule, times.length, k -> times[k]);
    }

    /**
     * The grid of latent consistency models: from the {@code original} times k T/original - 1 used in distillation, N at equal distance (rounded down), the noisiest
     * first.
     *
     * @param original how many times the student was distilled on, usually 50
     */
    public static TimeGrid consistency(DiscreteSchedule schedule, int steps, int original) {
        requireSteps(original, schedule.steps());
        requireSteps(steps, original);
        int stride = schedule.steps() / original;
        double[] times = new double[steps];
        for (int i = 0; i < steps; i++) {
            int index = (int) Math.floor((double) i * original / steps);
            times[i] = (original - index) * stride - 1;
        }
        return of("consistency(" + original + ")", schedule, times);
    }

    /** N evenly spaced times from the noisiest one towards the clean one, which is the end. */
    public static TimeGrid uniform(NoiseSchedule schedule, int steps) {
        requireSteps(steps, Integer.MAX_VALUE);
        double noisiest = schedule.noisiestTime();
        double clean = schedule.cleanTime();
        double[] times = new double[steps];
        for (int i = 0; i < steps; i++) {
            times[i] = noisiest + (clean - noisiest) * i / steps;
        }
        return of("uniform", schedule, times);
    }

    /**
     * N even times of the straight path, each u mapped to s u / (1 + (s-1) u) (Esser et al. 2024): a shift s above 1 spends more
     * steps near the noise, as large images want.
     */
    public static TimeGrid flow(FlowLinear schedule, int steps, double shift) {
        requireSteps(steps, Integer.MAX_VALUE);
        double[] times = new double[steps];
        for (int i = 0; i < steps; i++) {
            times[i] = schedule.timeScale() * shifted(1 - (double) i / steps, shift);
        }
        return of(shift == 1 ? "flow" : "flow(shift " + shift + ")", schedule, times);
    }

    /**
     * N times of the straight path from 1 to {@code lowest} (both included) before the shift, then the clean end; the grid of a widely used library.
     *
     * @param lowest the last time before the shift, for example 0.001
     */
    public static TimeGrid flowDownTo(FlowLinear schedule, int steps, double lowest, double shift) {
        requireSteps(steps, Integer.MAX_VALUE);
        double[] times = new double[steps];
        for (int i = 0; i < steps; i++) {
            double u = steps == 1 ? 1 : 1 + (lowest - 1) * i / (steps - 1);
            times[i] = schedule.timeScale() * shifted(u, shift);
        }
        return of("flow(down to " + lowest + ", shift " + shift + ")", schedule, times);
    }

    /** The time shift of {@link #flow}: s u / (1 + (s-1) u) for u in 0..1. */
    public static double shifted(double u, double shift) {
        if (!(shift > 0)) {
            throw new IllegalArgumentException("shift is " + shift + ", expected above 0 (1 leaves times as they are)");
        }
        return shift * u / (1 + (shift - 1) * u);
    }

    /**
     * The grid of Karras et al. 2022, eq. 5: sigma_i = (max^(1/rho) + i/(N-1) (min^(1/rho) - max^(1/rho)))^rho, over noise ratios sigma/alpha.
     *
     * @param rho 7 in the paper; more puts more steps near the data
     */
    public static TimeGrid karras(NoiseSchedule schedule, int steps, double ratioMin, double ratioMax, double rho) {
        double low = StrictMath.pow(ratioMin, 1 / rho);
        double high = StrictMath.pow(ratioMax, 1 / rho);
        return ofRatios(
                "karras(" + rho + ")",
                schedule,
                steps,
                ratioMin,
                ratioMax,
                u -> StrictMath.pow(high + u * (low - high), rho));
    }

    /** {@link #karras(NoiseSchedule, int, double, double, double)} over a schedule's own range, rho 7. */
    public static TimeGrid karras(NoiseSchedule schedule, int steps) {
        return karras(schedule, steps, lowestRatio(schedule), highestRatio(schedule), 7);
    }

    /** Noise ratios in geometric progression. */
    public static TimeGrid exponential(NoiseSchedule schedule, int steps, double ratioMin, double ratioMax) {
        double low = StrictMath.log(ratioMin);
        double high = StrictMath.log(ratioMax);
        return ofRatios(
                "exponential", schedule, steps, ratioMin, ratioMax, u -> StrictMath.exp(high + u * (low - high)));
    }

    private static TimeGrid ofRatios(
            String name,
            NoiseSchedule schedule,
            int steps,
            double ratioMin,
            double ratioMax,
            DoubleUnaryOperator between) {
        requireSteps(steps, Integer.MAX_VALUE);
        List<Point> points = new ArrayList<>();
        for (int i = 0; i < steps; i++) {
            // Both ends exactly, so that they are found again in the schedule.
            double ratio =
                    i == 0 ? ratioMax : i == steps - 1 ? ratioMin : between.applyAsDouble((double) i / (steps - 1));
            points.add(schedule.pointOfRatio(ratio));
        }
        points.add(schedule.point(schedule.cleanTime()));
        return new TimeGrid(name, points);
    }

    /** The smallest noise ratio a Karras grid over this schedule visits. */
    public static double lowestRatio(NoiseSchedule schedule) {
        if (schedule instanceof DiscreteSchedule) {
            return schedule.noiseRatio(0);
        }
        if (schedule instanceof KarrasSchedule karras) {
            return karras.sigmaMin();
        }
        return Math.max(schedule.noiseRatio(schedule.cleanTime()), 0.002);
    }

    /** The largest one. */
    public static double highestRatio(NoiseSchedule schedule) {
        return Math.min(schedule.noiseRatio(schedule.noisiestTime()), 1000);
    }

    /** The number of network calls (of one evaluation each). */
    public int steps() {
        return points.size() - 1;
    }

    /** The times told to the network, one per step. */
    public double[] times() {
        return points.stream().limit(steps()).mapToDouble(Point::time).toArray();
    }

    /** Where step i starts. */
    public Point from(int step) {
        return points.get(step);
    }

    /** Where step i lands on the chain. */
    public Point to(int step) {
        return points.get(step + 1);
    }

    /** Its last steps alone. */
    public TimeGrid last(int steps) {
        return new TimeGrid(name, points.subList(steps() - steps, points.size()));
    }

    /** The same calls with another landing point of the last step, such as the first entry of a table. */
    public TimeGrid endingAt(Point end) {
        List<Point> changed = new ArrayList<>(points.subList(0, steps()));
        changed.add(end);
        return new TimeGrid(name, changed);
    }

    /** The same calls, the times told to the network rounded to whole numbers (ties to even). */
    public TimeGrid withWholeTimes() {
        return new TimeGrid(
                name,
                points.stream()
                        .map(p -> new Point(Math.rint(p.time()), p.alpha(), p.sigma()))
                        .collect(Collectors.toList()));
    }

    /** The same without its last call; the end stays. */
    public TimeGrid withoutLastCall() {
        List<Point> fewer = new ArrayList<>(points);
        fewer.remove(steps() - 1);
        return new TimeGrid(name, fewer);
    }

    /** The way from data to noise: the same calls in the other order, ending at pure noise, for the inversion of DDIM. */
    public TimeGrid inverted() {
        List<Point> upward = new ArrayList<>(points.subList(0, steps()));
        Collections.reverse(upward);
        upward.add(new Point(upward.get(upward.size() - 1).time(), 0, 1));
        return new TimeGrid("inverted(" + name + ")", upward);
    }

    private static double evenly(int k, int steps, int last) {
        return steps == 1 ? 0 : (double) last * k / (steps - 1);
    }

    private static TimeGrid descending(String name, DiscreteSchedule schedule, int steps, IntToDoubleFunction time) {
        double[] times = new double[steps];
        for (int i = 0; i < steps; i++) {
            times[i] = time.applyAsDouble(steps - 1 - i);
        }
        return of(name, schedule, times);
    }

    private static void requireSteps(int steps, int most) {
        if (steps < 1 || steps > most) {
            throw new IllegalArgumentException("steps is " + steps + ", expected 1.." + most);
        }
    }
}
