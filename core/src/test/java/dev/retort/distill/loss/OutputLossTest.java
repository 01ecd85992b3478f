package dev.retort.distill.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.ConditionSpec;
import dev.retort.data.Batch;
import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.data.Loader;
import dev.retort.data.PairedImages;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.model.Condition;
import dev.retort.model.Conditioner;
import dev.retort.model.LabelConditioner;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.GivenPass;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Objective;
import dev.retort.train.Player;
import dev.retort.train.Told;
import java.util.Arrays;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class OutputLossTest {
    private static final Objective OBJECTIVE = new Objective.Flow(0, 1, 1);
    private static final NoiseSchedule SCHEDULE = OBJECTIVE.process().noiseSchedule();

    private static NoisyBatch batch(ImageSource source) {
        try (Loader loader = new Loader(source, 4, 3, 0, false, 1, 1)) {
            Batch batch = loader.next();
            Conditioner conditioner = new LabelConditioner(ConditionSpec.ofClasses(5, true));
            Condition condition = NoisyBatch.condition(batch, 0, 4, 5, conditioner, 0, Device.CPU);
            return NoisyBatch.of(batch, 0, 4, 5, SCHEDULE, OBJECTIVE.times(), condition, Device.CPU);
        }
    }

    private static ImageSource shapes(int size) {
        return DataConfig.shapes(size).open();
    }

    /** What a perfect network answers, noise - image, beside an error of its x0 that is the same everywhere. */
    private static Tensor answer(NoisyBatch batch, double errorOfX0) {
        return Ops.add(batch.noise().sub(batch.clean()).mul(batch.sigma()), -errorOfX0)
                .div(batch.sigma());
    }

    private static float[] loss(NoisyBatch batch, Tensor studentOutput, Tensor teacherOutput, Prediction space) {
        NoisyBatch teacherBatch = batch.paired() == null ? batch : batch.paired();
        try (Player student = told(batch, studentOutput).student(OBJECTIVE.process());
                Player teacher = told(teacherBatch, teacherOutput).teacher(OBJECTIVE.process())) {
            return Tensors.floats(
                    GivenPass.perSample(new OutputLoss("teacher", SCHEDULE, space), batch, student, teacher));
        }
    }

    private static Told told(NoisyBatch batch, Tensor answer) {
        return new Told(Told.spec((int) batch.noisy().size(2), 2, 16, false), answer, Map.of());
    }

    private static void close(float[] found, double[] expected) {
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) found[i]).isCloseTo(expected[i], within(1e-3 * Math.max(1, expected[i])));
        }
    }

    @Test
    void perfect_networks_of_two_sizes_agree_though_their_pictures_do_not() {
        try (Scope scope = Scope.open()) {
            for (int other : new int[] {16, 64}) {
                NoisyBatch batch = batch(new PairedImages(shapes(32), shapes(other)));
                NoisyBatch paired = batch.paired();
                close(loss(batch, answer(batch, 0), answer(paired, 0), Prediction.FLOW), new double[4]);
            }
        }
    }

    @Test
    void an_error_of_x0_counts_alike_at_one_size_and_at_two() {
        try (Scope scope = Scope.open()) {
            NoisyBatch one = batch(shapes(32));
            NoisyBatch two = batch(new PairedImages(shapes(32), shapes(16)));
            // of a flow, x0 that is 0.3 less off is 0.3/sigma in the velocity
            double[] flow = Arrays.stream(one.times())
                    .map(t -> 0.09 / Math.pow(SCHEDULE.sigma(t), 2))
                    .toArray();
            double[] x0 = {0.09, 0.09, 0.09, 0.09};
            close(loss(one, answer(one, 0.5), answer(one, 0.2), Prediction.FLOW), flow);
            close(loss(two, answer(two, 0.5), answer(two.paired(), 0.2), Prediction.FLOW), flow);
            close(loss(one, answer(one, 0.5), answer(one, 0.2), Prediction.X0), x0);
            close(loss(two, answer(two, 0.5), answer(two.paired(), 0.2), Prediction.X0), x0);
        }
    }
}
