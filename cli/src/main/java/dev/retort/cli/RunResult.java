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
record RunResult(String run, String model, long images, double seconds) {
    static RunResult of(Path run, Path model, long images, long startNanos) {
        return new RunResult(run.toString(), model.toString(), images, (System.nanoTime() - startNanos) / 1e9);
    }

    void tell(Output output, String next) {
        if (output.json()) {
            output.terminal().json(this);
        } else {
            output.terminal().out().println(model);
        }
        output.say("The model is in " + model + ", pictures and curves in " + run);
        output.next(next);
    }
}
