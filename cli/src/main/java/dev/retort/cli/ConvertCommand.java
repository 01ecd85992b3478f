package dev.retort.cli;

import dev.retort.card.ModelCard;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.model.ModelFolder;
import dev.retort.model.Weights;
import dev.retort.model.dit.DitCheckpoint;
import dev.retort.model.dit.DitExport;
import dev.retort.model.dit.DitFamily;
import dev.retort.model.dit.DitHints;
import dev.retort.model.dit.DitLayout;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.train.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
            "Rewrite a diffusion transformer in another program's layout.",
            "",
            "Examples:",
            "  retort convert DiT-XL-2-256x256.pt dit-xl       the original's file to a model of ours",
            "  retort convert dit-xl dit.pt                    back: the same keys, shapes and types",
            "  retort convert dit-xl pipeline --to diffusers   a folder of the diffusers library",
            "  retort convert pipeline dit --dtype bf16        half the size",
            "  retort convert sit.pt sit --family sit          where the weights do not tell",
            "",
            "Of a training file the average of the weights (EMA) is taken where it has one, and that is said.",
            ""
        })
final class ConvertCommand implements Callable<Integer> {
    @Mixin
    private Talk talk;

    @Mixin
    private HintOptions hints;

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

    @Option(names = "--force", description = "Replace a file, or a folder that holds nothing but what Retort wrote.")
    private boolean force;

    /** What is printed as JSON. */
    record Converted(String in, String out, String layout, String network, String dtype, List<String> notes) {}

    /** What can be written, by the names that users know. */
    private static final Map<Dtype, String> TYPES =
            new EnumMap<>(Map.of(Dtype.F32, "fp32", Dtype.BF16, "bf16", Dtype.F16, "fp16"));

    private enum Layout {
        OWN,
        ORIGINAL,
        DIFFUSERS
    }

    @Override
    public Integer call() {
        Layout layout = layout();
        Optional<Dtype> asked = asked();
        DitHints told = hints.hints();
        requireFree(layout);
        Path in = Path.of(Models.place(given, talk));
        Path model = RunFolder.own(in).orElse(null);
        List<String> notes = new ArrayList<>();
        ModelCard card;
        Dtype stored;
        if (model != null) {
            try (TensorFile file = TensorFiles.open(model.resolve(ModelFolder.WEIGHTS))) {
                stored = asked.orElseGet(() -> kept(file, notes));
            }
            try (ModelFolder.Loaded loaded = ModelFolder.load(model, Device.CPU)) {
                card = loaded.card();
                notes.addAll(write(layout, card, loaded.network(), stored));
            }
        } else {
            try (DitCheckpoint checkpoint = DitCheckpoint.open(in, told)) {
                checkpoint.notes().forEach(talk::say);
                card = checkpoint.card();
                stored = asked.orElseGet(() -> kept(checkpoint.weights(), notes));
                if (stored != Dtype.F32) {
                    notes.addAll(rounded(checkpoint, layout, stored));
                }
                try (Layer network = checkpoint.load(Device.CPU)) {
                    notes.addAll(write(layout, card, network, stored));
                }
            }
        }
        if (talk.json()) {
            talk.terminal()
                    .json(new Converted(
                            in.toString(),
                            out.toString(),
                            layout.name().toLowerCase(Locale.ROOT),
                            card.network().name(),
                            stored.name(),
                            notes));
        } else {
            talk.terminal().out().println(out);
            notes.forEach(note -> talk.say("Mind: " + note));
            talk.next(layout == Layout.OWN ? "retort sample " + out : "retort inspect " + out);
        }
        return 0;
    }

    /** Before anything is read: a large model takes minutes. */
    private void requireFree(Layout layout) {
        if (!Files.exists(out)) {
            return;
        }
        if (!force) {
            throw new RetortException(Kind.USAGE, out + " exists; give another name, or --force to replace it");
        }
        switch (layout) {
            case OWN -> ModelFolder.requireReplaceable(out);
            case DIFFUSERS -> DitExport.requireReplaceable(out);
            case ORIGINAL -> {
                if (Files.isDirectory(out)) {
                    throw new RetortException(
                            Kind.USAGE, out + " is a folder, and a file is written; give another name");
                }
            }
        }
    }

    private Layout layout() {
        boolean file = out.toString().matches("(?i).*\\.(pt|pth|ckpt|bin|safetensors)");
        if (to == null) {
            return file ? Layout.ORIGINAL : Layout.OWN;
        }
        for (Layout layout : Layout.values()) {
            if (layout.name().equalsIgnoreCase(to)) {
                if (file != (layout == Layout.ORIGINAL)) {
                    throw new RetortException(
                            Kind.USAGE,
                            "--to " + to + " writes a " + (file ? "folder" : "file") + ", and " + out + " is "
                                    + (file ? "a file's name" : "none; end it in .pt or .safetensors"));
                }
                return layout;
            }
        }
        throw new RetortException(Kind.USAGE, "--to " + to + " is unknown; choose own, original or diffusers");
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
        Set<dev.retort.io.Dtype> types = Weights.types(file);
        if (types.size() == 1) {
            String only = types.iterator().next().name();
            for (Dtype known : TYPES.keySet()) {
                if (known.name().equals(only)) {
                    return known;
                }
            }
        }
        notes.add("the weights are of type " + types.stream().map(Enum::name).collect(Collectors.joining(" and "))
                + "; written in fp32");
        return Dtype.F32;
    }

    /** What is computed in fp32 where the file is read as it is, and so is written less exactly. */
    private static List<String> rounded(DitCheckpoint checkpoint, Layout layout, Dtype stored) {
        List<String> notes = new ArrayList<>();
        if (checkpoint.layout() == DitLayout.DIFFUSERS && layout != Layout.DIFFUSERS) {
            notes.add("the table of positions, which the library computes in fp32, is written in " + TYPES.get(stored));
        }
        if (checkpoint.family() == DitFamily.SIT) {
            notes.add("the embedding of time is rewritten in fp32 and rounded to " + TYPES.get(stored));
        }
        return notes;
    }

    private List<String> write(Layout layout, ModelCard card, Layer network, Dtype stored) {
        switch (layout) {
            case OWN -> ModelFolder.save(out, network.state(), card, stored);
            case ORIGINAL -> DitExport.original(out, card.network(), network.state(), stored);
            default -> {
                long most = shardMb == null ? DitExport.SHARD_BYTES : shardMb * 1_000_000L;
                return DitExport.diffusers(out, card, network.state(), stored, most);
            }
        }
        return List.of();
    }
}
