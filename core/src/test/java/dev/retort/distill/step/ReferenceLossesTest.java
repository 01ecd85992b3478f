package dev.retort.distill.step;

import dev.retort.Conditions;
import dev.retort.card.ImageShape;
import dev.retort.card.Part;
import dev.retort.card.ScalarInputs;
import dev.retort.diffusion.BoundaryScaling;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.KarrasSchedule;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeSampler;
import dev.retort.diffusion.TrigFlow;
import dev.retort.diffusion.step.ConsistencyWeight;
import dev.retort.diffusion.step.EarlierTime;
import dev.retort.diffusion.step.PseudoHuber;
import dev.retort.diffusion.step.StepCase;
import dev.retort.model.Answer;
import dev.retort.model.Condition;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.model.Respondent;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.DiffusionLoss;
import dev.retort.train.NoisyBatch;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/**
 * The losses on tensors beside the reference numbers, in fp32: values and gradients. The other cases have no loss on tensors that
 * computes the same, and are met by the formulas in double alone ({@code diffusion}): squared distances of a sample (consistency's default
 * weight), distances element by element (consistency-models), progressive distillation by way of a middle level of Karras's grid
 * instead of a middle time, mean flow's warm-up, loss by tangents and difference of 1e-4 (which fp32 rounds away), weights of
 * divergences relative to a batch, sCM. Those of latent consistency stand in {@link LcmReferenceTest}.
 */
class ReferenceLossesTest {
    private static final Map<String, ConsistencyWeight> WEIGHTS = Map.of(
            "c_out", ConsistencyWeight.INVERSE_OUT,
            "sigma_sq", ConsistencyWeight.INVERSE_VARIANCE,
            "sqrt", ConsistencyWeight.INVERSE_ROOT_GAP,
            "one", ConsistencyWeight.ONE);

    private static final int PICTURES = ClosedFormNetwork.Spec.PICTURES;

    private static NoiseSchedule schedule(boolean flow) {
        return flow ? new FlowLinear() : new KarrasSchedule();
    }

    private static Condition each() {
        return Conditions.classes(0, 1, 2, 3);
    }

    @Test
    void consistency_training_and_distillation_agree_under_every_weight_of_a_norm() {
        StepCase reference = StepCase.of("fastgen-consistency");
        double[][] p = reference.rows("params");
        for (String schedule : new String[] {"edm", "rf"}) {
            boolean flow = schedule.equals("rf");
            for (String kind : new String[] {"ct", "cd"}) {
                WEIGHTS.forEach((word, weight) -> {
                    String name = schedule + "." + kind + "." + word;
                    JsonNode config = reference.config(name);
                    double[] t = reference.get(schedule + ".t");
                    EarlierTime earlier = new EarlierTime(
                            config.get("ratio").asDouble(), config.get("min_r").asDouble());
                    double[] r = Arrays.stream(t).map(earlier::before).toArray();
                    try (Scope scope = Scope.open();
                            ClosedFormNetwork student = x0(flow, p[0], reference);
                            ClosedFormNetwork teacher = x0(flow, p[1], reference)) {
                        ReferencePass pass = new ReferencePass(
                                Map.of(
                                        "student", student.predicts(Prediction.X0, schedule(flow), 1),
                                        "teacher", teacher.predicts(Prediction.X0, schedule(flow), 1.8)),
                                schedule(flow),
                                reference.get("x0"),
                                reference.get("eps"),
                                each());
                        Tensor loss = new ConsistencyLoss(
                                        "student",
                                        kind.equals("cd") ? Optional.of("teacher") : Optional.empty(),
                                        schedule(flow),
                                        null,
                                        new ConsistencyLoss.Distance(
                                                new PseudoHuber(config.get("huber_const")
                                                        .asDouble()),
                                                false),
                                        weight,
                                        time -> BoundaryScaling.NONE)
                                .at(pass, t, r);
                        reference.checkFp32(name + ".loss", Tensors.floats(loss));
                        loss.mean().backward();
                        reference.checkFp32(name + ".grad_student", student.gradient());
                    }
                });
            }
        }
    }

    private static ClosedFormNetwork x0(boolean flow, double[] p, StepCase reference) {
        return new ClosedFormNetwork(ClosedFormNetwork.x0(flow), ScalarInputs.NONE, p, reference.get("cond"));
    }

