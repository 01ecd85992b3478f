package dev.retort.diffusion;

import java.util.List;

/**
 * Where in time a training sample is noised: a distribution over the times of a schedule, known by its quantile function. Distributions "along the schedule" are laid
 * over its times from clean to noisiest, on a table over its entries; those "of the noise" over sigma / alpha, on a table rounded up to the next noisier entry.
 */
public sealed interface TimeSampler {
    /** Every time equally likely: a whole number 0..T-1 on a table, a real one from clean to noisiest otherwise. */
    TimeSampler UNIFORM = new Uniform();

    /** The time at or below which a share of all draws lies, 0 < share < 1. */
    double quantile(NoiseSchedule schedule, double share);

    /** The share of draws at or below a time of the schedule, 0..1: the inverse of {@link #quantile}. */
    double share(NoiseSchedule schedule, double time);

    /** A time of the schedule. */
    default double sample(NoiseSchedule schedule, Rng rng) {
        return quantile(schedule, rng.nextShare());
    }

    /** Every time equally likely. */
    record Uniform() implements TimeSampler {
        @Override
        public double sample(NoiseSchedule schedule, Rng rng) {
            // 1 - u is in (0, 1]: pure noise can come up, the clean sample, where nothing is to be learned, cannot.
            return schedule instanceof DiscreteSchedule table
                    ? rng.nextInt(table.steps())
                    : quantile(schedule, 1 - rng.nextDouble());
        }

        @Override
        public double quantile(NoiseSchedule schedule, double share) {
            return along(schedule, share);
        }

        @Override
        public double share(NoiseSchedule schedule, double time) {
            return fraction(schedule, time);
        }
    }

    /**
     * Logit-normal time (Esser et al. 2024): sigmoid(mean + std n), n standard normal, along the schedule.
     *
     * @param mean above 0 favours noise
     * @param std above 0, usually 1
     */
    record LogitNormal(double mean, double std) implements TimeSampler {
        public LogitNormal {
            requireFinite("mean", mean);
            requirePositive("std", std);
        }

        @Override
        public double quantile(NoiseSchedule schedule, double share) {
            return along(schedule, 1 / (1 + StrictMath.exp(-(mean + std * NormalQuantile.at(share)))));
        }

        @Override
        public double share(NoiseSchedule schedule, double time) {
            double fraction = fraction(schedule, time);
            return NormalShare.at((StrictMath.log(fraction / (1 - fraction)) - mean) / std);
        }
    }

    /**
     * Uniform time, shifted towards the noise along the schedule by {@link TimeGrid#shifted} (Esser et al. 2024).
     *
     * @param shift above 1 for more noise, 1 for {@link Uniform}
     */
    record Shifted(double shift) implements TimeSampler {
        public Shifted {
            requirePositive("shift", shift);
        }

        @Override
        public double quantile(NoiseSchedule schedule, double share) {
            return along(schedule, TimeGrid.shifted(share, shift));
        }

        @Override
        public double share(NoiseSchedule schedule, double time) {
            return TimeGrid.shifted(fraction(schedule, time), 1 / shift);
        }
    }

    /**
     * Log-normal noise (Karras et al. 2022): ln(sigma / alpha) normal. On a flow it is logit-normal time, on the arc of TrigFlow ln(sigma_data tan t) is normal (Lu and
     * Song 2024).
     *
     * @param mean -1.2 in EDM, -1.1 in consistency training, -1 to -0.8 in sCM
     * @param std above 0
     */
    record LogNormal(double mean, double std) implements TimeSampler {
        public LogNormal {
            requireFinite("mean", mean);
            requirePositive("std", std);
        }

        @Override
        public double quantile(NoiseSchedule schedule, double share) {
            return ofNoise(schedule, StrictMath.exp(mean + std * NormalQuantile.at(share)));
        }

        @Override
        public double share(NoiseSchedule schedule, double time) {
            return NormalShare.at((StrictMath.log(schedule.noiseRatio(time)) - mean) / std);
        }
    }

    /**
     * Noise with heavy tails (Lee et al. 2024, TCM): (ln(sigma / alpha) - mean) / std has Student's t distribution.
     *
     * @param mean the middle
     * @param std the scale, above 0
     * @param degrees degrees of freedom, above 0; few make heavy tails, and wants {@link Truncated} around it
     */
    record LogStudent(double mean, double std, double degrees) implements TimeSampler {
        public LogStudent {
            requireFinite("mean", mean);
            requirePositive("std", std);
            requirePositive("degrees", degrees);
        }

        @Override
        public double quantile(NoiseSchedule schedule, double share) {
            return ofNoise(schedule, StrictMath.exp(mean + std * StudentT.quantile(share, degrees)));
        }

        @Override
        public double share(NoiseSchedule schedule, double time) {
            return StudentT.share((StrictMath.log(schedule.noiseRatio(time)) - mean) / std, degrees);
        }
    }

