package dev.retort.evaluate;

import dev.retort.data.Prompts;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.Condition;
import dev.retort.model.Conditioner;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.model.Question;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Pipeline;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * How far a student's network is from its teacher's: both look at the same noised real images with their true classes, and
 * their outputs are compared as predictions of the noise, whatever either was trained to predict.
 */
final class Agreement {
    /** Bins of time; as many as the training log has. */
    private static final int BINS = 10;

    private static final int IMAGES_PER_BIN = 128;

    private Agreement() {}

    /** Mean squared difference in ε per bin of time; the two must have learned on the same schedule. */
    static TimeBins between(
            Pipeline<Network> teacher,
            Pipeline<Network> student,
            ImageCodec codec,
            ImageSet real,
            long seed,
            Precision precision) {
        NoiseSchedule schedule = teacher.card().process().noiseSchedule();
        if (!teacher.card().scheduleHash().equals(student.card().scheduleHash())) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "teacher and student learned on different schedules (" + schedule.name() + " and "
                            + student.card().process().noiseSchedule().name()
                            + "), so their predictions cannot be compared");
        }
        TimeBins bins = new TimeBins(BINS);
        int count = Math.min(IMAGES_PER_BIN, real.size());
        for (int bin = 0; bin < BINS; bin++) {
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on()) {
                Noised noised = Noised.of(
                        codec,
                        real,
                        bin,
                        count,
                        seed,
                        schedule,
                        teacher.network().device());
                float[] a = noised.eps(teacher, precision);
                float[] b = noised.eps(student, precision);
                int size = a.length / count;
                for (int i = 0; i < count; i++) {
                    bins.addSquaredError(
                            noised.places[i],
                            Arrays.copyOfRange(b, i * size, (i + 1) * size),
                            Arrays.copyOfRange(a, i * size, (i + 1) * size));
                }
            }
        }
        return bins;
    }

    /** Images at times of one bin; {@code places} are the times as shares of the schedule. */
    private record Noised(Tensor x, Prompts prompts, double[] times, double[] places) {
        static Noised of(
                ImageCodec codec, ImageSet real, int bin, int count, long seed, NoiseSchedule schedule, Device device) {
            double[] times = new double[count];
            double[] places = new double[count];
            int[] labels = new int[count];
            Tensor clean = codec.encode(images(real, bin * count, count, device)); // (N, C, H, W)
            float[] x = Tensors.floats(clean);
            int size = x.length / count;
            float[] noise = new float[size];
            for (int i = 0; i < count; i++) {
                Rng rng = Rng.at(seed, Purpose.EVALUATE, bin, i);
                places[i] = (bin + 1 - rng.nextDouble()) / BINS; // never 0, where there is no noise to predict
                times[i] = time(schedule, places[i]);
                double alpha = schedule.alpha(times[i]);
                double sigma = schedule.sigma(times[i]);
                labels[i] = real.labels()[(bin * count + i) % real.size()];
                rng.fillGaussian(noise);
                for (int p = 0; p < size; p++) {
                    x[i * size + p] = (float) (alpha * x[i * size + p] + sigma * noise[p]);
                }
            }
            return new Noised(
                    Tensors.of(x, device, Tensors.shape(clean)),
                    Prompts.named(labels, real.classNames()),
                    times,
                    places);
        }

        /** Pictures (N, C, H, W) in [-1, 1], beginning again behind the last. */
        private static Tensor images(ImageSet real, int first, int count, Device device) {
            PixelBatch pixels = real.pixels(IntStream.range(first, first + count)
                    .map(i -> i % real.size())
                    .toArray());
            float[] values = new float[pixels.pixels().length];
            for (int p = 0; p < values.length; p++) {
                values[p] = (float) ((pixels.pixels()[p] & 0xFF) / 127.5 - 1);
            }
            return Tensors.of(values, device, count, pixels.channels(), pixels.height(), pixels.width());
        }

        private static double time(NoiseSchedule schedule, double place) {
            if (schedule instanceof DiscreteSchedule table) {
                return Math.min(Math.floor(place * table.steps()), table.steps() - 1.0);
            }
            return schedule.cleanTime() + (schedule.noisiestTime() - schedule.cleanTime()) * place;
        }

        float[] eps(Pipeline<Network> model, Precision precision) {
            Conditioner conditioner = Architectures.conditioner(model.card());
            Condition condition = conditioner.of(prompts, model.network().device());
            Predictor predictor =
                    Predictor.of(model.network(), conditioner, model.card().process(), precision);
            Question question = new Question(x, times, condition, Question.Gradient.NONE);
            return Tensors.floats(predictor.ask(question, Set.of()).as(Prediction.EPSILON));
        }
    }
}
