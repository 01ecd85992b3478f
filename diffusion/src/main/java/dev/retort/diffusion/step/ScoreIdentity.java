package dev.retort.diffusion.step;

/**
 * Score identity distillation (Zhou et al. 2024, SiD): the loss of a value x of the student's image, by what the teacher and a network that knows the student's images ("fake") say
 * of it once it is noised, (teacher - fake) (teacher - x - alpha (teacher - fake)), times {@link DistributionMatching#weight} of the image. Unlike in distribution matching the
 * gradient goes through both networks, by which the noised image is reached. Where the fake is exact,
 * (teacher - fake) (teacher - x) and (teacher - fake)^2 have one mean over the noise, the Fisher divergence of the two distributions; alpha times the second is taken off because the
 * fake stays where it is while the student moves.
 *
 * @param alpha 1.2 in the paper, 1 beside an adversarial loss
 */
public record ScoreIdentity(double alpha) {
    /** The loss, not yet weighted. */
    public double of(double teacher, double fake, double x) {
        double gap = teacher - fake;
        return gap * (teacher - x - alpha * gap);
    }

    /** Its derivative by what the teacher says. */
    public double byTeacher(double teacher, double fake, double x) {
        return teacher - x + (1 - 2 * alpha) * (teacher - fake);
    }

    /** By what the fake says. */
    public double byFake(double teacher, double fake, double x) {
        return x - teacher + 2 * alpha * (teacher - fake);
    }

    /** By the student's own value. */
    public double byMade(double teacher, double fake) {
        return fake - teacher;
    }
}
