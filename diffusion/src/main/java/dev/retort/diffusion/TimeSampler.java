package dev.retort.diffusion;

/** Where in time a training sample is noised. */
public sealed interface TimeSampler {
    /** Every time equally likely: a whole number 0..T-1 on a table, a real one from clean to noisiest otherwise. */
    TimeSampler UNIFORM = new Uniform();

    /** A time of the schedule. */
    double sample(NoiseSchedule schedule, Rng rng);

    /** Every time equally likely. */
    record Uniform() implements TimeSampler {
        @Override
        public double sample(NoiseSchedule schedule, Rng rng) {
            if (schedule instanceof DiscreteSchedule table) {
                return rng.nextInt(table.steps());
            }
            double clean = schedule.cleanTime();
            // 1 - u is in (0, 1]: pure noise can come up, the clean sample, where nothing is to be learned, cannot.
            return clean + (schedule.noisiestTime() - clean) * (1 - rng.nextDouble());
        }
    }

    /**
     * Logit-normal time (Esser et al. 2024): sigmoid(mean + std n), n standard normal, along the schedule from clean to noisiest. On a table it is rounded
     * down to an entry.
     *
     * @param mean above 0 favours noise
     * @param std above 0, usually 1
     */
    record LogitNormal(double mean, double std) implements TimeSampler {
        public LogitNormal {
            if (!Double.isFinite(mean)) {
                throw new IllegalArgumentException("mean is " + mean + ", expected a finite number");
            }
            if (!(std > 0) || Double.isInfinite(std)) {
                throw new IllegalArgumentException("std is " + std + ", expected a finite number above 0");
            }
        }

        @Override
        public double sample(NoiseSchedule schedule, Rng rng) {
            double u = 1 / (1 + StrictMath.exp(-(mean + std * rng.nextGaussian())));
            if (schedule instanceof DiscreteSchedule table) {
                return Math.min(Math.floor(u * table.steps()), table.steps() - 1.0);
            }
            return schedule.cleanTime() + (schedule.noisiestTime() - schedule.cleanTime()) * u;
        }
    }
}
