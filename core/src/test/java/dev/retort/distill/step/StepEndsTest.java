package dev.retort.distill.step;

import dev.retort.diffusion.Ddim;
import dev.retort.diffusion.TimeGrid;
import dev.retort.train.Loss;
import org.junit.jupiter.api.Nested;

/** The game of a student's steps, on both sides, with a critic of ends and one of pairs. */
class StepEndsTest {
    private static StepEnds ends(boolean pairs) {
        TimeGrid grid = TimeGrid.uniform(LossContract.SCHEDULE, 3);
        return new StepEnds(
                "student",
                new TeacherSteps("teacher", LossContract.SCHEDULE, grid, new Ddim(), 2),
                LossContract.renoised(),
                pairs);
    }

    @Nested
    class The_students_side_alone extends LossContract {
        @Override
        protected Loss loss() {
            return new AdversarialLoss(ends(false), "critic");
        }
    }

    @Nested
    class The_students_side_in_pairs extends LossContract {
        @Override
        protected Loss loss() {
            return new AdversarialLoss(ends(true), "critic");
        }

        @Override
        protected boolean pairs() {
            return true;
        }
    }

    @Nested
    class The_critics_side_in_pairs extends LossContract {
        @Override
        protected Loss loss() {
            return new CriticLoss(ends(true), 1e-3);
        }

        @Override
        protected boolean pairs() {
            return true;
        }

        @Override
        protected String trained() {
            return "critic";
        }
    }
}