    @Test
    void the_pull_of_distribution_matching_agrees_alone_and_in_a_students_step() {
        StepCase reference = StepCase.of("fastgen-dmd");
        for (String name : new String[] {"vsd.plain", "vsd.scaled"}) {
            try (Scope scope = Scope.open()) {
                Tensor made = ReferencePass.pictures(reference.get("vsd.gen")).set_requires_grad(true);
                Tensor loss = DistributionMatchingLoss.pull(
                                made,
                                ReferencePass.pictures(reference.get("vsd.teacher_x0")),
                                ReferencePass.pictures(reference.get("vsd.fake_x0")),
                                Optional.of(reference.get("vsd.scale"))
                                        .filter(scale -> name.equals("vsd.scaled"))
                                        .map(scale -> Tensors.column(scale, made)))
                        .mean();
                loss.backward();
                reference.checkFp32(name + ".loss", Tensors.floats(loss));
                reference.checkFp32(name + ".grad_gen", Tensors.floats(made.grad()));
            }
        }
        for (boolean flow : new boolean[] {false, true}) {
            studentStep(reference, flow, 0, "gan0.0");
            studentStep(reference, flow, 0.03, "gan0.03");
        }
    }

    private static void studentStep(StepCase reference, boolean flow, double adversarial, String kind) {
        String name = (flow ? "rf" : "edm") + ".student." + kind;
        double[][] p = reference.rows("params");
        double start = flow ? 0.999 : 80;
        NoiseSchedule schedule = schedule(flow);
        try (Scope scope = Scope.open();
                ClosedFormNetwork student = x0(flow, p[0], reference);
                ClosedFormNetwork fake = x0(flow, p[1], reference);
                ClosedFormNetwork teacher = x0(flow, p[2], reference)) {
            Tensor noise = ReferencePass.pictures(reference.get("eps_student"));
            double[] starts = new double[PICTURES];
            Arrays.fill(starts, start);
            Tensor made = student.predicts(Prediction.X0, schedule, 1)
                    .ask(new Question(Ops.mul(noise, start), starts, each(), Gradient.PARAMETERS), Set.of())
                    .as(Prediction.X0);
            reference.checkFp32(name + ".gen", Tensors.floats(made));
            NoisyBatch noisy = NoisyBatch.of(
                    made,
                    ReferencePass.pictures(reference.get("eps")),
                    reference.get((flow ? "rf" : "edm") + ".t"),
                    schedule,
                    each());
            Question question = new Question(noisy.noisy().detach(), noisy.times(), each(), Gradient.NONE);
            Tensor pull = DistributionMatchingLoss.pull(
                            made,
                            teacher.predicts(Prediction.X0, schedule, 1.75)
                                    .ask(question, Set.of())
                                    .as(Prediction.X0),
                            fake.predicts(Prediction.X0, schedule, 1)
                                    .ask(question, Set.of())
                                    .as(Prediction.X0),
                            Optional.empty())
                    .mean();
            Tensor logits = logits(noisy.noisy(), p[2][6], Tensors.of(reference.get("disc"), Device.CPU));
            Tensor game = Ops.mul(Distances.softplus(logits.neg()).mean(), adversarial == 0 ? 0 : 1);
            Tensor total = pull.add(Ops.mul(game, adversarial));
            total.backward();
            reference.checkFp32(name + ".vsd_loss", Tensors.floats(pull));
            reference.checkFp32(name + ".gan_loss_gen", Tensors.floats(game));
            reference.checkFp32(name + ".total_loss", Tensors.floats(total));
            reference.checkFp32(name + ".grad_student", student.gradient());
        }
    }

    /** The cases' discriminator d0·mean f + d1·mean f² + d2 of f = p6·x + tanh x. */
    private static Tensor logits(Tensor x, double p6, Tensor d) {
        Tensor f = Ops.mul(x, p6).add(x.tanh());
        return d.narrow(0, 0, 1)
                .mul(Ops.meanPerSample(f))
                .add(d.narrow(0, 1, 1).mul(Ops.meanPerSample(f.square())))
                .add(d.narrow(0, 2, 1));
    }

