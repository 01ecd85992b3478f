package dev.retort.distill.step;

import dev.retort.card.ImageShape;
import dev.retort.card.Part;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.model.Condition;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Ops;
import dev.retort.train.Pass;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * What a student makes of noise: it walks its own sampler's plan up to a step drawn for each image (backward simulation, Yin et al.
 * 2024, section 4.5) and says there what x0 is. Nothing of it depends on the pixels of the data.
 *
 * @param student name of the player that samples
 * @param plan how it samples, its calls taking its answer as x0
 */
public record Simulation(String student, Plan plan) {
    private static final String STREAM = "simulation";
    /** Numbers of the stream: the noise to start with, the last step, the noise of each step. */
    private static final int LAST = 1;

    private static final int OF_STEP = 2;

    /** The images (N, C, H, W) under the conditions of a pass; made once for all losses of it that ask for the same gradient. */
    public Tensor x0(Pass pass, Gradient gradient) {
        return pass.once("x0 of " + student + " by " + plan + ", gradient to " + gradient, () -> make(pass, gradient));
    }

    /** Unit noise, drawn once for all who walk. */
    private static Tensor noise(Pass pass, ImageShape shape, int number) {
        return pass.once("noise " + number + " of " + STREAM, () -> pass.draws(STREAM, number)
                .gaussian(shape.channels(), shape.height(), shape.width()));
    }

    private Tensor make(Pass pass, Gradient gradient) {
        ImageShape shape = pass.player(student).respondent().images();
        Tensor noise = pass.draws(STREAM).gaussian(shape.channels(), shape.height(), shape.width());
        int[] last = pass.draws(STREAM, LAST).index(plan.steps().size());
        Tensor state = new Rollout(student, plan)
                .state(
                        pass,
                        Ops.mul(noise, plan.startScale()),
                        last,
                        pass.condition(),
                        step -> noise(pass, shape, OF_STEP + step));
        double[] times = Arrays.stream(last)
                .mapToDouble(step -> plan.steps().get(step).call().time())
                .toArray();
        return pass.ask(student, new Question(state, times, told(pass.condition()), gradient))
                .as(Prediction.X0);
    }

    /** What a flow map says x0 is, it says where it is told to land on the clean end. */
    private Condition told(Condition condition) {
        if (!plan.tellsEndTimes()) {
            return condition;
        }
        double[] ends = new double[(int) condition.rows()];
        Arrays.fill(ends, plan.steps().get(plan.steps().size() - 1).call().until());
        return condition.with(Part.END_TIME, ends);
    }
}
