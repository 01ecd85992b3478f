package dev.retort.distill.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Conditions;
import dev.retort.Plain;
import dev.retort.card.ProcessSpec;
import dev.retort.diffusion.Prediction;
import dev.retort.model.Condition;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.GivenPass;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import dev.retort.train.Player;
import dev.retort.train.Ramp;
import dev.retort.train.Told;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The mask by a teacher's confidence beside its definition, in double over plain arrays. */
class ConfidenceMaskTest {
    private static final int SAMPLES = 5;
    private static final int SIZE = 4;
    private static final int VALUES = 3 * SIZE * SIZE;
    private static final double[] TIMES = {100, 300, 500, 700, 900};
    private static final double[] CLEAN = Plain.normal(1, 1, SAMPLES * VALUES);
    private static final double[] NOISE = Plain.normal(2, 1, SAMPLES * VALUES);

    /** A teacher that takes what it sees for the clean image: the less noise, the surer. It predicts x0. */
    private static final class Seeing extends Network {
        private int asked;

        private Seeing() {
            buffer("anything", Tensors.zeros(Device.CPU, 1));
        }

        @Override
        public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
            asked++;
            return x;
        }

        @Override
        public dev.retort.card.DitSpec spec() {
            return Told.spec(SIZE, 2, 16, false);
        }

        @Override
        public void recompute(boolean on) {}

        private Player teacher() {
            return Player.frozen(
                    "teacher",
                    new Predictor(
                            this,
                            new LabelConditioner(spec().condition()),
                            ProcessSpec.flow().noiseSchedule(),
                            Prediction.X0,
                            1,
                            Precision.FP32));
        }
    }

    /** So much for image i. */
    private static final class Given implements Loss {
        @Override
        public String name() {
            return "given";
        }

        @Override
        public Tensor perSample(Pass pass) {
            return Tensors.of(new double[] {1, 2, 4, 8, 16}, Device.CPU);
        }
    }

    private static Tensor images(double[] values) {
        return Plain.tensor(values, SAMPLES, 3, SIZE, SIZE);
    }

    private static NoisyBatch batch() {
        return NoisyBatch.of(
                images(CLEAN),
                images(NOISE),
                TIMES,
                ProcessSpec.flow().noiseSchedule(),
                Conditions.classes(new int[SAMPLES]));
    }

    private static Player student() {
        return new Told(Told.spec(SIZE, 2, 16, false), images(Plain.normal(3, 1, SAMPLES * VALUES)), java.util.Map.of())
                .student(ProcessSpec.flow());
    }

    /** Lin's coefficient of what the teacher sees with both noises; the second is the pass's own. */
    private static double[] confidence(Pass pass) {
        double[] second = Plain.values(pass.draws("agreement").gaussian(3, SIZE, SIZE));
        double[] confidence = new double[SAMPLES];
        for (int i = 0; i < SAMPLES; i++) {
            double t = TIMES[i] / 1000;
            double[] a = new double[VALUES];
            double[] b = new double[VALUES];
            for (int k = 0; k < VALUES; k++) {
                int at = i * VALUES + k;
                a[k] = (1 - t) * CLEAN[at] + t * NOISE[at];
                b[k] = (1 - t) * CLEAN[at] + t * second[at];
            }
            double meanA = Arrays.stream(a).average().orElseThrow();
            double meanB = Arrays.stream(b).average().orElseThrow();
            double both = 0;
            double apart = VALUES * (meanA - meanB) * (meanA - meanB);
            for (int k = 0; k < VALUES; k++) {
                both += 2 * (a[k] - meanA) * (b[k] - meanB);
                apart += Math.pow(a[k] - meanA, 2) + Math.pow(b[k] - meanB, 2);
            }
            confidence[i] = Math.min(1, Math.max(0, both / apart));
        }
        return confidence;
    }

    @ParameterizedTest
    @CsvSource({"0.3, 0", "0, 1", "0, 2.5", "0.5, 1", "0.999, 0"})
    void it_is_the_sum_over_images_that_pass_over_the_sum_of_their_mask(double threshold, double power) {
        Seeing network = new Seeing();
        try (Scope scope = Scope.open();
                Player teacher = network.teacher();
                Player student = student();
                Loss loss = new ConfidenceMask(new Given(), "teacher", threshold, power)) {
            GivenPass pass = new GivenPass(batch(), loss.taps(), student, teacher);
            double[] confidence = confidence(pass);
            assertThat(confidence[0]).isGreaterThan(0.9);
            assertThat(confidence[4]).isLessThan(0.3);
            double sum = 0;
            double mask = 0;
            for (int i = 0; i < SAMPLES; i++) {
                double m = confidence[i] > threshold ? Math.pow(confidence[i], power) : 0;
                sum += m * (1 << i);
                mask += m;
            }
            assertThat(loss.wholeBatch()).isTrue();
            double found = Tensors.scalar(loss.perSample(pass).mean());
            assertThat(found).isCloseTo(sum / Math.max(1, mask), within(1e-5));
            loss.perSample(pass);
            assertThat(network.asked).as("how often the teacher was asked").isEqualTo(2);
        }
    }

    @Test
    void a_temperature_over_confidence_is_that_of_each_image() {
        try (Scope scope = Scope.open();
                Player teacher = new Seeing().teacher();
                Player student = student();
                Loss plain =
                        new OutputDistributionLoss("teacher", ProcessSpec.flow().noiseSchedule(), new Ramp(1, 1));
                Loss scheduled = new OutputDistributionLoss(
                        "teacher",
                        ProcessSpec.flow().noiseSchedule(),
                        new Ramp(4, 1, Ramp.Curve.LINEAR, Ramp.Span.CONFIDENCE));
                Loss overNoise = new OutputDistributionLoss(
                        "teacher",
                        ProcessSpec.flow().noiseSchedule(),
                        new Ramp(1, 3, Ramp.Curve.COSINE, Ramp.Span.NOISE))) {
            GivenPass pass = new GivenPass(batch(), plain.taps(), student, teacher);
            double[] confidence = confidence(pass);
            double[] cold = Plain.values(plain.perSample(pass));
            double[] heated = Plain.values(scheduled.perSample(pass));
            double[] byNoise = Plain.values(overNoise.perSample(pass));
            for (int i = 0; i < SAMPLES; i++) {
                assertThat(heated[i]).isCloseTo(cold[i] / Math.pow(4 - 3 * confidence[i], 2), within(1e-5 * cold[i]));
                double atNoise = 1 + 2 * Math.pow(Math.sin(Math.PI / 2 * TIMES[i] / 1000), 2);
                assertThat(byNoise[i]).isCloseTo(cold[i] / (atNoise * atNoise), within(1e-5 * cold[i]));
            }
        }
    }
}