    @Test
    void what_the_fake_learns_agrees_in_each_prediction() {
        StepCase reference = StepCase.of("fastgen-dmd");
        double[][] p = reference.rows("params");
        double[] disc = reference.get("disc");
        for (boolean flow : new boolean[] {false, true}) {
            double start = flow ? 0.999 : 80;
            NoiseSchedule schedule = schedule(flow);
            Map<String, Prediction> spaces = Map.of("x0", Prediction.X0, "eps", Prediction.EPSILON);
            spaces.forEach((word, space) -> {
                String name = (flow ? "rf" : "edm") + ".critic.gan0.03." + word;
                try (Scope scope = Scope.open();
                        ClosedFormNetwork student = x0(flow, p[0], reference);
                        ClosedFormNetwork fake = x0(flow, p[1], reference)) {
                    double[] starts = new double[PICTURES];
                    Arrays.fill(starts, start);
                    Tensor noise = ReferencePass.pictures(reference.get("eps"));
                    double[] t = reference.get((flow ? "rf" : "edm") + ".t");
                    Tensor made = student.predicts(Prediction.X0, schedule, 1)
                            .ask(
                                    new Question(
                                            Ops.mul(ReferencePass.pictures(reference.get("eps_student")), start),
                                            starts,
                                            each(),
                                            Gradient.NONE),
                                    Set.of())
                            .as(Prediction.X0);
                    NoisyBatch noisy = NoisyBatch.of(made, noise, t, schedule, each());
                    NoisyBatch real =
                            NoisyBatch.of(ReferencePass.pictures(reference.get("x0")), noise, t, schedule, each());
                    Tensor error = DiffusionLoss.squaredError(
                                    fake.predicts(Prediction.X0, schedule, 1)
                                            .ask(new Question(noisy.noisy(), t, each(), Gradient.PARAMETERS), Set.of()),
                                    noisy,
                                    space,
                                    schedule)
                            .mean();
                    error.backward();
                    reference.checkFp32(name + ".fake_score_loss", Tensors.floats(error));
                    reference.checkFp32(name + ".grad_fake", fake.gradient());
                    Tensor d = Tensors.of(disc, Device.CPU).set_requires_grad(true);
                    Tensor judged = Distances.softplus(logits(noisy.noisy(), p[2][6], d))
                            .add(Distances.softplus(
                                    logits(real.noisy(), p[2][6], d).neg()))
                            .mean();
                    judged.backward();
                    reference.checkFp32(name + ".gan_loss_disc", Tensors.floats(judged));
                    reference.checkFp32(name + ".grad_disc", Tensors.floats(d.grad()));
                }
            });
        }
    }

    @Test
    void denoising_errors_agree_in_each_prediction_on_an_arc() {
        StepCase reference = StepCase.of("fastgen-dmd");
        NoiseSchedule arc = new TrigFlow(1);
        Map<String, Prediction> spaces =
                Map.of("x0", Prediction.X0, "eps", Prediction.EPSILON, "flow", Prediction.FLOW, "v", Prediction.V);
        spaces.forEach((word, space) -> {
            try (Scope scope = Scope.open();
                    ClosedFormNetwork says = new ClosedFormNetwork(
                            (p, x, t, end, c) -> ReferencePass.pictures(reference.get("vsd.teacher_x0")),
                            ScalarInputs.NONE,
                            new double[6],
                            new double[4])) {
                NoisyBatch noisy = NoisyBatch.of(
                        ReferencePass.pictures(reference.get("x0")),
                        ReferencePass.pictures(reference.get("vsd.fake_x0")),
                        reference.get("dsm.t"),
                        arc,
                        each());
                Answer answer = says.predicts(space, arc, 1)
                        .ask(new Question(noisy.noisy(), noisy.times(), each(), Gradient.NONE), Set.of());
                reference.checkFp32(
                        "dsm." + word + ".loss",
                        Tensors.floats(DiffusionLoss.squaredError(answer, noisy, space, arc)
                                .mean()));
            }
        });
    }

    /** Says the logits of the case, whatever it is shown: those of real pictures where they are bright. */
    private record Judge(Layer network, Tensor ofMade, Tensor ofReal) implements Respondent {
        @Override
        public ImageShape images() {
            return new ImageShape(3, 4, 4);
        }

        @Override
        public Answer ask(Question question, Set<String> taps) {
            return Answer.of(question.x().mean().item_double() > 10 ? ofReal : ofMade, Map.of());
        }

        @Override
        public void recompute(boolean on) {}
    }

