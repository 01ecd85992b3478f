package dev.retort.cli;

import dev.retort.config.Configs;
import dev.retort.config.Preset;
import dev.retort.report.Provenance;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What {@code train} and {@code distill} share: which configuration, what to change in it, where the run lies. */
final class RunOptions {
    @Parameters(paramLabel = "PRESET|FILE", description = "A preset ('retort presets') or a YAML file.")
    private String which;

    @Option(
            names = "--set",
            paramLabel = "a.b=v",
            description = "Change a field; may be given again. Lists by position: a.0.b=v.")
    private List<String> assignments = new ArrayList<>();

    @Option(names = "--run", paramLabel = "FOLDER", description = "Folder of the run; by default runs/PRESET.")
    private Path run;

    @Option(
            names = "--dry-run",
            description = "Print the resolved configuration and what it would take; train nothing.")
    private boolean dryRun;

    @Mixin
    private ComputeOptions compute;

    boolean dryRun() {
        return dryRun;
    }

    Preset preset(String kind) {
        return PresetsCommand.open(kind, which);
    }

    /**
     * The configuration with all that was asked for on the command line.
     *
     * @param prefix where device and precision stand in it: {@code run.compute.}, or nothing
     */
    <T> T load(Class<T> type, Preset preset, String prefix) {
        List<String> overrides = new ArrayList<>(assignments);
        overrides.addAll(compute.overrides(prefix));
        return Configs.load(type, preset, overrides);
    }

    /** {@code runs/NAME}: the preset's name, or the file's without its ending. */
    Path folder() {
        if (run != null) {
            return run;
        }
        String name = Path.of(which).getFileName().toString();
        return Path.of("runs", name.replaceFirst("\\.ya?ml$", ""));
    }

    /** The command that is running, with what it was given. */
    String command(String name) {
        StringBuilder command = new StringBuilder("retort " + name + " " + which);
        assignments.forEach(assignment -> command.append(" --set ").append(assignment));
        if (run != null) {
            command.append(" --run ").append(run);
        }
        return command.toString();
    }

    /** What a model's card says about where it was made. */
    Map<String, String> provenance(String name, long seed) {
        return Provenance.here(command(name), seed).texts();
    }
}
