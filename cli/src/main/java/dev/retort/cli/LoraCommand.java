package dev.retort.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What can be done with adapter files. */
@Command(
        name = "lora",
        header = {
            "Look at, merge, extract and convert adapters of low rank (LoRA) of any program.",
            "",
            "Examples:",
            "  retort lora inspect style.safetensors                        layout, modules, ranks, strength",
            "  retort lora merge MODEL style.safetensors:0.8 --out styled   a model with the adapter in its weights",
            "  retort lora merge styled style.safetensors:-0.8 --out back   and without it again",
            "  retort lora extract MODEL TUNED --rank 16 --out diff.safetensors",
            "  retort lora convert IN.safetensors OUT.safetensors --to kohya",
            "  retort sample MODEL --lora style.safetensors:0.8             without a copy of the model",
            ""
        },
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        footer = {"", "Each command has help of its own: retort lora COMMAND --help"},
        subcommands = {
            LoraInspectCommand.class,
            LoraMergeCommand.class,
            LoraExtractCommand.class,
            LoraConvertCommand.class
        })
final class LoraCommand implements Runnable {
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
