package dev.retort.cli;

import dev.retort.card.ModelCard;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.Dtype;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.Checkpoint;
import dev.retort.layout.ConvertedWeights;
import dev.retort.layout.Hints;
import dev.retort.layout.ModelFiles;
import dev.retort.layout.QuantizedFile;
import dev.retort.layout.Storage;
import dev.retort.layout.WeightLayout;
import dev.retort.pipeline.Adaptation;
import dev.retort.pipeline.Architectures;
import dev.retort.run.RunFolder;
import dev.retort.sample.Folding;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Rewrites a checkpoint in another program's layout. */
@Command(
        name = "convert",
        header = {
            "Rewrite a model in another program's layout.",
            "",
            "Examples:",
            "  retort convert DiT-XL-2-256x256.pt dit-xl       the original's file to a model of Retort",
            "  retort convert dit-xl dit.pt                    back: the same keys, shapes and types",
            "  retort convert dit-xl pipeline --to diffusers   a folder of the diffusers library",
            "  retort convert pipeline dit --dtype bf16        half the size",
            "  retort convert sit.pt sit --family sit          where the weights do not tell",
            "  retort convert sd15.safetensors sd15 --to diffusers   Stable Diffusion's one file to a folder, and back",
            "  retort convert runs/few small --fold            a student of few steps, a third smaller",
            "",
            "Of a training file the average of the weights (EMA) is taken where it has one, and that is said.",
            ""
        })
final class ConvertCommand implements Callable<Integer> {
    @Mixin
    private Output output;

    @Mixin
    private HintOptions hints;

    @Mixin
    private LoraOptions loras;

    @Parameters(paramLabel = "IN", description = "A file or folder of any layout, a run, or hf:OWNER/NAME.")
    private String given;

    @Parameters(paramLabel = "OUT", description = "NAME.pt or NAME.safetensors (the original's keys), or a folder.")
    private Path out;

    @Option(
            names = "--to",
            paramLabel = "LAYOUT",
            description = "own, original or diffusers; by default as OUT's name says.")
    private String to;

    @Option(names = "--dtype", paramLabel = "TYPE", description = "fp32, bf16 or fp16; by default that of IN.")
    private String dtype;

