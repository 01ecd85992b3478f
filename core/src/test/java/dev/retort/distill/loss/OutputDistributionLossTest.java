package dev.retort.distill.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Conditions;
import dev.retort.Plain;
import dev.retort.card.ProcessSpec;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.torch.Scope;
import dev.retort.train.GivenPass;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Player;
import dev.retort.train.Ramp;
import dev.retort.train.Told;
import java.util.Arrays;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The divergence of outputs beside what it is: Kullback and Leibler's between two Gaussians, those of x at the next cleaner time
 * given x now and the image that teacher or student predicts, found here by Bayes' rule in double.
 */
class OutputDistributionLossTest {
    private static final int SIZE = 4;
    private static final int VALUES = 3 * SIZE * SIZE;

    /** A Gaussian. */
    private record Normal(double mean, double variance) {
        /** KL(this ‖ other), both standard deviations being multiplied by a temperature. */
        double divergence(Normal other, double temperature) {
            double hot = temperature * temperature;
            return 0.5
                    * (Math.log(other.variance / variance)
                            + (variance * hot + Math.pow(mean - other.mean, 2)) / (other.variance * hot)
                            - 1);
        }
    }

    /** How much signal and noise there is at a time and at the one that follows it on the way to the image. */
    private record Step(double alpha, double sigma, double nextAlpha, double nextSigma) {
        private double scale() {
            return alpha / nextAlpha;
        }

        /** Variance that the forward step adds. */
        double added() {
            return sigma * sigma - Math.pow(scale() * nextSigma, 2);
        }

        /** x next given x0 and x now: a prior N(nextAlpha x0, nextSigma²) and a measurement x = scale·next + noise. */
        Normal posterior(double x0, double x) {
            double prior = 1 / (nextSigma * nextSigma);
            double measured = 1 / added();
            double variance = 1 / (prior + scale() * scale() * measured);
            return new Normal(variance * (prior * nextAlpha * x0 + scale() * measured * x), variance);
        }
    }

    /** Of the paper's chain of 1000 betas from 1e-4 to 0.02; index -1 is the image itself. */
    private static double alphaBar(int index) {
        double product = 1;
        for (int i = 0; i <= index; i++) {
            product *= 1 - (1e-4 + (0.02 - 1e-4) * i / 999);
        }
        return product;
    }

    private static Step chain(int index) {
        double bar = alphaBar(index);
        double next = alphaBar(index - 1);
        return new Step(Math.sqrt(bar), Math.sqrt(1 - bar), Math.sqrt(next), Math.sqrt(1 - next));
    }

    /** Of x = (1 - t) x0 + t noise, cut into 1000 transitions; the last, shorter one ends half way. */
    private static Step flow(double time) {
        double t = time / 1000;
        double next = time > 1 ? t - 1e-3 : t / 2;
        return new Step(1 - t, t, 1 - next, next);
    }

    private static double x0(Prediction prediction, double x, double output, Step step) {
        return switch (prediction) {
            case EPSILON -> (x - step.sigma * output) / step.alpha;
            case X0 -> output;
            case V -> step.alpha * x - step.sigma * output;
            case FLOW -> x - step.sigma * output;
        };
    }

    private static Normal transition(Step step, double x, double predicted, double fraction, boolean learned) {
        Normal fixed = step.posterior(predicted, x);
        double share = (fraction + 1) / 2;
        double log = share * Math.log(step.added()) + (1 - share) * Math.log(fixed.variance);
        return learned ? new Normal(fixed.mean, Math.exp(log)) : fixed;
    }

    private static void compare(
            ProcessSpec process, Prediction ofStudent, Step[] steps, double[] times, boolean learned, double heat) {
        int n = times.length;
        int channels = learned ? 6 : 3;
        double[] clean = Plain.normal(1, 0.5, n * VALUES);
        double[] noise = Plain.normal(2, 1, n * VALUES);
        double[] studentOutput = Plain.normal(3, 0.6, n * VALUES * channels / 3);
        double[] teacherOutput = Plain.normal(4, 0.6, n * VALUES * channels / 3);
        NoiseSchedule schedule = process.noiseSchedule();
        try (Scope scope = Scope.open();
                Player student = new Told(Told.spec(SIZE, 2, 16, learned), image(studentOutput, channels), Map.of())
                        .student(schedule, ofStudent);
                Player teacher = new Told(Told.spec(SIZE, 2, 16, learned), image(teacherOutput, channels), Map.of())
                        .teacher(process)) {
            NoisyBatch batch = NoisyBatch.of(
                    image(clean, 3),
                    image(noise, 3),
                    times,
                    column(Arrays.stream(steps).mapToDouble(Step::alpha).toArray()),
                    column(Arrays.stream(steps).mapToDouble(Step::sigma).toArray()),
                    Conditions.classes(new int[n]));
            double[] found = Plain.values(GivenPass.perSample(
                    new OutputDistributionLoss("teacher", schedule, new Ramp(heat, heat)), batch, student, teacher));
            for (int i = 0; i < n; i++) {
                double sum = 0;
                for (int k = 0; k < VALUES; k++) {
                    double x = steps[i].alpha * clean[i * VALUES + k] + steps[i].sigma * noise[i * VALUES + k];
                    int mean = i * VALUES * channels / 3 + k;
                    double fractionOfStudent = learned ? studentOutput[mean + VALUES] : 0;
                    double fractionOfTeacher = learned ? teacherOutput[mean + VALUES] : 0;
                    double byStudent = x0(ofStudent, x, studentOutput[mean], steps[i]);
                    double byTeacher = x0(process.prediction(), x, teacherOutput[mean], steps[i]);
                    sum += transition(steps[i], x, byTeacher, fractionOfTeacher, learned)
                            .divergence(transition(steps[i], x, byStudent, fractionOfStudent, learned), heat);
                }
                assertThat(found[i])
                        .as("at " + times[i])
                        .isCloseTo(1000 * sum / VALUES, within(2e-3 * 1000 * sum / VALUES));
            }
        }
    }

