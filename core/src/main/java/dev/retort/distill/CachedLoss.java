package dev.retort.distill;

import dev.retort.card.ImageShape;
import dev.retort.card.TrainedFor;
import dev.retort.config.Require;
import dev.retort.data.Trajectories;
import dev.retort.data.TrajectoryFolder;
import dev.retort.data.TrajectoryManifest;
import dev.retort.diffusion.step.PseudoHuber;
import dev.retort.distill.step.CachedStates;
import dev.retort.distill.step.EndpointLoss;
import dev.retort.distill.step.ReflowLoss;
import dev.retort.distill.step.TrajectoryLoss;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.train.Loss;
import java.nio.file.Path;
import java.util.Map;

/** Losses that read the trajectories which a teacher left, and ask no teacher. */
public sealed interface CachedLoss extends StepLoss {
    @Override
    default int teacherCalls() {
        return 0;
    }

    /** Folder that {@code retort trajectories} wrote. */
    String trajectories();

    /** The guidance that led to where its trajectories end. */
    default double guidance(Lesson lesson) {
        TrajectoryManifest manifest = new TrajectoryFolder(Path.of(trajectories())).manifest();
        return lesson.original().guided(manifest.sampling().guidanceScale()).guidance();
    }

    @Override
    default TrainedFor trains(Lesson lesson) {
        return TrainedFor.jumps(lesson.sampling(), guidance(lesson));
    }

    /**
     * Trajectory regression: from states of its own making the student's next step lands where the teacher was.
     *
     * @param steps steps of the student, on the grid of {@code run.sampling}; kept states must stand at its times
     * @param trajectories folder that {@code retort trajectories} wrote
     */
    record Trajectory(LossWeight weight, int steps, String trajectories) implements CachedLoss {
        /** Validates. */
        public Trajectory {
            Require.atLeast("steps", steps, 1);
        }

        @Override
        public void requireFit(Recipe recipe) {
            Checks.requireSteps(recipe, type(), steps);
        }

        @Override
        public TrainedFor trains(Lesson lesson) {
            return TrainedFor.steps(steps, lesson.sampling(), guidance(lesson));
        }

        @Override
        public Loss build(BuildContext players) {
            try {
                return new TrajectoryLoss(
                        players.student(), cache(players, trajectories), players.planOfX0(steps), players.grid(steps));
            } catch (IllegalArgumentException e) {
                throw new RetortException(Kind.CONFIG, "trajectories is " + trajectories + ": " + e.getMessage(), e);
            }
        }
    }

    /**
     * Consistency mid-training: from any kept state of a trajectory the student says where it ended.
     *
     * @param trajectories folder that {@code retort trajectories} wrote
     * @param pureNoise share of images asked about at the start
     * @param huber the c of the pseudo-Huber distance
     */
    record Endpoint(LossWeight weight, String trajectories, double pureNoise, double huber) implements CachedLoss {
        /** Validates. */
        public Endpoint {
            Require.between("pureNoise", pureNoise, 0, 1);
            Require.atLeast("huber", huber, 0);
        }

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("pureNoise", 0.5, "huber", 0.03);
        }

        @Override
        public Loss build(BuildContext players) {
            return new EndpointLoss(cache(players, trajectories), pureNoise, new PseudoHuber(huber));
        }
    }

    /**
     * Reflow: the plain loss on pairs of a trajectory's noise and its end.
     *
     * @param trajectories folder that {@code retort trajectories} wrote
     */
    record Reflow(LossWeight weight, String trajectories) implements CachedLoss {
        @Override
        public boolean asksBeyondVelocity() {
            return false;
        }

        /** The plain loss on other pairs leads to an ODE again. */
        @Override
        public TrainedFor trains(Lesson lesson) {
            return TrainedFor.ANY.guided(guidance(lesson));
        }

        @Override
        public Loss build(BuildContext players) {
            return new ReflowLoss(
                    cache(players, trajectories),
                    players.schedule(),
                    players.objective().process().prediction(),
                    players.objective().times());
        }
    }

    /** The cache, which the recipe's teacher left, whichever guidance it had. */
    private static CachedStates cache(BuildContext players, String folder) {
        Trajectories trajectories = Trajectories.open(Path.of(folder));
        ImageShape images = players.asStudent().images();
        TrajectoryManifest manifest = trajectories.manifest();
        Require.that(
                manifest.channels() == images.channels()
                        && manifest.height() == images.height()
                        && manifest.width() == images.width(),
                "trajectories",
                folder,
                "trajectories of " + images.channels() + "x" + images.height() + "x" + images.width()
                        + " images; these are of " + manifest.channels() + "x" + manifest.height() + "x"
                        + manifest.width());
        Require.that(
                manifest.process()
                        .noiseSchedule()
                        .hash()
                        .equals(players.schedule().hash()),
                "trajectories",
                folder,
                "trajectories on the schedule of the objective, not on "
                        + manifest.process().schedule().text());
        Require.that(
                manifest.teacherSha256().equals(players.teacherSha256()),
                "trajectories",
                folder,
                "trajectories of the recipe's teacher; these are of " + manifest.teacher()
                        + ", or of other weights, so record them anew");
        Require.that(
                manifest.readsAlike(players.text()),
                "trajectories",
                folder,
                "trajectories under the tokenizers of the recipe's teacher; these texts were read by others, so record them"
                        + " anew");
        try {
            return CachedStates.of(trajectories, players.classes());
        } catch (IllegalArgumentException e) {
            throw new RetortException(Kind.CONFIG, "trajectories is " + folder + ": " + e.getMessage(), e);
        }
    }
}
