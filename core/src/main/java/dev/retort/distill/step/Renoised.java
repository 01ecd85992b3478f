package dev.retort.distill.step;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.model.Condition;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * How made and real images are noised before somebody judges them: at times drawn evenly from a range.
 *
 * @param schedule how images are noised
 * @param from cleanest time, as a share of the schedule's noisiest
 * @param to noisiest time, likewise
 */
public record Renoised(NoiseSchedule schedule, double from, double to) {
    /**
     * Images with noise.
     *
     * @param stream name of the random numbers: images of one name get the same noise and times
     */
    NoisyBatch of(Tensor images, Condition condition, Pass pass, String stream) {
        double[] times = Arrays.stream(pass.draws(stream).uniform())
                .map(u -> schedule.noisiestTime() * (from + (to - from) * u))
                .toArray();
        Tensor noise = pass.draws(stream, 1).gaussian(images.size(1), images.size(2), images.size(3));
        return NoisyBatch.of(images, noise, times, schedule, condition);
    }
}
