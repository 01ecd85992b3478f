package dev.retort.layout;

import dev.retort.card.UNetLayers;
import dev.retort.card.UNetSpec;
import dev.retort.card.UNetSpec.Convention;
import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Middle;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.TensorFile;
import dev.retort.layout.WeightLayout.Part;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A U-Net in a file of the original (LDM) layout: the names of its weights there, and which networks the original program has. Heads
 * and groups are not in such a file, so a network can be written where it has as many as every reader takes.
 */
public final class OriginalUNet {
    /** What stands before every name in a file that holds a whole model. */
    public static final String PREFIX = "model.diffusion_model.";

    /** Heads of every level of networks with 1x1 convolutions for projections, Stable Diffusion 1.x. */
    private static final int HEADS = 8;
    /** Width of a head in networks with linear projections, Stable Diffusion 2.x and XL. */
    private static final int HEAD_WIDTH = 64;
    /** Sines and cosines of each size that XL is told. */
    static final int ID_WIDTH = 256;
    /** How many sizes are told by XL's refiner and by XL itself. */
    static final Set<Integer> IDS = Set.of(5, UNetSpec.Pooled.SIZES);

    private OriginalUNet() {}

    /** The key of each parameter, with {@link #PREFIX}, in the order of the network's state; every key holds a whole parameter. */
    public static List<Part> parts(UNetSpec spec) {
        Map<String, long[]> shapes = UNetLayers.of(spec).shapes();
        Map<String, String> names =
                LdmNames.of(shapes.keySet().stream().map(OriginalUNet::layer).collect(Collectors.toSet()));
        List<Part> parts = new ArrayList<>();
        shapes.forEach((parameter, shape) -> {
            String layer = layer(parameter);
            String name = names.get(layer);
            if (name == null) {
                throw new IllegalArgumentException("the original program has no " + layer + "; ask refusal first");
            }
            parts.add(Part.whole(PREFIX + name + parameter.substring(layer.length()), parameter, shape));
        });
        return parts;
    }

    /** The network's parameters as a file of a whole model has them, under its keys; they are read from that file when asked for. */
    public static TensorFile keys(TensorFile parameters, UNetSpec spec) {
        return new RowsView(parameters, parts(spec), parameters);
    }

    private static String layer(String parameter) {
        return parameter.substring(0, parameter.lastIndexOf('.'));
    }

    /** Heads of a level, which its file does not tell; 0 where there is no whole number of them. */
    static int heads(int channels, boolean linearProjections) {
        if (linearProjections) {
            return channels % HEAD_WIDTH == 0 ? channels / HEAD_WIDTH : 0;
        }
        return channels % HEADS == 0 ? HEADS : 0;
    }

    /**
     * What is usual of a generation's networks. The program of Stable Diffusion 2.x computes attention in fp32 unless it is told
     * otherwise, without which its values leave the range of fp16.
     */
    static Convention convention(StableDiffusion generation) {
        Convention usual = Convention.STABLE_DIFFUSION;
        return switch (generation) {
            case SD_1 -> usual;
            case SD_2 -> usual.linear().upcast();
            case SDXL, SDXL_REFINER -> usual.linear();
        };
    }

    /**
     * Refuses a network that a file of this layout cannot hold.
     *
     * @throws RetortException of kind CHECKPOINT, naming what the network has
     */
    public static void require(UNetSpec spec) {
        refusal(spec).ifPresent(what -> {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "the original program has no U-Net like " + spec.name() + ", which has " + what
                            + "; write a folder of the diffusers library instead");
        });
    }

    /**
     * What a network has that the original program's networks have not, or that its file would be taken otherwise for; empty where it
     * can be written.
     */
    public static Optional<String> refusal(UNetSpec spec) {
        if (spec.told().text().isEmpty()) {
            return Optional.of("no text to be told");
        }
        if (spec.told().guidanceWidth() > 0) {
            return Optional.of("the scale of guidance to be told");
        }
        if (spec.grid().outChannels() != spec.channels()) {
            return Optional.of(spec.grid().outChannels() + " channels out for " + spec.channels() + " in");
        }
        if (spec.middle().map(Middle::layers).orElse(0) == 0) {
            return Optional.of("a middle without transformer");
        }
        boolean told = spec.told()
                .pooled()
                .filter(pooled -> pooled.idWidth() != ID_WIDTH || !IDS.contains(pooled.ids()))
                .isPresent();
        if (told) {
            return Optional.of(
                    spec.told().pooled().get() + " added to the time, where it has 5 or 6 ids of idWidth 256");
        }
        // upcasting changes what is rounded, not what is meant
        Convention convention = spec.convention().upcast();
        Convention usual = convention(StableDiffusion.of(spec)).upcast();
        if (convention.normGroups() != usual.normGroups()) {
            return Optional.of("norms of " + convention.normGroups() + " groups, where it has " + usual.normGroups());
        }
        if (!convention.equals(usual)) {
            return Optional.of("the convention " + convention + ", where it has " + usual);
        }
        return levels(spec);
    }

    private static Optional<String> levels(UNetSpec spec) {
        int first = spec.levels().get(0).channels();
        boolean linear = spec.convention().linearProjections();
        for (int i = 0; i < spec.levels().size(); i++) {
            Level level = spec.levels().get(i);
            Set<Integer> layers = new HashSet<>(level.down());
            layers.addAll(level.up());
            String at = "level " + i + " with ";
            if (layers.size() > 1) {
                return Optional.of(at + level.down() + " transformer layers on the way down and " + level.up()
                        + " on the way up, where all of a level have as many");
            }
            if (level.channels() % first != 0) {
                return Optional.of(
                        at + level.channels() + " channels, where it has multiples of the first level's " + first);
            }
            boolean attends = !layers.contains(0) || i == spec.levels().size() - 1;
            if (attends && level.heads() != heads(level.channels(), linear)) {
                return Optional.of(at + level.heads() + " heads for " + level.channels() + " channels, where it has "
                        + (linear ? "heads of width " + HEAD_WIDTH : HEADS + " heads"));
            }
        }
        return Optional.empty();
    }
}