    @Option(
            names = "--shard-mb",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Cut diffusers weights above so many MB; by default 10000.")
    private Integer shardMb;

    @Option(
            names = "--fold",
            description =
                    "Of a student of few steps keep what it computes of time and class as a table: smaller, the same"
                            + " pictures, for sampling alone.")
    private boolean fold;

    @Option(names = "--force", description = "Replace a file, or a folder that holds nothing but what Retort wrote.")
    private boolean force;

    /** What is printed as JSON. */
    record Converted(String in, String out, String layout, String network, String dtype, List<String> notes) {}

    /** What can be written, by the names that users know. */
    private static final Map<Dtype, String> TYPES =
            new EnumMap<>(Map.of(Dtype.F32, "fp32", Dtype.BF16, "bf16", Dtype.F16, "fp16"));

    private static final String OWN = "own";

    @Override
    public Integer call() {
        Optional<String> layout = layout();
        if (fold && layout.isPresent()) {
            throw new RetortException(
                    Kind.USAGE,
                    "--fold writes a model that other programs do not know, and "
                            + out + " is to be one of the layout "
                            + layout.get()
                            + "; leave --to out and name a folder");
        }
        Optional<Dtype> asked = asked();
        Hints told = hints.hints();
        LayoutWriting writing = new LayoutWriting(out, layout);
        writing.requireFree(force);
        Path in = Path.of(ModelArgument.place(given, output));
        Path model = RunFolder.own(in).orElse(null);
        List<String> notes = new ArrayList<>();
        ModelCard card;
        Dtype stored;
        if (model != null) {
            card = ModelFiles.card(model);
            if (!fold) {
                card.requireFloats(given, "be written in another layout or type");
            }
            try (TensorFile file = TensorFiles.open(model.resolve(ModelFiles.WEIGHTS));
                    Adaptation adaptation = adaptation(card)) {
                QuantizedFile.fit(
                        Architectures.of(card.network()).parameters(card.network()), file, card.quantization());
                stored = card.quantization() == null
                        ? asked.orElseGet(() -> kept(file, notes))
                        : asked.orElse(Dtype.F16); // of what is not quantised
                if (fold) {
                    loras.requireNone(
                            "--fold takes the weights as they are; merge the adapter first: retort lora merge");
                    card = folded(model, stored);
                } else {
                    notes.addAll(writing.write(adaptation.card(), adaptation.of(file), storage(stored)));
                }
            }
        } else if (fold) {
            throw new RetortException(
                    Kind.USAGE,
                    "--fold takes a model whose card says in which steps it is sampled, and " + given
                            + " has none; leave --fold out");
        } else {
            try (Checkpoint checkpoint = Architectures.open(in, told);
                    Adaptation adaptation = adaptation(checkpoint.card())) {
                checkpoint.notes().forEach(output::say);
                card = checkpoint.card();
                stored = asked.orElseGet(() -> kept(checkpoint.weights(), notes));
                if (stored != Dtype.F32) {
                    notes.addAll(checkpoint.rounded(layout.orElse(OWN), TYPES.get(stored)));
                }
                notes.addAll(writing.write(adaptation.card(), adaptation.of(checkpoint.parameters()), storage(stored)));
            }
        }
        if (output.json()) {
            output.terminal()
                    .json(new Converted(
                            in.toString(),
                            out.toString(),
                            layout.orElse(OWN),
                            card.network().name(),
                            stored.name(),
                            notes));
        } else {
            output.terminal().out().println(out);
            notes.forEach(note -> output.say("Mind: " + note));
            output.next((layout.isEmpty() ? "retort sample " : "retort inspect ") + out);
        }
        return 0;
    }

    /** The layout to write; empty for our own. */
    private Optional<String> layout() {
        boolean file = out.toString().matches("(?i).*\\.(pt|pth|ckpt|bin|safetensors)");
        List<String> files = ids(false);
        List<String> folders = ids(true);
        if (to == null) {
            return file ? files.stream().findFirst() : Optional.empty();
        }
        String asked = to.toLowerCase(Locale.ROOT);
        List<String> all = new ArrayList<>(List.of(OWN));
        all.addAll(files);
        all.addAll(folders);
        if (!all.contains(asked)) {
            throw new RetortException(
                    Kind.USAGE,
                    "--to " + to + " is unknown; choose " + String.join(", ", all.subList(0, all.size() - 1)) + " or "
                            + all.get(all.size() - 1));
        }
        if (file != files.contains(asked)) {
            throw new RetortException(
                    Kind.USAGE,
                    "--to " + to + " writes a " + (file ? "folder" : "file") + ", and " + out + " is "
                            + (file ? "a file's name" : "none; end it in .pt or .safetensors"));
        }
        return asked.equals(OWN) ? Optional.empty() : Optional.of(asked);
    }

    private static List<String> ids(boolean folders) {
        return Architectures.layouts().stream()
                .filter(layout -> layout.isFolder() == folders)
                .map(WeightLayout::id)
                .distinct()
                .toList();
    }

    private Optional<Dtype> asked() {
        if (dtype == null) {
            return Optional.empty();
        }
        for (Map.Entry<Dtype, String> known : TYPES.entrySet()) {
            if (known.getValue().equalsIgnoreCase(dtype)) {
                return Optional.of(known.getKey());
            }
        }
        throw new RetortException(Kind.USAGE, "--dtype " + dtype + " is unknown; choose fp32, bf16 or fp16");
    }

    /** The type that all weights have, where it can be written; else the one that loses least, which is said. */
    private static Dtype kept(TensorFile file, List<String> notes) {
        return ConvertedWeights.single(file).orElseGet(() -> {
            notes.add("the weights are of type "
                    + ConvertedWeights.types(file).stream().map(Enum::name).collect(Collectors.joining(" and "))
                    + "; written in fp32");
            return Dtype.F32;
        });
    }

    private Adaptation adaptation(ModelCard card) {
        Adaptation adaptation = new Adaptation(card, given, loras.adapters(output));
        adaptation.notes().forEach(output::say);
        return adaptation;
    }

    private ModelCard folded(Path model, Dtype stored) {
        ModelCard card =
                Folding.fold(model, out, dev.retort.torch.Dtype.of(stored).orElseThrow());
        output.say(
                String.format(Locale.ROOT, "%.2f MB, where %s has %.2f MB", megabytes(out), given, megabytes(model)));
        return card;
    }

    private static double megabytes(Path model) {
        return model.resolve(ModelFiles.WEIGHTS).toFile().length() / 1e6;
    }

    private Storage storage(Dtype stored) {
        return new Storage(stored, shardMb == null ? Storage.SHARD_BYTES : shardMb * 1_000_000L);
    }
}
