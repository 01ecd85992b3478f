package dev.retort.layout;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the original latent diffusion program calls the layers of a U-Net, by the names of the diffusers library: its blocks are
 * numbered through, a resnet with its attention being one, so numbers follow from how many there are.
 */
final class LdmNames {
    private static final Pattern LAYER =
            Pattern.compile("(down|up)_blocks\\.(\\d+)\\.(resnets|attentions|downsamplers|upsamplers)\\.(\\d+)\\.(.+)");
    private static final Pattern MIDDLE = Pattern.compile("mid_block\\.(resnets|attentions)\\.(\\d+)\\.(.+)");

    private static final Map<String, String> OUTER = Map.of(
            "time_embedding.linear_1", "time_embed.0",
            "time_embedding.linear_2", "time_embed.2",
            "add_embedding.linear_1", "label_emb.0.0",
            "add_embedding.linear_2", "label_emb.0.2",
            "conv_in", "input_blocks.0.0",
            "conv_norm_out", "out.0",
            "conv_out", "out.2");

    private static final Map<String, String> RESNET = Map.of(
            "norm1", "in_layers.0",
            "conv1", "in_layers.2",
            "time_emb_proj", "emb_layers.1",
            "norm2", "out_layers.0",
            "conv2", "out_layers.3",
            "conv_shortcut", "skip_connection");

    private LdmNames() {}

    /** The original's name of each of a U-Net's layers, by its own; layers of another network have none. */
    static Map<String, String> of(Collection<String> layers) {
        Map<String, TreeMap<Integer, TreeSet<Integer>>> resnets = new LinkedHashMap<>();
        Map<String, TreeSet<Integer>> attended = new LinkedHashMap<>();
        resnets.put("down", new TreeMap<>());
        resnets.put("up", new TreeMap<>());
        for (String layer : layers) {
            Matcher match = LAYER.matcher(layer);
            if (match.matches()) {
                int block = Integer.parseInt(match.group(2));
                if (match.group(3).equals("resnets")) {
                    resnets.get(match.group(1))
                            .computeIfAbsent(block, absent -> new TreeSet<>())
                            .add(Integer.parseInt(match.group(4)));
                } else if (match.group(3).equals("attentions")) {
                    attended.computeIfAbsent(match.group(1), absent -> new TreeSet<>())
                            .add(block);
                }
            }
        }
        Map<String, String> names = new LinkedHashMap<>();
        for (String layer : layers) {
            String name = name(layer, resnets, attended);
            if (name != null) {
                names.put(layer, name);
            }
        }
        return names;
    }

    private static String name(
            String layer,
            Map<String, TreeMap<Integer, TreeSet<Integer>>> resnets,
            Map<String, TreeSet<Integer>> attended) {
        Matcher middle = MIDDLE.matcher(layer);
        if (middle.matches()) {
            boolean resnet = middle.group(1).equals("resnets");
            int place = 2 * Integer.parseInt(middle.group(2)) + (resnet ? 0 : 1);
            return "middle_block." + place + "." + inner(resnet, middle.group(3));
        }
        Matcher match = LAYER.matcher(layer);
        if (!match.matches()) {
            return OUTER.get(layer);
        }
        String side = match.group(1);
        int block = Integer.parseInt(match.group(2));
        int at = Integer.parseInt(match.group(4));
        boolean down = side.equals("down");
        // a downsampler is a block of its own; the convolution that reads the input is the first
        int first = down ? 1 : 0;
        for (TreeSet<Integer> before : resnets.get(side).headMap(block).values()) {
            first += before.size() + (down ? 1 : 0);
        }
        int count = resnets.get(side).getOrDefault(block, new TreeSet<>()).size();
        String start = down ? "input_blocks." : "output_blocks.";
        return switch (match.group(3)) {
            case "resnets" -> start + (first + at) + ".0." + inner(true, match.group(5));
            case "attentions" -> start + (first + at) + ".1." + match.group(5);
            case "downsamplers" -> start + (first + count) + ".0.op";
            default ->
                start
                        + (first + count - 1)
                        + (attended.getOrDefault(side, new TreeSet<>()).contains(block) ? ".2.conv" : ".1.conv");
        };
    }

    private static String inner(boolean resnet, String layer) {
        return resnet ? RESNET.getOrDefault(layer, layer) : layer;
    }
}
