package dev.retort.cli;

import java.nio.file.Path;

/**
 * What a command that trains ends with.
 *
 * @param run the run's folder
 * @param model the model's folder
 * @param images images trained on
 * @param seconds wall clock of this process
 */
record Finished(String run, String model, long images, double seconds) {
    static Finished of(Path run, Path model, long images, long startNanos) {
        return new Finished(run.toString(), model.toString(), images, (System.nanoTime() - startNanos) / 1e9);
    }

    void tell(Talk talk, String next) {
        if (talk.json()) {
            talk.terminal().json(this);
        } else {
            talk.terminal().out().println(model);
        }
        talk.say("The model is in " + model + ", pictures and curves in " + run);
        talk.next(next);
    }
}
