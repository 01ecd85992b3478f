package dev.retort.diffusion.step;

/** How many noise levels a discrete consistency loss has at a step of a run, and how slowly its averaged target follows. */
public sealed interface ConsistencyCurriculum {
    /** The number of noise levels at a step, 0 being the first: neighbours are drawn from so many less one intervals. */
    int levels(long step);

    /** The decay of the averaged target at a step: 0 copies the student, 1 keeps the target. */
    double decay(long step);

    /**
     * The same all the time.
     *
     * @param levels 40 in consistency distillation
     * @param decay 0.95 there
     */
    record Fixed(int levels, double decay) implements ConsistencyCurriculum {
        public Fixed {
            require("levels", levels);
        }

        @Override
        public int levels(long step) {
            return levels;
        }

        @Override
        public double decay(long step) {
            return decay;
        }
    }

    /**
     * Consistency training (Song et al. 2023): the square of the number of levels grows evenly.
     *
     * @param start levels at first, 2 in the paper
     * @param end levels at last, 150 or 200
     * @param steps of the run
     * @param decay the target's at the start, 0.95 or 0.9
     * @param adaptive let the decay grow with the levels, exp(start ln(decay) / levels); otherwise it stays
     */
    record Growing(int start, int end, long steps, double decay, boolean adaptive) implements ConsistencyCurriculum {
        public Growing {
            require("start", start);
            require("end", end);
            require("steps", steps);
        }

        @Override
        public int levels(long step) {
            return intervals(step) + 1;
        }

        @Override
        public double decay(long step) {
            return adaptive ? StrictMath.exp(start * StrictMath.log(decay) / intervals(step)) : decay;
        }

        private int intervals(long step) {
            double first = (double) start * start;
            double last = (end + 1.0) * (end + 1.0);
            return (int) Math.max(Math.ceil(Math.sqrt((double) step / steps * (last - first) + first) - 1), 1);
        }
    }

    /**
     * Improved consistency training (Song and Dhariwal 2023): the intervals double at even distances, and there is no averaged target.
     *
     * @param start intervals at first, 10 in the paper
     * @param end intervals at last, 1280
     * @param steps of the run
     */
    record Doubling(int start, int end, long steps) implements ConsistencyCurriculum {
        public Doubling {
            require("start", start);
            require("end - start", end - start);
            require("steps", steps);
        }

        @Override
        public int levels(long step) {
            double doublings = Math.floor(StrictMath.log((double) end / start) / StrictMath.log(2)) + 1;
            long each = Math.max((long) Math.floor(steps / doublings), 1);
            // A shift beyond 30 is beyond every end.
            return (int) Math.min((long) start << Math.min(step / each, 30), end) + 1;
        }

        @Override
        public double decay(long step) {
            return 0;
        }
    }

    /**
     * Progressive distillation on the noise levels of a consistency model's code: {@link #levels} is the student's number of steps, halved at even distances; the stages of two
     * steps and of one take twice as long. The teacher is a stage's start, so the target does not move.
     *
     * @param start the student's steps at first, a power of 2
     * @param stepsPerStage updates between two halvings
     */
    record Halving(int start, long stepsPerStage) implements ConsistencyCurriculum {
        public Halving {
            require("start", start);
            require("stepsPerStage", stepsPerStage);
        }

        @Override
        public int levels(long step) {
            int halvings = 31 - Integer.numberOfLeadingZeros(start);
            long stage = step / stepsPerStage;
            if (stage < halvings - 1) {
                return start >> stage;
            }
            long longStage = Math.max(step - stepsPerStage * (halvings - 1), 0) / (2 * stepsPerStage);
            return longStage == 0 && start > 1 ? 2 : 1;
        }

        @Override
        public double decay(long step) {
            return 1;
        }
    }

    private static void require(String name, long value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " is " + value + ", expected at least 1");
        }
    }
}
