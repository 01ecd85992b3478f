package dev.retort.cli;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.ModelCard;
import dev.retort.card.PictureCard;
import dev.retort.error.Printable;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.hub.ByteSize;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.io.TensorStatistics;
import dev.retort.layout.AutoencoderFiles;
import dev.retort.layout.Checkpoint;
import dev.retort.layout.Hints;
import dev.retort.layout.LoraFile;
import dev.retort.layout.ModelFiles;
import dev.retort.layout.PipelineFolder;
import dev.retort.onnx.OnnxFile;
import dev.retort.pipeline.Architectures;
import dev.retort.report.TextTable;
import dev.retort.run.RunFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what is in a file or folder of weights. */
@Command(
        name = "inspect",
        header = {
            "Say what a file or folder of weights holds, what network it is and how to sample it.",
            "",
            "Examples:",
            "  retort inspect DiT-XL-2-256x256.pt          a torch file, read without running any of it",
            "  retort inspect dit-pipeline/ --keys         a diffusers folder, with every tensor",
            "  retort inspect model.safetensors --stats    smallest, largest, mean of each tensor",
            "  retort inspect runs/teacher --json          for other programs",
            "  retort inspect FILE.onnx                    inputs, outputs, steps of an exported file",
            "",
            "Files with checksums (.pt, .npz) are read to their end, so that damage anywhere is found.",
            ""
        })
final class InspectCommand implements Callable<Integer> {
    private static final int MOST_METADATA = 12;

    @Spec
    private CommandSpec spec;

    @Mixin
    private Output output;

    @Mixin
    private HintOptions hints;

    @Parameters(
            paramLabel = "FILE|DIR",
            description =
                    "safetensors, torch, npz, onnx; a PNG drawn here; a model, run or diffusers folder; an autoencoder; or hf:OWNER/NAME.")
    private String given;

    @Option(names = "--keys", description = "List every tensor.")
    private boolean keys;

    @Option(names = "--stats", description = "List every tensor with statistics of its values.")
    private boolean stats;

    /** One tensor; without statistics where none were asked for or its values are not read. */
    record Tensor(String name, String dtype, long[] shape, TensorStatistics statistics) {}

    /**
     * What is printed as JSON.
     *
     * @param card what the network is and how to sample it; null where it is not known
     * @param autoencoder what the autoencoder is; null where it is none, or a pipeline's, which stands in its card
     * @param unknown why not; null where it is known
     */
    record Found(
            String path,
            int tensorCount,
            long values,
            long bytes,
            Map<String, String> metadata,
            String layout,
            ModelCard card,
            AutoencoderCard autoencoder,
            List<String> notes,
            String unknown,
            List<Tensor> tensors) {}

    @Override
    public Integer call() {
        Path path = Path.of(ModelArgument.place(given, output));
        if (PictureCard.mayBeIn(path)) {
            PictureInspection.tell(path, output);
            return 0;
        }
        if (OnnxFile.named(path)) {
            OnnxInspection.tell(path, keys, output);
            return 0;
        }
        Path model = RunFolder.own(path).orElse(null);
        boolean autoencoder = model == null && !PipelineFolder.is(path) && AutoencoderFiles.mayBe(path);
        try (TensorFile file = weights(path, model, autoencoder)) {
            file.verify();
            Found found = found(path, file, model, autoencoder);
            if (output.json()) {
                output.terminal().json(found);
            } else {
                tell(found);
            }
            if (found.unknown() != null && Architectures.layouts().stream().anyMatch(layout -> layout.claims(path))) {
                throw new RetortException(Kind.CHECKPOINT, found.unknown());
            }
            if (!output.json()) {
                output.next(next(found, model));
            }
        }
        return 0;
    }

    private static TensorFile weights(Path path, Path model, boolean autoencoder) {
        if (autoencoder) {
            return AutoencoderFiles.find(path).open();
        }
        return TensorFiles.open(model == null ? PipelineFolder.network(path) : model.resolve(ModelFiles.WEIGHTS));
    }

