package dev.retort.distill.step;

import dev.retort.model.Question.Gradient;
import dev.retort.train.Pass;
import org.bytedeco.pytorch.Tensor;

/**
 * Images that a student makes by its own sampler beside those of the data, both with the same noise (Sauer et al. 2024, LADD).
 *
 * @param simulation what the student makes
 * @param renoised how it is shown
 */
public record GeneratedImages(Simulation simulation, Renoised renoised) implements CriticInput {
    @Override
    public String name() {
        return "adversarial";
    }

    @Override
    public Example generated(Pass pass, Gradient gradient) {
        return shown(pass, simulation.x0(pass, gradient));
    }

    @Override
    public Example real(Pass pass) {
        return shown(pass, pass.clean());
    }

    private Example shown(Pass pass, Tensor images) {
        return Example.of(renoised.of(images, pass.condition(), pass, name()));
    }
}
