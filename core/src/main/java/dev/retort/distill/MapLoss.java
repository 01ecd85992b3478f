package dev.retort.distill;

import dev.retort.card.ProcessSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.card.SolverSpec;
import dev.retort.config.Require;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeSampler;
import dev.retort.diffusion.step.PseudoHuber;
import dev.retort.distill.step.FlowMapLoss;
import dev.retort.distill.step.MeanFlowLoss;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.torch.Precision;
import dev.retort.train.Loss;
import java.util.Map;

/** Losses that make a student a flow map: told two times, it leads from the one to the other in one step. */
public sealed interface MapLoss extends StepLoss permits MapLoss.FlowMap, MapLoss.MeanFlow {
    @Override
    default ScalarInputs tells(Recipe recipe) {
        return new ScalarInputs(
                false, recipe.objective().process().noiseSchedule().noisiestTime());
    }

    /** It says where a step ends. */
    @Override
    default boolean asksBeyondVelocity() {
        return false;
    }

    @Override
    default boolean takesDerivative() {
        return true;
    }

    @Override
    default void requireFit(Recipe recipe) {
        ProcessSpec process = recipe.objective().process();
        if (process.prediction() != Prediction.FLOW || !(process.noiseSchedule() instanceof FlowLinear)) {
            throw new RetortException(
                    Kind.CONFIG, type() + " needs an objective of type flow, whose students predict velocities");
        }
        SolverSpec solver = recipe.run().sampling().solver();
        if (!(solver instanceof SolverSpec.FlowMap)) {
            throw new RetortException(
                    Kind.CONFIG,
                    "run.sampling.solver is " + solver.text() + ", expected flow-map where stages ask for " + type()
                            + ": no other solver tells the student where a step ends");
        }
        for (StageConfig stage : recipe.stages()) {
            for (LossConfig loss : stage.losses()) {
                if (loss instanceof StepLoss other && other.asksBeyondVelocity()) {
                    throw new RetortException(
                            Kind.CONFIG,
                            "stages ask for " + loss.type() + " and " + type() + ", but " + loss.type()
                                    + " does not tell a student where its step ends; use a recipe for each");
                }
            }
        }
    }

    /**
     * Lagrangian self-distillation.
     *
     * @param self let the student itself say what the velocity is at the end of a step, instead of the teacher
     * @param still share of images of which it learns the velocity alone
     * @param pureNoise share of the others that start from noise
     * @param step distance on each side of the derivative's difference, as a part of the way from image to noise
     * @param huber the c of the pseudo-Huber distance, of the root mean square over an image
     */
    record FlowMap(LossWeight weight, boolean self, double still, double pureNoise, double step, double huber)
            implements MapLoss {
        /** Validates. */
        public FlowMap {
            Require.between("still", still, 0, 1);
            Require.between("pureNoise", pureNoise, 0, 1);
            Require.between("step", step, 1e-4, 0.1);
            Require.atLeast("huber", huber, 0);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("self", false, "still", 0.5, "pureNoise", 0.2, "step", 0.005, "huber", 0.03);
        }

        @Override
        public Loss build(BuildContext players) {
            if (players.asStudent().precision() != Precision.FP32) {
                throw new RetortException(
                        Kind.CONFIG,
                        "run.compute.precision comes to bf16, in which the difference that flow-map takes is rounding alone;"
                                + " set run.compute.precision=fp32");
            }
            return new FlowMapLoss(
                    players.teacher(),
                    self,
                    players.schedule(),
                    new FlowMapLoss.Times(still, pureNoise, step),
                    new PseudoHuber(huber));
        }
    }

    /**
     * The identity of mean velocities.
     *
     * @param still share of images of which it learns the velocity alone
     * @param timeMean logit-normal times; above 0 favours noise
     * @param timeStd their spread
     * @param step of the derivative's central difference, as a part of the way from image to noise; 0 for the exact derivative
     * @param power of the adaptive weight; 0 for the plain squared error
     * @param constant in the adaptive weight
     */
    record MeanFlow(
            LossWeight weight,
            double still,
            double timeMean,
            double timeStd,
            double step,
            double power,
            double constant)
            implements MapLoss {
        /** Validates. */
        public MeanFlow {
            Require.between("still", still, 0, 1);
            Require.positive("timeStd", timeStd);
            Require.between("step", step, 0, 0.001);
            Require.between("power", power, 0, 1);
            Require.positive("constant", constant);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("still", 0.5, "timeMean", -0.4, "timeStd", 1, "step", 0, "power", 0.5, "constant", 1e-3);
        }

        @Override
        public Loss build(BuildContext players) {
            return new MeanFlowLoss(
                    players.teacher(),
                    players.schedule(),
                    new MeanFlowLoss.Times(still, new TimeSampler.LogitNormal(timeMean, timeStd)),
                    step,
                    power,
                    constant);
        }
    }
}
