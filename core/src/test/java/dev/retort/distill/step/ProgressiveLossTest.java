package dev.retort.distill.step;

import dev.retort.diffusion.Ddim;
import dev.retort.diffusion.TimeGrid;
import dev.retort.diffusion.Weighting;
import dev.retort.train.Loss;

class ProgressiveLossTest extends LossContract {
    @Override
    protected Loss loss() {
        TimeGrid grid = TimeGrid.uniform(SCHEDULE, 4);
        return new ProgressiveLoss(new TeacherSteps("teacher", SCHEDULE, grid, new Ddim(), 2), Weighting.TRUNCATED_SNR);
    }
}
