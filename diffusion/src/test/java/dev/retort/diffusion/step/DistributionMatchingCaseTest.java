package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.KarrasSchedule;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;
import dev.retort.diffusion.TrigFlow;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The reference numbers of distribution matching: its gradient, adversarial losses, the steps of student and critic, weights of divergences. */
class DistributionMatchingCaseTest {
    private static final int BINS = 10;

    private static final AdversarialLoss ADVERSARIAL = AdversarialLoss.NON_SATURATING;

    private final StepCase reference = StepCase.of("fastgen-dmd");
    private final double[][] p = reference.rows("params");
    private final double[][] clean = reference.rows("x0");
    private final double[][] noise = reference.rows("eps");
    private final double[] cond = reference.get("cond");
    private final double[] disc = reference.get("disc");
    private final int size = clean[0].length;

    @Test
    void every_output_agrees() {
        scoreDifference("vsd.plain", new double[] {1, 1, 1, 1});
        scoreDifference("vsd.scaled", reference.get("vsd.scale"));
        logits();
        denoising("x0", Prediction.X0);
        denoising("eps", Prediction.EPSILON);
        denoising("flow", Prediction.FLOW);
        denoising("v", Prediction.V);
        for (boolean flow : new boolean[] {false, true}) {
            for (double weight : new double[] {0, 0.03}) {
                student(flow, weight);
                critic(flow, weight, Prediction.X0, "x0");
                critic(flow, weight, Prediction.EPSILON, "eps");
            }
        }
        divergences();
        assertThat(reference.open()).isEmpty();
    }

    /** The gradient by the generated sample, of a batch mean. */
    private static double[][] gradient(double[][] made, double[][] teacher, double[][] fake, double[] scale) {
        double[][] gradient = new double[made.length][made[0].length];
        for (int b = 0; b < made.length; b++) {
            double distance = 0;
            for (int i = 0; i < made[b].length; i++) {
                distance += Math.abs(made[b][i] - teacher[b][i]) / made[b].length;
            }
            double weight = scale[b] * DistributionMatching.weight(distance);
            for (int i = 0; i < made[b].length; i++) {
                gradient[b][i] = weight * (fake[b][i] - teacher[b][i]);
            }
        }
        return gradient;
    }

    private static double half(double[][] gradient) {
        return 0.5
                * Arrays.stream(gradient)
                        .flatMapToDouble(Arrays::stream)
                        .map(g -> g * g)
                        .average()
                        .orElseThrow();
    }

    private void scoreDifference(String name, double[] scale) {
        double[][] g = gradient(
                reference.rows("vsd.gen"), reference.rows("vsd.teacher_x0"), reference.rows("vsd.fake_x0"), scale);
        reference.check(name + ".loss", half(g));
        double[] flat = StepCase.flat(g);
        reference.check(
                name + ".grad_gen",
                Arrays.stream(flat).map(each -> each / flat.length).toArray());
    }

    private void logits() {
        double[] fake = reference.get("gan.fake_logits");
        double[] real = reference.get("gan.real_logits");
        int n = fake.length;
        reference.check(
                "gan.generator.loss",
                Arrays.stream(fake).map(ADVERSARIAL::generator).average().orElseThrow());
        reference.check(
                "gan.generator.grad_fake",
                Arrays.stream(fake).map(f -> ADVERSARIAL.generatorSlope(f) / n).toArray());
        reference.check(
                "gan.discriminator.loss",
                Arrays.stream(fake).map(ADVERSARIAL::fake).average().orElseThrow()
                        + Arrays.stream(real).map(ADVERSARIAL::real).average().orElseThrow());
        reference.check(
                "gan.discriminator.grad_fake",
                Arrays.stream(fake).map(f -> ADVERSARIAL.fakeSlope(f) / n).toArray());
        reference.check(
                "gan.discriminator.grad_real",
                Arrays.stream(real).map(f -> ADVERSARIAL.realSlope(f) / n).toArray());
    }

