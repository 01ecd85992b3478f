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
import dev.retort.io.TensorEntry;
import java.nio.file.Path;
import java.util.ArrayList;
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

    private static final String LAST = "out.2.weight";
    /** What reads the sizes and the pooled text of XL; Stable Diffusion 1.x and 2.x have none. */
    static final String SIZES = "label_emb.0.0.weight";

    private final TensorShapes shapes;

    /**
     * Of a network's tensors alone.
     *
     * @param path what errors name
     * @param entries by their names without {@link OriginalUNet#PREFIX}
     */
    OriginalUNetShapes(Path path, Map<String, TensorEntry> entries) {
        this.shapes = new TensorShapes(path, "a U-Net in the original layout", entries);
    }

    /**
     * The spec, for latents of the usual size ({@link StableDiffusion#side}).
     *
     * @param pooled width of the vector for the whole text that its text encoder makes; of no matter where it is not told one
     * @throws RetortException of kind CHECKPOINT where they are of no such network
     */
    UNetSpec spec(int pooled) {
        long[] first = shapes.of(FIRST, 4);
        long[] last = shapes.of(LAST, 4);
        if (first[1] != last[0]) {
            throw shapes.refused("it takes " + first[1] + " channels and returns " + last[0]
                    + ": a network for in-painting, edits or depth, and only text to image is built here");
        }
        boolean linear =
                any(".proj_in.weight").filter(shape -> shape.length == 2).isPresent();
        return shapes.build(() -> {
            Optional<Text> text = any(".attn2.to_k.weight")
                    .map(shape -> new Text(Text.CLIP_TOKENS, shapes.size(shape[1], "width of the text")));
            Told told = new Told(text, pooled(pooled), 0);
            StableDiffusion generation = StableDiffusion.of(told, linear);
            int side = generation.side();
            Grid grid = new Grid(new ImageShape(shapes.size(first[1], "channels"), side, side), false, 1);
            return new UNetSpec(grid, levels(linear), middle(), told, OriginalUNet.convention(generation));
        });
    }

    private List<Level> levels(boolean linear) {
        List<List<Integer>> down = new ArrayList<>();
        List<Integer> channels = new ArrayList<>();
        down.add(new ArrayList<>());
        for (int block = 1; ; block++) {
            String name = "input_blocks." + block;
            if (shapes.has(name + ".0.op.weight")) {
                down.add(new ArrayList<>());
            } else if (shapes.has(name + ".0.out_layers.3.weight")) {
                List<Integer> level = down.get(down.size() - 1);
                if (level.isEmpty()) {
                    channels.add(shapes.size(shapes.of(name + ".0.out_layers.3.weight", 4)[0], "channels"));
                }
                level.add(layers(name + ".1"));
            } else {
                break;
            }
        }
        if (channels.size() < down.size()) {
            throw shapes.refused("'input_blocks' have a level without residual blocks");
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
            throw shapes.refused("a level has " + channels + " channels, which make no whole number of "
                    + (linear ? "heads of width 64" : "channels for each of 8 heads"));
        }
        return Math.max(1, heads);
    }

    /** Layers of the transformer there; 0 where there is none. */
    private int layers(String transformer) {
        return shapes.count(transformer + ".transformer_blocks.%d.norm1.weight");
    }

    private Optional<Middle> middle() {
        return shapes.has("middle_block.0.out_layers.3.weight")
                ? Optional.of(new Middle(layers("middle_block.1")))
                : Optional.empty();
    }

    private Optional<Pooled> pooled(int width) {
        if (!shapes.has(SIZES)) {
            return Optional.empty();
        }
        long values = shapes.of(SIZES, 2)[1];
        int ids = (int) (values - width) / OriginalUNet.ID_WIDTH;
        if (values != width + ids * OriginalUNet.ID_WIDTH || !OriginalUNet.IDS.contains(ids)) {
            throw shapes.refused("'" + SIZES + "' takes " + values + " values, expected a pooled text of width " + width
                    + " and 5 or 6 numbers of " + OriginalUNet.ID_WIDTH + " each, as in Stable Diffusion XL");
        }
        return Optional.of(new Pooled(width, ids, OriginalUNet.ID_WIDTH));
    }

    private Optional<long[]> any(String end) {
        return shapes.entries().entrySet().stream()
                .filter(entry -> entry.getKey().endsWith(end))
                .map(entry -> entry.getValue().shape())
                .filter(shape -> shape.length >= 2)
                .findFirst();
    }
}
