package dev.retort.model.dit;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.regex.Pattern;

/** Reads a network's spec off the shapes of its weights, in the original's names. */
final class DitShapes {
    private static final Pattern BLOCK = Pattern.compile("blocks\\.\\d{1,4}\\.attn\\.qkv\\.weight");

    private final Path path;
    private final Map<String, TensorEntry> entries;
    private final Map<String, String> metadata;

    private DitShapes(TensorFile file) {
        this.path = file.path();
        this.entries = file.entries();
        this.metadata = file.metadata();
    }

    static DitSpec spec(TensorFile file, DitHints hints) {
        return new DitShapes(file).spec(hints);
    }

    private DitSpec spec(DitHints hints) {
        long[] kernel = shape("x_embedder.proj.weight", 4);
        long[] positions = shape("pos_embed", 3);
        long[] labels = shape("y_embedder.embedding_table.weight", 2);
        if (entries.containsKey("blocks.0.mlp.w12.weight")) {
            throw refused("its blocks are of the newer kind (SwiGLU), which only a folder with a model.json describes");
        }
        int hidden = size(kernel[0], "hidden");
        int channels = size(kernel[1], "channels");
        int patch = size(kernel[2], "patch");
        int depth =
                (int) entries.keySet().stream().filter(BLOCK.asMatchPredicate()).count();
        int tokens = size(positions[1], "tokens");
        int side = (int) Math.round(Math.sqrt(tokens));
        if (depth == 0 || side * side != tokens) {
            throw refused("it has " + depth + " blocks and " + tokens + " tokens, expected some and a square");
        }
        double ratio = shape("blocks.0.mlp.fc1.weight", 2)[0] / (double) hidden;
        long outputs = shape("final_layer.linear.weight", 2)[0] / ((long) patch * patch);
        if (outputs != channels && outputs != 2L * channels) {
            throw refused("it has " + outputs + " output channels for " + channels + " of the input");
        }
        int rows = size(labels[0], "label rows");
        int classes = classes(hints, rows);
        try {
            return new DitSpec(
                    side * patch,
                    side * patch,
                    channels,
                    patch,
                    hidden,
                    depth,
                    heads(hints, depth, hidden),
                    ratio,
                    classes,
                    classes == rows ? 0 : 0.1,
                    outputs == 2L * channels,
                    false);
        } catch (IllegalArgumentException e) {
            throw refused("its shapes do not make a network: " + e.getMessage());
        }
    }

    private int heads(DitHints hints, int depth, int hidden) {
        if (hints.heads() > 0) {
            return hints.heads();
        }
        return DitSizes.headsOf(depth, hidden)
                .orElseThrow(() ->
                        refused("weights do not show the number of attention heads and " + depth + " blocks of width "
                                + hidden + " are no published size; give it with --heads to 'retort convert'"));
    }

    private int classes(DitHints hints, int rows) {
        String told = metadata.getOrDefault("args.num_classes", "");
        int classes = hints.classes() > 0
                ? hints.classes()
                : told.matches("\\d{1,9}") ? Integer.parseInt(told) : Math.max(1, rows - 1);
        if (classes != rows && classes != rows - 1) {
            throw refused("its label table has " + rows + " rows, which does not fit " + classes
                    + " classes with or without a null class");
        }
        return classes;
    }

    private long[] shape(String name, int dimensions) {
        TensorEntry entry = entries.get(name);
        if (entry == null || entry.shape().length != dimensions) {
            throw refused(
                    entry == null
                            ? "it has no '" + name + "'"
                            : "'" + name + "' has shape " + Arrays.toString(entry.shape()) + ", expected " + dimensions
                                    + " dimensions");
        }
        return entry.shape();
    }

    private int size(long value, String what) {
        if (value < 1 || value > 1 << 24) {
            throw refused(what + " is " + value);
        }
        return (int) value;
    }

    private RetortException refused(String why) {
        return new RetortException(Kind.CHECKPOINT, path + " cannot be read as a DiT: " + why);
    }
}
