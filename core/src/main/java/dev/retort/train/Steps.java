package dev.retort.train;

import dev.retort.data.Batch;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * Makes the steps of a run: of each phase that is due the losses part by part of the batch and their gradients, then the step of
 * its player.
 */
final class Steps {
    private final Task task;
    private final Players players;
    private final TermNames terms;
    private final long seed;
    private final Precision precision;
    private final Device device;
    private final Set<Phase> reached = new HashSet<>();

    Steps(Task task, Players players, TermNames terms, long seed, Precision precision, Device device) {
        this.task = task;
        this.players = players;
        this.terms = terms;
        this.seed = seed;
        this.precision = precision;
        this.device = device;
    }

    /**
     * Where a step takes place.
     *
     * @param imagesOfStage images that the stage has seen
     * @param imagesOfRun images that the run will have seen in the end
     */
    record At(Stage stage, Clock clock, long imagesOfStage, long imagesOfRun) {
        /** The learning rate of a player under the settings that hold for it. */
        double rate(Learner learner) {
            OptimizerConfig own = stage.optimizers().get(learner.name());
            if (own == null) {
                return learner.settings().rate(clock.imagesSeen(), imagesOfRun);
            }
            return own.rate(imagesOfStage, stage.images());
        }

        OptimizerConfig settings(Learner learner) {
            return stage.optimizers().getOrDefault(learner.name(), learner.settings());
        }
    }

    /**
     * One step on a batch.
     *
     * @param microBatch images per backward pass
     * @param statistics is told what happened
     * @return the weighted loss of the player that is the result; none where it was not its turn
     */
    OptionalDouble step(Batch batch, At at, int microBatch, StepStatistics statistics) {
        OptionalDouble result = OptionalDouble.empty();
        for (Phase phase : at.stage.phases()) {
            if (!phase.cadence().isDue(at.clock)) {
                continue;
            }
            Learner learner = players.learner(phase.player());
            learner.train(phase);
            int part = phase.isWholeBatch() ? batch.count() : microBatch;
            double loss = 0;
            for (int from = 0; from < batch.count(); from += part) {
                try (Scope scope = Scope.open()) {
                    int count = Math.min(part, batch.count() - from);
                    loss += backward(batch, from, count, phase, at.clock, statistics);
                }
            }
            if (reached.add(phase)) {
                requireGradients(learner, phase, at.stage);
            }
            Learner.Step step = learner.step(at.settings(learner), at.rate(learner), loss, at.clock.imagesSeen());
            if (step.taken()) {
                players.follow(phase.player());
            }
            players.dropGradients();
            boolean isResult = phase.player().equals(task.published());
            statistics.step(isResult ? "" : phase.player(), step.gradientNorm(), step.clipped());
            result = isResult ? OptionalDouble.of(loss) : result;
        }
        statistics.seen(batch.count(), players.takeFrozenCalls());
        return result;
    }

    /** The losses of the result, as it is with its averaged weights, on images that are not learned; none where there are none. */
    Map<String, Object> heldOut(Stage stage, int part) {
        Map<String, Object> losses = new LinkedHashMap<>();
        for (Phase phase : stage.phases()) {
            if (phase.player().equals(task.published())) {
                task.heldOut()
                        .ifPresent(images -> losses.putAll(
                                images.losses(phase, terms, players.all(), players.result(), part, precision)));
            }
        }
        players.takeFrozenCalls();
        return losses;
    }

    /** A pass over so many black images through every phase that takes batches in parts, for its memory alone. */
    void trial(int images, Stage stage) {
        Batch batch = Batch.blank(task.source(), images);
        StepStatistics nobody = new StepStatistics();
        List<Learner> adapted = players.attach(stage, false);
        try {
            for (Phase phase : stage.phases()) {
                if (!phase.isWholeBatch()) {
                    players.learner(phase.player()).train(phase);
                    try (Scope scope = Scope.open()) {
                        backward(batch, 0, images, phase, new Clock(0, 0, 1, 1), nobody);
                    }
                    players.dropGradients();
                }
            }
        } finally {
            adapted.forEach(Learner::detach);
        }
        players.takeFrozenCalls();
    }

    /** Forward and backward on part of a batch, its loss scaled to its share; returns that share of the loss. */
    private double backward(Batch batch, int from, int count, Phase phase, Clock clock, StepStatistics statistics) {
        Pass pass = task.pass(
                batch, from, count, new Pass.Context(phase.player(), players.all(), phase.taps(), seed, clock));
        Tensor sum = null;
        List<Tensor> losses = new ArrayList<>(); // (N) each
        try (Autocast autocast = Autocast.to(precision, device)) {
            for (Weighted weighted : phase.losses()) {
                Tensor perSample = weighted.loss().perSample(pass); // (N)
                losses.add(perSample);
                Tensor term = weighted.term(perSample, pass, batch.count());
                sum = sum == null ? term : sum.add(term);
            }
        }
        sum.backward();
        // Read before, they would have a GPU wait for the backward pass to be asked for.
        for (int i = 0; i < losses.size(); i++) {
            float[] values = Tensors.floats(losses.get(i));
            statistics.add(terms.of(phase.losses().get(i).loss()), values);
            if (i == 0 && phase.player().equals(task.published())) {
                pass.places().ifPresent(places -> statistics.addByPlace(places, values));
            }
        }
        return Tensors.scalar(sum);
    }

    /** A loss that needs no intermediates of its player looks at the output, which all of the network leads to. */
    private static void requireGradients(Learner learner, Phase phase, Stage stage) {
        List<String> unreached = learner.unreached().stream()
                .filter(learner.player().respondent()::uses)
                .toList();
        boolean all = phase.losses().stream()
                .anyMatch(weighted -> !weighted.loss().taps().containsKey(phase.player()));
        if (all && !unreached.isEmpty()) {
            throw new IllegalStateException("no gradient reaches " + unreached + " in stage " + stage.name());
        }
    }
}
