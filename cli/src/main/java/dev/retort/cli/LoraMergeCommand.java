package dev.retort.cli;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.pipeline.Loras;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Merges adapters into a model for good. */
@Command(
        name = "merge",
        header = {
            "Write a model with adapters merged into its weights: W + weight · alpha/rank · B·A.",
            "",
            "Examples:",
            "  retort lora merge MODEL style.safetensors --out styled",
            "  retort lora merge MODEL style.safetensors:0.8 lcm.safetensors --out both    several are added up",
            "  retort lora merge styled style.safetensors:-1 --out back                    off again",
            ""
        })
final class LoraMergeCommand implements Callable<Integer> {
    @Mixin
    private Output output;

    @Parameters(index = "0", paramLabel = "MODEL", description = ModelArgument.PLACES)
    private String given;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "FILE[:WEIGHT]",
            description = "Adapter files, each so many times as strongly; a negative weight takes one off.")
    private List<String> adapters;

    @Option(names = "--out", required = true, paramLabel = "FOLDER", description = "Where the model goes.")
    private Path out;

    @Option(names = "--force", description = "Replace a folder that holds nothing but what Retort wrote.")
    private boolean force;

    /** What is printed as JSON. */
    record Merged(String out, List<String> notes) {}

    @Override
    public Integer call() {
        if (Files.exists(out) && !force) {
            throw new RetortException(Kind.USAGE, out + " exists; give another name, or --force to replace it");
        }
        List<String> notes = Loras.merge(ModelArgument.folder(given, output), LoraOptions.parse(adapters, output), out);
        if (output.json()) {
            output.terminal().json(new Merged(out.toString(), notes));
        } else {
            output.terminal().out().println(out);
            notes.forEach(output::say);
        }
        output.next("retort sample " + out);
        return 0;
    }
}
