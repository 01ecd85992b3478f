package dev.retort.train;

import dev.retort.data.ImageSource;
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
 * @param config what any run has
 */
public record TrainingJob(
        Network network,
        ImageSource source,
        Objective objective,
        List<Stage> stages,
        String teacherHash,
        RunConfig config) {
    /** Images of all stages. */
    public long images() {
        return stages.stream().mapToLong(Stage::images).sum();
    }
}