    /**
     * Noise levels as dense as those of the grid of Karras et al. 2022, eq. 5: (sigma / alpha)^(1/rho) uniform.
     *
     * @param ratioMin the least sigma / alpha, above 0
     * @param ratioMax the largest
     * @param rho 7 in the paper
     */
    record Polynomial(double ratioMin, double ratioMax, double rho) implements TimeSampler {
        public Polynomial {
            requirePositive("ratioMin", ratioMin);
            requirePositive("ratioMax - ratioMin", ratioMax - ratioMin);
            requirePositive("rho", rho);
        }

        @Override
        public double quantile(NoiseSchedule schedule, double share) {
            double low = StrictMath.pow(ratioMin, 1 / rho);
            double high = StrictMath.pow(ratioMax, 1 / rho);
            return ofNoise(schedule, StrictMath.pow(low + share * (high - low), rho));
        }

        @Override
        public double share(NoiseSchedule schedule, double time) {
            double low = StrictMath.pow(ratioMin, 1 / rho);
            double high = StrictMath.pow(ratioMax, 1 / rho);
            double share = (StrictMath.pow(schedule.noiseRatio(time), 1 / rho) - low) / (high - low);
            return Math.min(Math.max(share, 0), 1);
        }
    }

    /**
     * Another sampler's draws between two times, drawn again until they are.
     *
     * @param sampler the other
     * @param from the cleanest time, in the schedule's time
     * @param to the noisiest
     */
    record Truncated(TimeSampler sampler, double from, double to) implements TimeSampler {
        public Truncated {
            requirePositive("to - from", to - from);
        }

        @Override
        public double quantile(NoiseSchedule schedule, double share) {
            double low = sampler.share(schedule, from);
            double high = sampler.share(schedule, to);
            if (!(high > low)) {
                throw new IllegalArgumentException(sampler + " never falls between " + from + " and " + to
                        + " on the schedule " + schedule.name() + "; expected a wider interval");
            }
            double time = sampler.quantile(schedule, low + share * (high - low));
            return Math.min(Math.max(time, from), to);
        }

        @Override
        public double share(NoiseSchedule schedule, double time) {
            double low = sampler.share(schedule, from);
            double share = (sampler.share(schedule, time) - low) / (sampler.share(schedule, to) - low);
            return Math.min(Math.max(share, 0), 1);
        }
    }

    /**
     * Another sampler's draws on a grid (Song and Dhariwal 2023): each is rounded up to the next time of the grid, and those outside are drawn again. A pair of
     * neighbours of consistency training is the drawn time and the one {@link #below} it.
     *
     * @param sampler the other, log-normal with mean -1.1 and std 2 in the paper
     * @param times at least two, ascending
     */
    record Discretised(TimeSampler sampler, List<Double> times) implements TimeSampler {
        public Discretised {
            times = List.copyOf(times);
            for (int i = 1; i < times.size(); i++) {
                requirePositive("the distance of time " + i + " from the one before", times.get(i) - times.get(i - 1));
            }
            if (times.size() < 2) {
                throw new IllegalArgumentException("times has " + times.size() + " entries, expected at least 2");
            }
        }

        @Override
        public double quantile(NoiseSchedule schedule, double share) {
            double last = times.get(times.size() - 1);
            double time = new Truncated(sampler, times.get(0), last).quantile(schedule, share);
            return times.stream().skip(1).filter(t -> t >= time).findFirst().orElse(last);
        }

        @Override
        public double share(NoiseSchedule schedule, double time) {
            double reached = times.stream().filter(t -> t <= time).reduce(times.get(0), (a, b) -> b);
            return new Truncated(sampler, times.get(0), times.get(times.size() - 1)).share(schedule, reached);
        }

        /** The time of the grid before one of its times. */
        public double below(double time) {
            int index = times.indexOf(time);
            if (index < 1) {
                throw new IllegalArgumentException(
                        "time " + time + " is not a time of the grid after its first; expected one that was drawn");
            }
            return times.get(index - 1);
        }
    }

    private static double along(NoiseSchedule schedule, double fraction) {
        if (schedule instanceof DiscreteSchedule table) {
            return Math.min(Math.floor(fraction * table.steps()), table.steps() - 1.0);
        }
        return schedule.cleanTime() + (schedule.noisiestTime() - schedule.cleanTime()) * fraction;
    }

    private static double fraction(NoiseSchedule schedule, double time) {
        double fraction = (time - schedule.cleanTime()) / (schedule.noisiestTime() - schedule.cleanTime());
        return Math.min(Math.max(fraction, 0), 1);
    }

    private static double ofNoise(NoiseSchedule schedule, double noiseRatio) {
        double time = schedule.timeOfRatio(noiseRatio);
        return schedule instanceof DiscreteSchedule ? Math.max(Math.ceil(time), 0) : time;
    }

    private static void requireFinite(String name, double value) {
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException(name + " is " + value + ", expected a finite number");
        }
    }

    private static void requirePositive(String name, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(name + " is " + value + ", expected a finite number above 0");
        }
    }
}