    @Test
    void both_sides_of_the_adversarial_game_agree_on_the_cases_logits() {
        StepCase reference = StepCase.of("fastgen-dmd");
        double[] bright = new double[reference.get("x0").length];
        Arrays.fill(bright, 1000);
        NoiseSchedule flow = schedule(true);
        Simulation simulation = LossContract.simulation();
        Renoised renoised = LossContract.renoised();
        try (Scope scope = Scope.open();
                ClosedFormNetwork student = x0(true, reference.rows("params")[0], reference)) {
            Tensor made = logits(reference, "gan.fake_logits");
            Tensor real = logits(reference, "gan.real_logits");
            Map<String, Respondent> all = new LinkedHashMap<>();
            all.put("student", student.predicts(Prediction.X0, flow, 1));
            all.put("critic", new Judge(student, made, real));
            ReferencePass pass = new ReferencePass(all, flow, bright, reference.get("eps"), each());
            Tensor loss = new AdversarialLoss(new GeneratedImages(simulation, renoised), "critic")
                    .perSample(pass)
                    .mean();
            loss.backward();
            reference.checkFp32("gan.generator.loss", Tensors.floats(loss));
            reference.checkFp32("gan.generator.grad_fake", Tensors.floats(made.grad()));
            Tensor madeAgain = logits(reference, "gan.fake_logits");
            // the critic is who is trained: it goes by the name that the pass trains
            Map<String, Respondent> judged = new LinkedHashMap<>();
            judged.put("artist", all.get("student"));
            judged.put("student", new Judge(student, madeAgain, real));
            ReferencePass other = new ReferencePass(judged, flow, bright, reference.get("eps"), each());
            Tensor ofCritic = new CriticLoss(
                            new GeneratedImages(new Simulation("artist", simulation.plan()), renoised), 0)
                    .perSample(other)
                    .mean();
            ofCritic.backward();
            reference.checkFp32("gan.discriminator.loss", Tensors.floats(ofCritic));
            reference.checkFp32("gan.discriminator.grad_fake", Tensors.floats(madeAgain.grad()));
            reference.checkFp32("gan.discriminator.grad_real", Tensors.floats(real.grad()));
        }
    }

    private static Tensor logits(StepCase reference, String name) {
        return Tensors.of(reference.get(name), Device.CPU).view(PICTURES, -1).set_requires_grad(true);
    }

    @Test
    void mean_flow_agrees_with_a_teacher_and_with_velocities_that_somebody_says() {
        StepCase reference = StepCase.of("fastgen-meanflow");
        double[][] p = reference.rows("params");
        double[] cond = reference.get("cond");
        double[] t = reference.get("t");
        NoiseSchedule flow = schedule(true);
        for (String name : new String[] {"teacher.l2", "plain.l2.poly", "guided.l2", "guided_mix.l2"}) {
            JsonNode config = reference.config(name);
            double until = config.get("guidance_t_end").asDouble();
            double[] scales = Arrays.stream(t)
                    .map(at -> at <= until ? config.get("guidance_scale").asDouble(1) : 1)
                    .toArray();
            boolean taught = name.startsWith("teacher");
            try (Scope scope = Scope.open();
                    ClosedFormNetwork student =
                            new ClosedFormNetwork(ClosedFormNetwork.VELOCITY, new ScalarInputs(true, 1), p[0], cond);
                    ClosedFormNetwork teacher = new ClosedFormNetwork(
                            taught
                                    ? ClosedFormNetwork.VELOCITY
                                    : (w, x, at, end, c) -> ReferencePass.pictures(reference.get(name + ".velocity"))
                                            .index_select(0, Dtype.I64.cast(c.view(-1))),
                            taught ? ScalarInputs.NONE : new ScalarInputs(true, 0),
                            p[1],
                            taught ? cond : new double[] {0, 1, 2, 3})) {
                ReferencePass pass = new ReferencePass(
                        Map.of(
                                "student", student.predicts(Prediction.FLOW, flow, 1),
                                "teacher", teacher.predicts(Prediction.FLOW, flow, 1)),
                        flow,
                        reference.get("x0"),
                        reference.get("z"),
                        each().with(Part.GUIDANCE, scales));
                Tensor loss = new MeanFlowLoss(
                                "teacher",
                                flow,
                                new MeanFlowLoss.Times(0, new TimeSampler.LogitNormal(0, 1)),
                                0,
                                1,
                                config.get("norm_const").asDouble())
                        .at(pass, t, reference.get("r"));
                reference.checkFp32(name + ".loss", Tensors.floats(loss));
                loss.mean().backward();
                reference.checkFp32(name + ".grad_student", student.gradient());
            }
        }
    }
}
