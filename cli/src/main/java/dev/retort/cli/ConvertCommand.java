package dev.retort.cli;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.ModelCard;
import dev.retort.model.ModelFolder;
import dev.retort.model.dit.DitCheckpoint;
import dev.retort.model.dit.DitExport;
import dev.retort.model.dit.DitHints;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.train.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
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

    @Option(names = "--dtype", paramLabel = "TYPE", defaultValue = "fp32", description = "fp32, bf16 or fp16.")
    private String dtype;

    @Option(
            names = "--shard-mb",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Cut diffusers weights above so many MB; by default 10000.")
    private Integer shardMb;

    @Option(names = "--force", description = "Replace a file, or what convert wrote.")
    private boolean force;

    /** What is printed as JSON. */
    record Converted(String in, String out, String layout, String network, String dtype, List<String> notes) {}

    private enum Layout {
        OWN,
        ORIGINAL,
        DIFFUSERS
    }

    @Override
    public Integer call() {
        Layout layout = layout();
        Dtype stored = stored();
        DitHints told = hints.hints();
        requireFree(layout);
        Path in = Path.of(Models.place(given, talk));
        Path model = RunFolder.own(in).orElse(null);
        List<String> notes;
        ModelCard card;
        if (model != null) {
            try (ModelFolder.Loaded loaded = ModelFolder.load(model, Device.CPU)) {
                card = loaded.card();
                notes = write(layout, card, loaded.network(), stored);
            }
        } else {
            try (DitCheckpoint checkpoint = DitCheckpoint.open(in, told);
                    Layer network = checkpoint.load(Device.CPU)) {
                checkpoint.notes().forEach(talk::say);
                card = checkpoint.card();
                notes = write(layout, card, network, stored);
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

    private Dtype stored() {
        return switch (dtype.toLowerCase(Locale.ROOT)) {
            case "fp32" -> Dtype.F32;
            case "bf16" -> Dtype.BF16;
            case "fp16" -> Dtype.F16;
            default ->
                throw new RetortException(Kind.USAGE, "--dtype " + dtype + " is unknown; choose fp32, bf16 or fp16");
        };
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