    private static Tensor image(double[] values, int channels) {
        return Plain.tensor(values, values.length / (channels * SIZE * SIZE), channels, SIZE, SIZE);
    }

    private static Tensor column(double[] values) {
        return Plain.tensor(values, values.length, 1, 1, 1);
    }

    @ParameterizedTest
    @CsvSource({
        "EPSILON, EPSILON, false, 1",
        "EPSILON, V, false, 1",
        "V, X0, false, 2",
        "EPSILON, EPSILON, true, 1",
        "V, EPSILON, true, 1",
        "EPSILON, V, true, 3",
    })
    void on_a_chain_it_is_the_divergence_of_the_reverse_transitions(
            Prediction ofTeacher, Prediction ofStudent, boolean learned, double temperature) {
        ProcessSpec process = ProcessSpec.of("linear", ofTeacher, 0);
        compare(
                process,
                ofStudent,
                new Step[] {chain(1), chain(17), chain(400), chain(999)},
                new double[] {1, 17, 400, 999},
                learned,
                temperature);
    }

    @ParameterizedTest
    @CsvSource({"FLOW, FLOW, false, 1", "FLOW, X0, false, 0.5", "FLOW, FLOW, true, 1"})
    void on_a_continuous_schedule_it_is_that_of_a_thousand_transitions(
            Prediction ofTeacher, Prediction ofStudent, boolean learned, double temperature) {
        double[] times = {0.6, 3, 250.5, 990};
        compare(
                ProcessSpec.flow(),
                ofStudent,
                Arrays.stream(times).mapToObj(OutputDistributionLossTest::flow).toArray(Step[]::new),
                times,
                learned,
                temperature);
    }

    @ParameterizedTest
    @CsvSource({"17, 1", "400, 1", "400, 3", "999, 2"})
    void of_noise_predictions_it_is_their_squared_difference_times_a_weight_of_the_time(int index, double temperature) {
        ProcessSpec process = ProcessSpec.ddpm();
        double bar = alphaBar(index);
        double alpha = bar / alphaBar(index - 1);
        double beta = 1 - alpha;
        double variance = beta * (1 - alphaBar(index - 1)) / (1 - bar);
        double weight = beta * beta / (2 * variance * alpha * (1 - bar)); // pkd.md §4 row 7
        double[] ofStudent = Plain.normal(3, 0.6, VALUES);
        double[] ofTeacher = Plain.normal(4, 0.6, VALUES);
        double squared = 0;
        for (int k = 0; k < VALUES; k++) {
            squared += Math.pow(ofTeacher[k] - ofStudent[k], 2) / VALUES;
        }
        double expected = 1000 * weight * squared / (temperature * temperature);
        try (Scope scope = Scope.open();
                Player student =
                        new Told(Told.spec(SIZE, 2, 16, false), image(ofStudent, 3), Map.of()).student(process);
                Player teacher =
                        new Told(Told.spec(SIZE, 2, 16, false), image(ofTeacher, 3), Map.of()).teacher(process)) {
            NoisyBatch batch = NoisyBatch.of(
                    image(Plain.normal(1, 1, VALUES), 3),
                    image(Plain.normal(2, 1, VALUES), 3),
                    new double[] {index},
                    process.noiseSchedule(),
                    Conditions.classes(new int[1]));
            Ramp constant = new Ramp(temperature, temperature);
            double[] found = Plain.values(GivenPass.perSample(
                    new OutputDistributionLoss("teacher", process.noiseSchedule(), constant), batch, student, teacher));
            assertThat(found[0]).isCloseTo(expected, within(1e-3 * expected));
        }
    }

    /** The first entry leads to the image itself, with no variance; it is given that of the second (Ho et al.'s code). */
    @ParameterizedTest
    @CsvSource({"1", "2"})
    void the_transition_to_the_image_has_the_variance_of_the_one_before(double temperature) {
        ProcessSpec process = ProcessSpec.ddpm();
        double sigma = Math.sqrt(1 - alphaBar(0));
        double alpha = Math.sqrt(alphaBar(0));
        double[] studentOutput = Plain.normal(3, 0.6, VALUES);
        double[] teacherOutput = Plain.normal(4, 0.6, VALUES);
        double expected = 0;
        double variance = chain(1).posterior(0, 0).variance * temperature * temperature;
        for (int k = 0; k < VALUES; k++) {
            expected += Math.pow((studentOutput[k] - teacherOutput[k]) * sigma / alpha, 2) / (2 * variance) / VALUES;
        }
        try (Scope scope = Scope.open();
                Player student =
                        new Told(Told.spec(SIZE, 2, 16, false), image(studentOutput, 3), Map.of()).student(process);
                Player teacher =
                        new Told(Told.spec(SIZE, 2, 16, false), image(teacherOutput, 3), Map.of()).teacher(process)) {
            NoisyBatch batch = NoisyBatch.of(
                    image(Plain.normal(1, 1, VALUES), 3),
                    image(Plain.normal(2, 1, VALUES), 3),
                    new double[] {0},
                    column(new double[] {alpha}),
                    column(new double[] {sigma}),
                    Conditions.classes(new int[1]));
            double[] found = Plain.values(GivenPass.perSample(
                    new OutputDistributionLoss("teacher", process.noiseSchedule(), new Ramp(temperature, temperature)),
                    batch,
                    student,
                    teacher));
            assertThat(found[0]).isCloseTo(1000 * expected, within(1e-3 * 1000 * expected));
        }
    }
}