    private void denoising(String name, Prediction prediction) {
        double[] t = reference.get("dsm.t");
        double[][] said = reference.rows("vsd.teacher_x0");
        double[][] eps = reference.rows("vsd.fake_x0");
        TrigFlow arc = new TrigFlow(1);
        double mean = 0;
        for (int b = 0; b < t.length; b++) {
            TimeGrid.Point at = arc.point(t[b]);
            for (int i = 0; i < size; i++) {
                double target = prediction.targetFromX0(at.alpha(), at.sigma()) * clean[b][i]
                        + prediction.targetFromEps(at.alpha(), at.sigma()) * eps[b][i];
                mean += (said[b][i] - target) * (said[b][i] - target) / t.length / size;
            }
        }
        reference.check("dsm." + name + ".loss", mean);
    }

    private NoiseSchedule schedule(boolean flow) {
        return flow ? new FlowLinear() : new KarrasSchedule();
    }

    private Dual logit(Dual[] d, Dual[] x) {
        Dual[] features = new Dual[x.length];
        Dual[] squares = new Dual[x.length];
        for (int i = 0; i < x.length; i++) {
            features[i] = x[i].times(p[2][6]).plus(x[i].tanh());
            squares[i] = features[i].squared();
        }
        return d[0].times(Dual.mean(features))
                .plus(d[1].times(Dual.mean(squares)))
                .plus(d[2]);
    }

    private Dual[] made(Dual[] student, boolean flow, int b) {
        double time = flow ? 0.999 : 80;
        double[] start = reference.rows("eps_student")[b];
        Dual[] made = new Dual[size];
        for (int i = 0; i < size; i++) {
            made[i] = ClosedForms.x0(student, Dual.of(time * start[i]), time, flow, cond[b]);
        }
        return made;
    }

    private static Dual[] noised(Dual[] x0, double[] eps, TimeGrid.Point at) {
        Dual[] x = new Dual[x0.length];
        for (int i = 0; i < x.length; i++) {
            x[i] = x0[i].times(at.alpha()).plus(at.sigma() * eps[i]);
        }
        return x;
    }

    private void student(boolean flow, double adversarial) {
        String name = (flow ? "rf" : "edm") + ".student.gan" + adversarial;
        double[] t = reference.get((flow ? "rf" : "edm") + ".t");
        Dual[] student = Dual.variables(Arrays.copyOf(p[0], 6));
        Dual[][] made = new Dual[t.length][];
        double[][] x0 = new double[t.length][];
        double[][] fake = new double[t.length][];
        double[][] teacher = new double[t.length][];
        Dual[] logits = new Dual[t.length];
        for (int b = 0; b < t.length; b++) {
            made[b] = made(student, flow, b);
            x0[b] = Dual.values(made[b]);
            Dual[] x = noised(made[b], noise[b], schedule(flow).point(t[b]));
            double[] state = Dual.values(x);
            fake[b] = ClosedForms.x0(p[1], state, t[b], flow, cond[b]);
            teacher[b] = ClosedForms.x0(p[2], state, t[b], flow, cond[b]);
            double[] without = ClosedForms.x0(p[2], state, t[b], flow, 0);
            for (int i = 0; i < size; i++) {
                teacher[b][i] = without[i] + 1.75 * (teacher[b][i] - without[i]);
            }
            Dual logit = logit(Dual.constants(disc), x);
            logits[b] = logit.map(ADVERSARIAL.generator(logit.value), ADVERSARIAL.generatorSlope(logit.value));
        }
        double[][] g = gradient(x0, teacher, fake, new double[] {1, 1, 1, 1});
        Dual generator = adversarial == 0 ? Dual.of(0) : Dual.mean(logits);
        Dual total = generator.times(adversarial).plus(half(g));
        for (int b = 0; b < t.length; b++) {
            for (int i = 0; i < size; i++) {
                // The loss is half the squared distance to a fixed point: its gradient is g.
                total = total.plus(made[b][i].plus(-x0[b][i]).times(g[b][i] / t.length / size));
            }
        }
        reference.check(name + ".gen", x0);
        reference.check(name + ".vsd_loss", half(g));
        reference.check(name + ".gan_loss_gen", generator.value);
        reference.check(name + ".total_loss", total.value);
        reference.check(name + ".grad_student", total.slope);
    }

