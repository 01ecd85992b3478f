package dev.retort.distill.step;

import dev.retort.Conditions;
import dev.retort.data.Prompts;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.model.Condition;
import dev.retort.model.Question;
import dev.retort.torch.Device;
import dev.retort.torch.Tensors;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/** Pictures that a test made, at a place on the clock, noised along a schedule. */
final class PlanePass extends Pass {
    private final NoiseSchedule schedule;
    private final float[] pixels;
    private final long[] shape;
    private final int[] labels;
    private double[] places;

    /**
     * @param pixels of as many pictures as there are labels, row-major
     * @param sides channels, height and width of a picture
     */
    PlanePass(Context context, long first, NoiseSchedule schedule, float[] pixels, int[] labels, long... sides) {
        super(context, first, labels.length);
        this.schedule = schedule;
        this.pixels = pixels;
        this.labels = labels;
        shape = new long[] {labels.length, sides[0], sides[1], sides[2]};
    }

    @Override
    public Tensor clean() {
        return once("clean", () -> Tensors.of(pixels, Device.CPU, shape));
    }

    @Override
    public NoisyBatch noisy(double[] times) {
        Tensor noise = once("noise", () -> draws("noise").gaussian(shape[1], shape[2], shape[3]));
        Tensor alpha = Tensors.column(Arrays.stream(times).map(schedule::alpha).toArray(), noise);
        Tensor sigma = Tensors.column(Arrays.stream(times).map(schedule::sigma).toArray(), noise);
        return NoisyBatch.of(clean(), noise, times, alpha, sigma, condition());
    }

    @Override
    public NoisyBatch noisy(String player) {
        NoisyBatch noisy = once("noisy", () -> noisy(draws("time").uniform()));
        places = noisy.times();
        return noisy;
    }

    @Override
    public Optional<double[]> places() {
        return Optional.ofNullable(places);
    }

    @Override
    public Question usual(String player, Question.Gradient gradient) {
        NoisyBatch at = noisy(player);
        return new Question(at.noisy(), at.times(), at.condition(), gradient);
    }

    @Override
    public Condition condition() {
        return once("condition", () -> Conditions.classes(labels));
    }

    @Override
    public Condition none() {
        throw new IllegalStateException("a point of the plane always has a class");
    }

    @Override
    public Condition condition(Prompts prompts) {
        return Conditions.classes(prompts.labels());
    }
}