    private Found found(Path path, TensorFile file, Path model, boolean isAutoencoder) {
        String layout = null;
        ModelCard card = null;
        AutoencoderCard autoencoder = null;
        String unknown = null;
        List<String> notes = List.of();
        if (model != null) {
            card = ModelFiles.card(model);
            layout = "own";
        } else if (isAutoencoder) {
            autoencoder = AutoencoderFiles.find(path).card();
        } else {
            try (Checkpoint checkpoint = Architectures.open(path, hints.hints())) {
                layout = checkpoint.layout().id();
                notes = new ArrayList<>(checkpoint.notes());
                card = card(checkpoint, notes);
            } catch (RetortException e) {
                unknown = LoraFile.mayBe(file)
                        ? "it is an adapter (LoRA); 'retort lora inspect' says more"
                        : OptionHint.sentence(e, spec);
            }
        }
        List<TensorEntry> entries = new ArrayList<>(file.entries().values());
        List<Tensor> tensors = new ArrayList<>();
        if (keys || stats) {
            entries.forEach(entry -> tensors.add(new Tensor(
                    entry.name(),
                    entry.type().name(),
                    entry.shape(),
                    stats && entry.readable() ? TensorStatistics.of(file, entry.name()) : null)));
        }
        return new Found(
                path.toString(),
                entries.size(),
                entries.stream().mapToLong(TensorEntry::elements).sum(),
                entries.stream().mapToLong(TensorEntry::byteCount).sum(),
                file.metadata(),
                layout,
                card,
                autoencoder,
                notes,
                unknown,
                tensors);
    }

    /** A network is known also where its autoencoder is damaged or not fetched. */
    private static ModelCard card(Checkpoint checkpoint, List<String> notes) {
        try {
            return checkpoint.card();
        } catch (RetortException e) {
            notes.add("its autoencoder cannot be used: " + e.getMessage());
            return checkpoint.networkCard();
        }
    }

    private void tell(Found found) {
        StringBuilder text = new StringBuilder();
        line(text, "File", found.path());
        line(
                text,
                "Tensors",
                String.format(
                        Locale.ROOT,
                        "%d, %,d values, %s",
                        found.tensorCount(),
                        found.values(),
                        ByteSize.text(found.bytes())));
        if (found.card() != null) {
            CardText.of(found.card(), found.layout()).forEach((label, value) -> line(text, label, value));
        } else if (found.autoencoder() != null) {
            CardText.of(found.autoencoder()).forEach((label, value) -> line(text, label, value));
        } else {
            line(text, "Network", "not known: " + found.unknown());
        }
        found.notes().forEach(note -> line(text, "Note", note));
        metadata(text, found.metadata());
        if (!found.tensors().isEmpty()) {
            text.append('\n').append(table(found.tensors()));
        }
        output.terminal().out().print(text);
    }

    /** Optimiser settings and long lists are left to --json. */
    private static void metadata(StringBuilder text, Map<String, String> metadata) {
        List<Map.Entry<String, String>> shown = metadata.entrySet().stream()
                .filter(entry -> !entry.getKey().matches("(opt|optim).*|.*\\.\\d+"))
                .toList();
        shown.stream()
                .limit(MOST_METADATA)
                .forEach(entry -> line(text, "Says", entry.getKey() + " = " + entry.getValue()));
        if (shown.size() > MOST_METADATA) {
            line(text, "Says", (shown.size() - MOST_METADATA) + " more values, shown by --json");
        }
    }

    private static void line(StringBuilder text, String label, String value) {
        text.append(String.format(Locale.ROOT, "%-9s %s%n", label, Printable.line(value)));
    }

    private String table(List<Tensor> tensors) {
        List<String> header = new ArrayList<>(List.of("tensor", "type", "shape"));
        if (stats) {
            header.addAll(List.of("min", "max", "mean", "std", "not finite"));
        }
        TextTable table = new TextTable(header);
        for (Tensor tensor : tensors) {
            List<String> row = new ArrayList<>(List.of(
                    tensor.name(),
                    tensor.dtype(),
                    Arrays.stream(tensor.shape()).mapToObj(Long::toString).collect(Collectors.joining("x"))));
            if (stats) {
                row.addAll(cells(tensor.statistics()));
            }
            table.row(row);
        }
        return table.render();
    }

    private static List<String> cells(TensorStatistics s) {
        if (s == null) {
            return List.of("-", "-", "-", "-", "-");
        }
        List<String> cells = new ArrayList<>();
        for (double value : new double[] {s.min(), s.max(), s.mean(), s.std()}) {
            cells.add(String.format(Locale.ROOT, "%.4g", value));
        }
        cells.add(Long.toString(s.notFinite()));
        return cells;
    }

    private String next(Found found, Path model) {
        if (model != null) {
            return "retort sample " + given;
        }
        if (found.autoencoder() != null) {
            return "retort encode PICTURES --vae " + given;
        }
        if (found.card() == null) {
            return "retort inspect " + given + " --keys";
        }
        // what had to be told is kept by a conversion only
        return hints.hints().equals(Hints.NONE) ? "retort sample " + given : "retort convert " + given + " MODEL";
    }
}
