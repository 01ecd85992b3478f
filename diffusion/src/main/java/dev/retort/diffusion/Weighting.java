package dev.retort.diffusion;

/**
 * How much the squared error of one noised sample counts. Every weighting is defined on the error of x0 and then expressed for the space in which the
 * loss is taken, so that the same name means the same objective for every prediction (distillation.md 1, dit.md 8).
 */
public sealed interface Weighting {

    /** 1, in whatever space the loss is taken (the loss of DDPM for EPSILON, of flow matching for FLOW). */
    Weighting SIMPLE = new Simple();

    /** max(SNR, 1) on the error of x0 (Salimans and Ho 2022). */
    Weighting TRUNCATED_SNR = new TruncatedSnr();

    /** SNR on the error of x0, which is 1 on that of EPSILON. */
    Weighting SNR = new SnrPlus(0);

    /** SNR + 1 on the error of x0, which is 1 on that of V where the schedule preserves variance. */
    Weighting SNR_PLUS_ONE = new SnrPlus(1);

    /** The variational bound. */
    Weighting VLB = new VariationalBound();

    /**
     * The factor before the mean squared error of the network output.
     *
     * @param prediction the space in which the error is taken
     * @param schedule how the sample was noised
     * @param time at which time
     */
    double weight(Prediction prediction, NoiseSchedule schedule, double time);

    /** Weight 1. */
    record Simple() implements Weighting {
        @Override
        public double weight(Prediction prediction, NoiseSchedule schedule, double time) {
            return 1;
        }
    }

    /**
     * min(SNR, gamma) on the error of x0 (Hang et al. 2023): min(SNR, gamma)/SNR for EPSILON, /(SNR+1) for V. Where the SNR is 0, EPSILON has its limit, 1.
     *
     * @param gamma above 0, usually 5
     */
    record MinSnr(double gamma) implements Weighting {
        public MinSnr {
            if (!(gamma > 0)) {
                throw new IllegalArgumentException("gamma is " + gamma + ", expected above 0 (usually 5)");
            }
        }

        @Override
        public double weight(Prediction prediction, NoiseSchedule schedule, double time) {
            double snr = schedule.snr(time);
            if (prediction == Prediction.EPSILON) {
                return snr <= gamma ? 1 : gamma / snr;
            }
            return Math.min(snr, gamma) / perX0(prediction, schedule, time);
        }
    }

    /** max(SNR, 1) on the error of x0. */
    record TruncatedSnr() implements Weighting {
        @Override
        public double weight(Prediction prediction, NoiseSchedule schedule, double time) {
            double snr = schedule.snr(time);
            if (prediction == Prediction.EPSILON && snr >= 1) {
                return 1;
            }
            return Math.max(snr, 1) / perX0(prediction, schedule, time);
        }
    }

    /**
     * SNR + offset on the error of x0.
     *
     * @param offset at least 0; 1 / sigma_data^2 is the weighting of Karras et al. 2022
     */
    record SnrPlus(double offset) implements Weighting {
        public SnrPlus {
            if (!(offset >= 0) || Double.isInfinite(offset)) {
                throw new IllegalArgumentException("offset is " + offset + ", expected a finite number of at least 0");
            }
        }

        @Override
        public double weight(Prediction prediction, NoiseSchedule schedule, double time) {
            double snr = schedule.snr(time);
            if (prediction == Prediction.EPSILON) {
                // Where the SNR is 0, a weight of 0 + offset on x0 cannot be said in this space unless the offset is 0.
                return 1 + (offset == 0 ? 0 : offset / snr);
            }
            return (snr + offset) / perX0(prediction, schedule, time);
        }
    }

    /**
     * The variational bound on the error of x0 (Kingma et al. 2021, eq. 13 and 17), in nats per dimension when averaged over uniform times: T/2 (SNR(t-1) - SNR(t)) on a table,
     * where time 0, whose term is a likelihood and not a squared error, has the weight of time 1; -1/2 dSNR/du on a continuous schedule, u being the
     * time scaled to 0..1.
     */
    record VariationalBound() implements Weighting {
        @Override
        public double weight(Prediction prediction, NoiseSchedule schedule, double time) {
            return weightOfX0(schedule, time) / perX0(prediction, schedule, time);
        }

        private static double weightOfX0(NoiseSchedule schedule, double time) {
            if (schedule instanceof DiscreteSchedule table) {
                double t = Math.max(time, 1);
                return 0.5 * table.steps() * (table.snr(t - 1) - table.snr(t));
            }
            double span = schedule.noisiestTime() - schedule.cleanTime();
            double h = 1e-5 * span;
            double low = Math.max(time - h, schedule.cleanTime() + 1e-9 * span);
            double high = Math.min(time + h, schedule.noisiestTime());
            return 0.5 * (schedule.snr(low) - schedule.snr(high)) / ((high - low) / span);
        }
    }

    private static double perX0(Prediction prediction, NoiseSchedule schedule, double time) {
        return prediction.squaredErrorPerX0(schedule.alpha(time), schedule.sigma(time));
    }
}