    private void critic(boolean flow, double adversarial, Prediction prediction, String kind) {
        String name = (flow ? "rf" : "edm") + ".critic.gan" + adversarial + "." + kind;
        double[] t = reference.get((flow ? "rf" : "edm") + ".t");
        Dual[] fake = Dual.variables(Arrays.copyOf(p[1], 6));
        Dual[] d = Dual.variables(disc);
        Dual loss = Dual.of(0);
        Dual judge = Dual.of(0);
        for (int b = 0; b < t.length; b++) {
            TimeGrid.Point at = schedule(flow).point(t[b]);
            Dual[] made = Dual.constants(Dual.values(made(Dual.constants(p[0]), flow, b)));
            Dual[] x = noised(made, noise[b], at);
            for (int i = 0; i < size; i++) {
                Dual x0 = ClosedForms.x0(fake, x[i], t[b], flow, cond[b]);
                Dual said = x0.times(prediction.fromOutput(Prediction.X0, at.alpha(), at.sigma()))
                        .plus(x[i].times(prediction.fromState(Prediction.X0, at.alpha(), at.sigma())));
                double target = prediction.targetFromX0(at.alpha(), at.sigma()) * made[i].value
                        + prediction.targetFromEps(at.alpha(), at.sigma()) * noise[b][i];
                loss = loss.plus(said.plus(-target).squared().times(1.0 / t.length / size));
            }
            Dual onFake = logit(d, x);
            Dual onReal = logit(d, noised(Dual.constants(clean[b]), noise[b], at));
            judge = judge.plus(onFake.map(ADVERSARIAL.fake(onFake.value), ADVERSARIAL.fakeSlope(onFake.value))
                            .times(1.0 / t.length))
                    .plus(onReal.map(ADVERSARIAL.real(onReal.value), ADVERSARIAL.realSlope(onReal.value))
                            .times(1.0 / t.length));
        }
        double discriminator = adversarial == 0 ? 0 : judge.value;
        reference.check(name + ".fake_score_loss", loss.value);
        reference.check(name + ".gan_loss_disc", discriminator);
        reference.check(name + ".total_loss", loss.value + discriminator);
        reference.check(name + ".grad_fake", loss.slope);
        if (adversarial != 0) {
            reference.check(name + ".grad_disc", judge.slope);
        }
    }

    private static int bin(double time) {
        return DensityRatios.bin(time, BINS, 0.002, 80);
    }

    /** One step of the paper's moving averages, from 1. */
    private static double[] means(double[] times, double[] ratios) {
        double[] sums = new double[BINS];
        int[] counts = new int[BINS];
        for (int i = 0; i < times.length; i++) {
            sums[bin(times[i])] += ratios[i];
            counts[bin(times[i])]++;
        }
        double[] means = new double[BINS];
        Arrays.setAll(means, bin -> counts[bin] == 0 ? 1 : 0.9 + (1 - 0.9) * sums[bin] / counts[bin]);
        return means;
    }

    private void divergences() {
        Map<String, FDivergence> known = Map.of(
                "kl", FDivergence.FORWARD_KL,
                "js", FDivergence.JENSEN_SHANNON,
                "sf", FDivergence.SOFTENED_REVERSE_KL,
                "neyman", FDivergence.NEYMAN,
                "sh", FDivergence.SQUARED_HELLINGER,
                "jf", FDivergence.JEFFREYS);
        double[] t = reference.get("fdiv.t");
        double[][] logits = reference.rows("fdiv.logits");
        known.forEach((name, divergence) -> {
            double[] plain = Arrays.stream(logits)
                    .mapToDouble(row -> DensityRatios.ratio(row, 0.1, 10))
                    .toArray();
            double[] means = means(t, plain);
            double[] levelled = new double[plain.length];
            Arrays.setAll(levelled, i -> DensityRatios.level(plain[i], means[bin(t[i])]));
            reference.check("fdiv." + name + ".plain.h", divergence.weights(plain));
            reference.check("fdiv." + name + ".binned.h", divergence.weights(levelled));
            if (divergence == FDivergence.FORWARD_KL) {
                reference.check("fdiv.kl.binned.bins", means);
            }
        });
    }
}
