package dev.retort.cli;

import dev.retort.layout.LoraFile;
import dev.retort.layout.LoraLayout;
import dev.retort.report.TextTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** What an adapter file holds. */
@Command(
        name = "inspect",
        header = {
            "Say what an adapter file holds: layout, modules, ranks, strength, and how much each adds.",
            "",
            "Examples:",
            "  retort lora inspect style.safetensors",
            "  retort lora inspect runs/adapted/pytorch_lora_weights.safetensors --json",
            ""
        })
final class LoraInspectCommand implements Callable<Integer> {
    @Mixin
    private Output output;

    @Parameters(paramLabel = "FILE", description = "An adapter file, its folder, or hf:OWNER/NAME.")
    private String given;

    /** What is printed as JSON. */
    record Inspected(String file, List<String> layouts, String ranks, List<Module> modules) {}

    /** A module of it; {@code norm} is the Frobenius norm of scale·B·A. */
    record Module(String component, String name, int rank, double scale, List<Long> a, List<Long> b, double norm) {}

    @Override
    public Integer call() {
        try (LoraFile file = LoraFile.open(Path.of(ModelArgument.place(given, output)))) {
            List<Module> modules = file.pairs().stream()
                    .map(pair -> new Module(
                            pair.component().text(),
                            pair.module(),
                            pair.rank(),
                            pair.scale(),
                            longs(pair.downShape()),
                            longs(pair.upShape()),
                            pair.norm()))
                    .toList();
            List<String> layouts = file.layouts().stream().map(LoraLayout::id).toList();
            if (output.json()) {
                output.terminal().json(new Inspected(file.path().toString(), layouts, file.ranks(), modules));
                return 0;
            }
            TextTable table = new TextTable(List.of("module", "of", "rank", "scale", "weight", "norm"));
            modules.forEach(module -> table.row(List.of(
                    module.name(),
                    module.component(),
                    String.valueOf(module.rank()),
                    String.format(Locale.ROOT, "%.4g", module.scale()),
                    module.b().get(0) + " x " + module.a().stream().skip(1).reduce(1L, (x, y) -> x * y),
                    String.format(Locale.ROOT, "%.4g", module.norm()))));
            output.terminal().out().print(table.render());
            output.say(String.format(
                    Locale.ROOT,
                    "%d modules, rank %s, layout %s",
                    modules.size(),
                    file.ranks(),
                    String.join(" and ", layouts)));
        }
        output.next("retort sample MODEL --lora " + given);
        return 0;
    }

    private static List<Long> longs(long[] shape) {
        List<Long> longs = new ArrayList<>();
        for (long size : shape) {
            longs.add(size);
        }
        return longs;
    }
}
