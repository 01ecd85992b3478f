package dev.retort.cli;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.layout.LoraLayout;
import dev.retort.pipeline.Loras;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes an adapter in another layout. */
@Command(
        name = "convert",
        header = {
            "Write an adapter in another program's layout, in fp32.",
            "",
            "Examples:",
            "  retort lora convert style.safetensors out.safetensors --to peft       for diffusers and PEFT",
            "  retort lora convert style.safetensors out.safetensors --to kohya      for WebUI, ComfyUI and kohya",
            "  retort lora convert kohya.safetensors out.safetensors --to peft --model MODEL",
            ""
        })
final class LoraConvertCommand implements Callable<Integer> {
    @Mixin
    private Output output;

    @Parameters(
            index = "0",
            paramLabel = "IN",
            description = "An adapter file of any layout, its folder, or hf:OWNER/NAME.")
    private String in;

    @Parameters(index = "1", paramLabel = "OUT", description = "The file, NAME.safetensors.")
    private Path out;

    @Option(
            names = "--to",
            required = true,
            paramLabel = "LAYOUT",
            description = "peft, diffusers (as its training scripts write) or kohya.")
    private String to;

    @Option(
            names = "--model",
            paramLabel = "MODEL",
            description = "The model that it is for, which tells dots of names from low lines.")
    private String model;

    @Option(names = "--force", description = "Replace a file.")
    private boolean force;

    /** What is printed as JSON. */
    record Converted(String in, String out, String layout, int modules) {}

    @Override
    public Integer call() {
        LoraLayout layout = LoraLayout.written().stream()
                .filter(known -> known.id().equalsIgnoreCase(to))
                .findFirst()
                .orElseThrow(() -> new RetortException(
                        Kind.USAGE,
                        "--to " + to + " is unknown; choose one of "
                                + LoraLayout.written().stream()
                                        .map(LoraLayout::id)
                                        .collect(Collectors.joining(", "))));
        if (Files.exists(out) && !force) {
            throw new RetortException(Kind.USAGE, out + " exists; give another name, or --force to replace it");
        }
        int modules = Loras.convert(
                Path.of(ModelArgument.place(in, output)),
                Optional.ofNullable(model).map(given -> ModelArgument.folder(given, output)),
                layout,
                out);
        if (output.json()) {
            output.terminal().json(new Converted(in, out.toString(), layout.id(), modules));
        } else {
            output.terminal().out().println(out);
            output.say(modules + " modules in the layout " + layout.id());
        }
        output.next("retort lora inspect " + out);
        return 0;
    }
}
