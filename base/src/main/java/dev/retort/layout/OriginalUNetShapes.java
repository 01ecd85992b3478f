package dev.retort.layout;

import dev.retort.card.ImageShape;
import dev.retort.card.UNetSpec;
import dev.retort.card.UNetSpec.Grid;
import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Middle;
import dev.retort.card.UNetSpec.Pooled;
import dev.retort.card.UNetSpec.Text;
import dev.retort.card.UNetSpec.Told;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.TensorEntry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads a U-Net's spec off the names and shapes of its weights in the original (LDM) layout: its blocks are counted through, so levels
 * follow from where the downsamplers stand. Blocks may be uneven, as in files that other programs make of cut networks.
 */
final class OriginalUNetShapes {
    /** The convolution that reads the input; only a U-Net of this layout has a tensor of that name. */
    static final String FIRST = "input_blocks.0.0.weight";

    private static final int MOST = 1 << 24;
    private static final String LAST = "out.2.weight";
    private static final String SIZES = "label_emb.0.0.weight";

    private final Path path;
    private final Map<String, TensorEntry> entries;

    /**
     * Of a network's tensors alone.
     *
     * @param path what errors name
     * @param entries by their names without {@link OriginalUNet#PREFIX}
     */
    OriginalUNetShapes(Path path, Map<String, TensorEntry> entries) {
        this.path = path;
        this.entries = entries;
    }

    /**
     * The spec, for latents of the usual size ({@link StableDiffusion#side}).
     *
     * @param pooled width of the vector for the whole text that its text encoder makes
     * @throws RetortException of kind CHECKPOINT where they are of no such network
     */
    UNetSpec spec(int pooled) {
        long[] first = shape(FIRST);
        long[] last = shape(LAST);
        if (first.length != 4 || last.length != 4) {
            throw refused("'" + FIRST + "' has shape " + Arrays.toString(first) + " and '" + LAST + "' "
                    + Arrays.toString(last) + ", expected convolutions");
        }
        if (first[1] != last[0]) {
            throw refused("it takes " + first[1] + " channels and returns " + last[0]
                    + ": a network for in-painting, edits or depth, and only text to image is built here");
        }
        Optional<long[]> projection = any(".proj_in.weight");
        boolean linear = projection.filter(shape -> shape.length == 2).isPresent();
        Optional<Text> text = any(".attn2.to_k.weight").map(shape -> new Text(Text.CLIP_TOKENS, size(shape[1])));
        Told told = new Told(text, pooled(pooled), 0);
        try {
            StableDiffusion generation = StableDiffusion.of(told, linear);
            int side = generation.side();
            Grid grid = new Grid(new ImageShape(size(first[1]), side, side), false, 1);
            return new UNetSpec(grid, levels(linear), middle(), told, OriginalUNet.convention(generation));
        } catch (RetortException e) {
            throw e.kind() == Kind.CHECKPOINT ? e : refused("its shapes do not make a network: " + e.getMessage());
        }
    }

    private List<Level> levels(boolean linear) {
        List<List<Integer>> down = new ArrayList<>();
        List<Integer> channels = new ArrayList<>();
        down.add(new ArrayList<>());
        for (int block = 1; ; block++) {
            String name = "input_blocks." + block;
            if (entries.containsKey(name + ".0.op.weight")) {
                down.add(new ArrayList<>());
            } else if (entries.containsKey(name + ".0.out_layers.3.weight")) {
                List<Integer> level = down.get(down.size() - 1);
                if (level.isEmpty()) {
                    channels.add(size(shape(name + ".0.out_layers.3.weight")[0]));
                }
                level.add(layers(name + ".1"));
            } else {
                break;
            }
        }
        if (channels.size() < down.size()) {
            throw refused("'input_blocks' have a level without residual blocks");
        }
        List<Level> levels = new ArrayList<>();
        int block = 0;
        for (int i = down.size() - 1; i >= 0; i--) {
            List<Integer> up = new ArrayList<>();
            for (int j = 0; j <= down.get(i).size(); j++) {
                up.add(layers("output_blocks." + block++ + ".1"));
            }
            boolean attends = i == down.size() - 1 || down.get(i).get(0) + up.get(0) > 0;
            levels.add(0, new Level(channels.get(i), heads(channels.get(i), linear, attends), down.get(i), up));
        }
        return levels;
    }

    private int heads(int channels, boolean linear, boolean attends) {
        int heads = OriginalUNet.heads(channels, linear);
        if (heads == 0 && attends) {
            throw refused("a level has " + channels + " channels, which make no whole number of "
                    + (linear ? "heads of width 64" : "channels for each of 8 heads"));
        }
        return Math.max(1, heads);
    }

    /** Layers of the transformer there; 0 where there is none. */
    private int layers(String transformer) {
        int layers = 0;
        while (entries.containsKey(transformer + ".transformer_blocks." + layers + ".norm1.weight")) {
            layers++;
        }
        return layers;
    }

    private Optional<Middle> middle() {
        return entries.containsKey("middle_block.0.out_layers.3.weight")
                ? Optional.of(new Middle(layers("middle_block.1")))
                : Optional.empty();
    }

    private Optional<Pooled> pooled(int width) {
        if (!entries.containsKey(SIZES)) {
            return Optional.empty();
        }
        long values = shape(SIZES)[1];
        int ids = (int) (values - width) / OriginalUNet.ID_WIDTH;
        if (values != width + ids * OriginalUNet.ID_WIDTH || !OriginalUNet.IDS.contains(ids)) {
            throw refused("'" + SIZES + "' takes " + values + " values, expected a pooled text of width " + width
                    + " and 5 or 6 numbers of " + OriginalUNet.ID_WIDTH + " each, as in Stable Diffusion XL");
        }
        return Optional.of(new Pooled(width, ids, OriginalUNet.ID_WIDTH));
    }

    private Optional<long[]> any(String end) {
        return entries.entrySet().stream()
                .filter(entry -> entry.getKey().endsWith(end))
                .map(entry -> entry.getValue().shape())
                .filter(shape -> shape.length >= 2)
                .findFirst();
    }

    private int size(long value) {
        if (value < 1 || value > MOST) {
            throw refused("a tensor has a side of " + value);
        }
        return (int) value;
    }

    private long[] shape(String name) {
        TensorEntry entry = entries.get(name);
        if (entry == null || entry.shape().length < 2) {
            throw refused(
                    entry == null
                            ? "it has no '" + name + "'"
                            : "'" + name + "' has shape " + Arrays.toString(entry.shape()) + ", expected a product's");
        }
        return entry.shape();
    }

    private RetortException refused(String why) {
        return new RetortException(Kind.CHECKPOINT, path + " cannot be read as a U-Net in the original layout: " + why);
    }
}
