package dev.retort.cli;

import dev.retort.config.Preset;
import dev.retort.config.Presets;
import dev.retort.config.Suggestion;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Lists the presets, or prints one to start a file of one's own. */
@Command(
        name = "presets",
        header = {
            "List the configurations that come with Retort, or print one.",
            "",
            "Examples:",
            "  retort presets                      all of them, with time and score",
            "  retort presets train                those of one command",
            "  retort presets NAME > mine.yaml     a file of your own to change",
            ""
        })
final class PresetsCommand implements Callable<Integer> {
    static final List<String> KINDS = List.of("train", "distill", "quantize", "classifier");

    @Mixin
    private Output output;

    @Parameters(
            arity = "0..1",
            paramLabel = "KIND|NAME",
            description = "train, distill, quantize, classifier, or a preset to print.")
    private String which;

    @Override
    public Integer call() {
        if (which != null && !KINDS.contains(which)) {
            print(find());
        } else {
            list(which == null ? KINDS : List.of(which));
        }
        return 0;
    }

    private void list(List<String> kinds) {
        List<Preset> presets =
                kinds.stream().flatMap(kind -> Presets.list(kind).stream()).toList();
        if (output.json()) {
            record Line(String kind, String name, String about) {}
            output.terminal()
                    .json(presets.stream()
                            .map(preset -> new Line(preset.kind(), preset.name(), preset.about()))
                            .toList());
            return;
        }
        int width = presets.stream()
                .mapToInt(preset -> preset.name().length())
                .max()
                .orElse(0);
        for (Preset preset : presets) {
            String name = String.format(Locale.ROOT, "%-" + width + "s", preset.name());
            output.terminal()
                    .out()
                    .printf(
                            Locale.ROOT,
                            "%-10s %s  %s%n",
                            preset.kind(),
                            output.terminal().styled("bold", name),
                            preset.about());
        }
        if (!presets.isEmpty()) {
            output.next(use(presets.get(0).kind(), presets.get(0).name()));
        }
    }

    /** How a preset or a file of a kind is tried. */
    private static String use(String kind, String name) {
        return kind.equals("quantize")
                ? "retort quantize MODEL " + name + " --out FOLDER"
                : "retort " + command(kind) + " " + name + " --dry-run";
    }

    /** A preset or a file of a kind; the preset of another command is refused with that command. */
    static Preset open(String kind, String which) {
        try {
            return Presets.open(kind, which);
        } catch (RetortException e) {
            throw commandFor(which)
                    .map(command -> new RetortException(
                            e.kind(),
                            "'" + which + "' is a preset for another command: retort " + command + " " + which,
                            e))
                    .orElse(e);
        }
    }

    /** The command that takes presets of a kind. */
    static String command(String kind) {
        return kind.equals("classifier") ? "train-classifier" : kind;
    }

    /** The command that takes the preset of a name; empty where there is none. */
    static Optional<String> commandFor(String name) {
        return KINDS.stream()
                .filter(kind -> Presets.list(kind).stream()
                        .anyMatch(preset -> preset.name().equals(name)))
                .findFirst()
                .map(PresetsCommand::command);
    }

    private Preset find() {
        List<Preset> all =
                KINDS.stream().flatMap(kind -> Presets.list(kind).stream()).toList();
        return all.stream()
                .filter(preset -> preset.name().equals(which))
                .findFirst()
                .orElseThrow(() -> new RetortException(
                        Kind.CONFIG,
                        "There is no preset '" + which + "'"
                                + Suggestion.among(
                                        which, all.stream().map(Preset::name).toList())));
    }

    private void print(Preset preset) {
        if (output.json()) {
            output.terminal().json(preset);
        } else {
            output.terminal().out().print(preset.yaml());
            output.next(use(preset.kind(), "mine.yaml") + ", once this is saved as mine.yaml");
        }
    }
}
