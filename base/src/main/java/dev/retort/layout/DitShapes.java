package dev.retort.layout;

import dev.retort.card.DitSizes;
import dev.retort.card.DitSpec;
import dev.retort.io.TensorFile;
import java.util.Map;
import java.util.regex.Pattern;

/** Reads a network's spec off the shapes of its weights, in the original's names. */
final class DitShapes {
    private static final Pattern BLOCK = Pattern.compile("blocks\\.\\d{1,4}\\.attn\\.qkv\\.weight");

    /** Of the autoencoder that the original's scripts train behind, and by how much it makes pictures smaller. */
    private static final int LATENT_CHANNELS = 4;

    private static final int PIXELS_PER_LATENT = 8;

    private final TensorShapes shapes;
    private final Map<String, String> metadata;

    private DitShapes(TensorFile file) {
        this.shapes = new TensorShapes(file.path(), "a DiT", file.entries());
        this.metadata = file.metadata();
    }

    static DitSpec spec(TensorFile file, Hints hints) {
        return new DitShapes(file).spec(hints);
    }

    private DitSpec spec(Hints hints) {
        long[] kernel = shapes.of("x_embedder.proj.weight", 4);
        long[] labels = shapes.of("y_embedder.embedding_table.weight", 2);
        if (shapes.has("blocks.0.mlp.w12.weight")) {
            throw shapes.refused(
                    "its blocks are of the newer kind (SwiGLU), which only a folder with a model.json describes");
        }
        int hidden = shapes.size(kernel[0], "hidden");
        int channels = shapes.size(kernel[1], "channels");
        int patch = shapes.size(kernel[2], "patch");
        int depth = (int) shapes.entries().keySet().stream()
                .filter(BLOCK.asMatchPredicate())
                .count();
        if (depth == 0) {
            throw shapes.refused("it has no blocks, such as blocks.0.attn.qkv.weight");
        }
        int side = side(hints, channels, patch);
        double ratio = shapes.of("blocks.0.mlp.fc1.weight", 2)[0] / (double) hidden;
        long outputs = shapes.of("final_layer.linear.weight", 2)[0] / ((long) patch * patch);
        if (outputs != channels && outputs != 2L * channels) {
            throw shapes.refused("it has " + outputs + " output channels for " + channels + " of the input");
        }
        int rows = shapes.size(labels[0], "label rows");
        int classes = classes(hints, rows);
        return shapes.build(() -> new DitSpec(
                side,
                side,
                channels,
                patch,
                hidden,
                depth,
                heads(hints, depth, hidden),
                ratio,
                classes,
                classes == rows ? 0 : 0.1,
                outputs == 2L * channels,
                false));
    }

    /** Height and width: of the position table's tokens, else as given, else of the pictures that its options tell. */
    private int side(Hints hints, int channels, int patch) {
        if (shapes.has("pos_embed")) {
            int tokens = shapes.size(shapes.of("pos_embed", 3)[1], "tokens");
            int rows = (int) Math.round(Math.sqrt(tokens));
            if (rows * rows != tokens) {
                throw shapes.refused("its position table has " + tokens + " tokens, expected a square");
            }
            if (hints.side() > 0 && hints.side() != rows * patch) {
                throw shapes.refused("its position table is for " + rows * patch + "x" + rows * patch
                        + ", not for the size of " + hints.side() + " that was given");
            }
            return rows * patch;
        }
        if (hints.side() > 0) {
            return hints.side();
        }
        String pictures = metadata.getOrDefault("args.image_size", metadata.getOrDefault("args.resolution", ""));
        if (channels == LATENT_CHANNELS && pictures.matches("\\d{1,5}")) {
            return Integer.parseInt(pictures) / PIXELS_PER_LATENT;
        }
        throw shapes.refused(
                        "it has no 'pos_embed', which can be computed but would tell the size of what the network works on;"
                                + " give that size, 32 for the latents of 256-pixel pictures")
                .about("hints.side");
    }

    private int heads(Hints hints, int depth, int hidden) {
        if (hints.heads() > 0) {
            return hints.heads();
        }
        return DitSizes.headsOf(depth, hidden)
                .orElseThrow(() -> shapes.refused("weights do not show the number of attention heads and " + depth
                                + " blocks of width " + hidden + " are not a published size; give the number of heads")
                        .about("hints.heads"));
    }

    private int classes(Hints hints, int rows) {
        String recorded = metadata.getOrDefault("args.num_classes", "");
        int classes = hints.classes() > 0
                ? hints.classes()
                : recorded.matches("\\d{1,9}") ? Integer.parseInt(recorded) : Math.max(1, rows - 1);
        if (classes != rows && classes != rows - 1) {
            throw shapes.refused("its label table has " + rows + " rows, which does not fit " + classes
                    + " classes with or without a null class");
        }
        return classes;
    }
}
