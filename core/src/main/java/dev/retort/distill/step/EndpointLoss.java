package dev.retort.distill.step;

import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.step.PseudoHuber;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Ops;
import dev.retort.train.Loss;
import dev.retort.train.Pass;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * Consistency mid-training (Hu et al. 2025, CMT): from any state of a kept trajectory the student is to say where that trajectory
 * ended: d(‖x0(y_i, t_i) - y_K‖), d pseudo-Huber. It makes of a denoiser a rough consistency function, to be tuned after.
 */
public final class EndpointLoss implements Loss {
    private final CachedStates cache;
    private final double pureNoise;
    private final PseudoHuber distance;

    /**
     * @param pureNoise share of images asked about at the trajectory's start, where few-step sampling begins
     * @param distance of an image's norm
     */
    public EndpointLoss(CachedStates cache, double pureNoise, PseudoHuber distance) {
        this.cache = cache;
        this.pureNoise = pureNoise;
        this.distance = distance;
    }

    @Override
    public String name() {
        return "endpoint";
    }

    @Override
    public boolean asksAboutImages() {
        return false;
    }

    @Override
    public Tensor perSample(Pass pass) {
        CachedStates.Drawn drawn = cache.draw(pass);
        int[] states = Arrays.stream(pass.draws(name()).each(rng -> {
                    boolean start = rng.nextDouble() < pureNoise;
                    int any = rng.nextInt(cache.last());
                    return start ? 0 : any;
                }))
                .mapToInt(state -> (int) state)
                .toArray();
        double[] times = Arrays.stream(states).mapToDouble(cache::time).toArray();
        Question question = new Question(drawn.states(i -> states[i]), times, drawn.condition(), Gradient.PARAMETERS);
        Tensor x0 = pass.ask(pass.player(), question).as(Prediction.X0);
        Tensor error = x0.sub(drawn.states(i -> cache.last()));
        return Distances.pseudoHuber(Ops.sum(Ops.flatten(error.square(), 1, -1), 1, false), distance);
    }
}
