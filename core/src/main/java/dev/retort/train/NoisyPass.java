package dev.retort.train;

import dev.retort.card.GuidanceRange;
import dev.retort.card.ImageShape;
import dev.retort.card.Part;
import dev.retort.data.Batch;
import dev.retort.data.Prompts;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.TimeSampler;
import dev.retort.model.Condition;
import dev.retort.model.Conditioner;
import dev.retort.model.Question;
import dev.retort.torch.Device;
import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/** Images that are noised when a loss asks for them. */
final class NoisyPass extends Pass {
    private static final String NOISY = "noisy";
    private static final String GUIDANCE = "guidance";
    private final Batch batch;
    private final int from;
    private final Context context;
    private final NoiseSchedule schedule;
    private final TimeSampler times;
    private final Conditioner conditioner;
    private final double dropout;
    private final Optional<GuidanceRange> scales;
    private final Device device;
    private double[] places;

    NoisyPass(
            Batch batch,
            int from,
            int count,
            Context context,
            NoiseSchedule schedule,
            TimeSampler times,
            Conditioner conditioner,
            double dropout,
            Optional<GuidanceRange> scales,
            Device device) {
        super(context, batch.firstImage() + from, count);
        this.batch = batch;
        this.from = from;
        this.context = context;
        this.schedule = schedule;
        this.times = times;
        this.conditioner = conditioner;
        this.dropout = dropout;
        this.scales = scales;
        this.device = device;
    }

    @Override
    public NoisyBatch noisy(String player) {
        NoisyBatch whole = once(
                NOISY, () -> NoisyBatch.of(batch, from, count(), context.seed(), schedule, times, condition(), device));
        places = Arrays.stream(whole.times())
                .map(time -> time / schedule.noisiestTime())
                .toArray();
        ImageShape images = player(player).respondent().images();
        for (NoisyBatch at = whole; at != null; at = at.paired()) {
            if (at.clean().size(2) == images.height() && at.clean().size(3) == images.width()) {
                return at;
            }
        }
        throw new IllegalStateException(player + " works on images of " + images.height() + "x" + images.width()
                + ", the data are " + batch.height() + "x" + batch.width());
    }

    @Override
    public NoisyBatch noisy(double[] at) {
        Tensor unit = once("noise", () -> NoisyBatch.noise(batch, from, count(), context.seed(), device));
        return NoisyBatch.of(clean(), unit, at, schedule, condition());
    }

    @Override
    public Question usual(String player, Question.Gradient gradient) {
        NoisyBatch noisy = noisy(player);
        return new Question(noisy.noisy(), noisy.times(), noisy.condition(), gradient);
    }

    @Override
    public Tensor clean() {
        return once("clean", () -> NoisyBatch.clean(batch, from, count(), device));
    }

    @Override
    public Condition condition() {
        return once("condition", () -> {
            Condition told = NoisyBatch.condition(batch, from, count(), context.seed(), conditioner, dropout, device);
            return scales.map(range -> told.with(Part.GUIDANCE, draws(GUIDANCE).each(range::sample)))
                    .orElse(told);
        });
    }

    @Override
    public Condition none() {
        return once("none", () -> conditioner.none(count(), device));
    }

    @Override
    public Condition condition(Prompts prompts) {
        return conditioner.of(prompts, device);
    }

    @Override
    public Optional<double[]> places() {
        return Optional.ofNullable(places);
    }
}
