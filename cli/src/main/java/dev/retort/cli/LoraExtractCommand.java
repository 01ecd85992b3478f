package dev.retort.cli;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.pipeline.Loras;
import dev.retort.report.TextTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Takes an adapter of the difference between two models. */
@Command(
        name = "extract",
        header = {
            "Make an adapter of what training changed: of each layer's difference the nearest matrix of low rank.",
            "",
            "Examples:",
            "  retort lora extract MODEL TUNED --rank 16 --out diff.safetensors",
            "  retort lora extract runs/base runs/few --rank 64 --out few.safetensors",
            ""
        })
final class LoraExtractCommand implements Callable<Integer> {
    private static final int SHOWN = 3;

    @Mixin
    private Output output;

    @Parameters(index = "0", paramLabel = "BASE", description = "The model that the adapter will be applied to.")
    private String base;

    @Parameters(index = "1", paramLabel = "TUNED", description = "What it became by training, of the same network.")
    private String tuned;

    @Option(
            names = "--rank",
            required = true,
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Rank of the adapter.")
    private int rank;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "The adapter, NAME.safetensors.")
    private Path out;

    @Option(names = "--force", description = "Replace a file.")
    private boolean force;

    @Override
    public Integer call() {
        if (Files.exists(out) && !force) {
            throw new RetortException(Kind.USAGE, out + " exists; give another name, or --force to replace it");
        }
        Loras.Extracted extracted =
                Loras.extract(ModelArgument.folder(base, output), ModelArgument.folder(tuned, output), rank, out);
        if (output.json()) {
            output.terminal().json(extracted);
        } else {
            TextTable table = new TextTable(List.of("rank", "share kept"));
            for (int r = 1; r <= rank; r = r < rank ? Math.min(2 * r, rank) : r + 1) {
                table.row(List.of(String.valueOf(r), percent(extracted.kept().get(r - 1))));
            }
            output.terminal().out().print(table.render());
            output.say(extracted.modules() + " modules in " + out);
            if (!extracted.without().isEmpty()) {
                output.say("Mind: no adapter holds biases, norms and tables of embeddings: "
                        + percent(extracted.leftOut()) + " of all that differs (squared) is left out, in "
                        + FirstFew.of(extracted.without(), SHOWN));
            }
        }
        output.next("retort sample " + base + " --lora " + out);
        return 0;
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f %%", 100 * share);
    }
}
