package dev.retort.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code retort} alone: help that opens with examples. */
@Command(
        name = "retort",
        header = {
            "retort makes diffusion models small and fast: train a teacher, distil a student, compare them.",
            "",
            "Examples:",
            "  retort demo                               the whole path in a few minutes, no files needed",
            "  retort doctor                             what this machine can do, and what to fix",
            "  retort presets                            the configurations that come with it",
            "  retort train fashion-teacher              train a teacher; the same command resumes",
            "  retort distill fashion-student            distil a student from it",
            "  retort quantize runs/student int8-dynamic --out small   the same in 8 bits",
            "  retort sample runs/fashion-teacher        draw images",
            "  retort compare runs/teacher runs/student  what was kept, what was gained",
            "  retort bench-model runs/student           which form and engine is fastest on this machine",
            "  retort pull hf:OWNER/NAME                 fetch a model; every command takes hf: names too",
            "  retort inspect FILE                       what a checkpoint of any program holds",
            "  retort export runs/student                the student as an ONNX file",
            "  retort sample MODEL --lora FILE           with an adapter; 'retort lora' merges, extracts and converts them",
            ""
        },
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        footer = {"", "Each command has help of its own: retort COMMAND --help"},
        version = "retort 0.1.0")
final class RetortCommand implements Runnable {
    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show the version.")
    private boolean version;

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
