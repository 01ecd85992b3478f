package dev.retort.train;

import dev.retort.data.ImageSource;
import dev.retort.model.Conditioner;
import dev.retort.model.Network;
import java.util.List;

/**
 * What a run trains, and on what.
 *
 * @param network the network in training; the trainer does not close it
 * @param source the images
 * @param objective how they are noised
 * @param stages what is minimised, one after another
 * @param teacherHash hash of the teacher's weights, empty where there is none
 * @param conditioner makes of what the source says of its images what the network is conditioned on; not closed
 * @param dropout share of images whose condition is left out in training
 * @param config what any run has
 */
public record TrainingJob(
        Network network,
        ImageSource source,
        Objective objective,
        List<Stage> stages,
        String teacherHash,
        Conditioner conditioner,
        double dropout,
        RunConfig config) {
    /** Validates. */
    public TrainingJob {
        if (dropout > 0 && !network.spec().condition().hasNone()) {
            throw new IllegalArgumentException("dropout is " + dropout
                    + ", expected 0: the network was not built to be asked without a condition");
        }
    }

    /** Images of all stages. */
    public long images() {
        return stages.stream().mapToLong(Stage::images).sum();
    }
}
