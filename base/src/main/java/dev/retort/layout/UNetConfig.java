package dev.retort.layout;

import dev.retort.card.ImageShape;
import dev.retort.card.UNetSpec;
import dev.retort.card.UNetSpec.Convention;
import dev.retort.card.UNetSpec.Grid;
import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Middle;
import dev.retort.card.UNetSpec.Pooled;
import dev.retort.card.UNetSpec.Text;
import dev.retort.card.UNetSpec.Told;
import dev.retort.error.RetortException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * The {@code config.json} of diffusers' {@code UNet2DConditionModel}, read: what it leaves out has the library's defaults, and
 * a setting that would change what is computed in a way not built here is refused by name.
 */
final class UNetConfig {
    static final String CLASS = "UNet2DConditionModel";

    static final String DOWN = "DownBlock2D";
    static final String CROSS_DOWN = "CrossAttnDownBlock2D";
    static final String UP = "UpBlock2D";
    static final String CROSS_UP = "CrossAttnUpBlock2D";
    static final String MIDDLE = "UNetMidBlock2D";
    static final String CROSS_MIDDLE = "UNetMidBlock2DCrossAttn";

    /** What each of these must be, if it is there; null for nothing at all. */
    private static final Map<String, Object> FIXED = fixed();

    /** The library's own default where a file has no size, and in the pipelines of before 0.9 whatever smaller one it has. */
    private static final int SIDE = 64;

    private final LibraryConfig config;
    private final int count;

    private UNetConfig(LibraryConfig config) {
        this.config = config;
        this.count = widths().size();
    }

    private static Map<String, Object> fixed() {
        Map<String, Object> fixed = new TreeMap<>();
        fixed.put("attention_type", "default");
        fixed.put("center_input_sample", false);
        fixed.put("class_embed_type", null);
        fixed.put("class_embeddings_concat", false);
        fixed.put("conv_in_kernel", 3);
        fixed.put("conv_out_kernel", 3);
        fixed.put("cross_attention_norm", null);
        fixed.put("downsample_padding", 1);
        fixed.put("dropout", 0.0);
        fixed.put("dual_cross_attention", false);
        fixed.put("encoder_hid_dim", null);
        fixed.put("encoder_hid_dim_type", null);
        fixed.put("mid_block_only_cross_attention", false);
        fixed.put("mid_block_scale_factor", 1.0);
        fixed.put("num_attention_heads", null);
        fixed.put("num_class_embeds", null);
        fixed.put("only_cross_attention", false);
        fixed.put("resnet_out_scale_factor", 1.0);
        fixed.put("resnet_skip_time_act", false);
        fixed.put("resnet_time_scale_shift", "default");
        fixed.put("time_embedding_act_fn", null);
        fixed.put("time_embedding_dim", null);
        fixed.put("time_embedding_type", "positional");
        fixed.put("timestep_post_act", null);
        return fixed;
    }

    /**
     * The shape that a file describes.
     *
     * @param tokens of a text; no weight depends on it
     * @param pooled width of the pooled text, where it is known: sizes may be five or six numbers
     * @param version of the library that wrote the pipeline around it; empty where there is none
     */
    static UNetSpec read(LibraryConfig config, int tokens, OptionalInt pooled, String version) {
        String kind = config.text(DiffusersFolder.CLASS, "");
        if (!kind.equals(CLASS)) {
            throw config.refused(DiffusersFolder.CLASS, kind, CLASS);
        }
        FIXED.forEach((field, value) -> requireFixed(config, field, value));
        if (!List.of("silu", "swish").contains(config.text("act_fn", "silu"))) {
            throw config.refused("act_fn", "silu");
        }
        try {
            return new UNetConfig(config).spec(tokens, pooled, version);
        } catch (IllegalArgumentException e) {
            throw config.refused(e);
        } catch (RetortException e) {
            throw e.kind() == RetortException.Kind.CONFIG ? config.refused(e) : e; // of a field of the spec
        }
    }

    private static void requireFixed(LibraryConfig config, String field, Object value) {
        boolean fits = value instanceof String text
                ? config.text(field, text).equals(text)
                : value instanceof Number number
                        ? config.number(field, number.doubleValue()) == number.doubleValue()
                        : config.off(field);
        if (!fits) {
            throw config.refused(field, (value == null ? "null" : value) + ": nothing else is built here");
        }
    }

    private List<Integer> widths() {
        return config.has("block_out_channels") ? config.wholes("block_out_channels") : List.of(320, 640, 1280, 1280);
    }

    private UNetSpec spec(int tokens, OptionalInt pooled, String version) {
        int channels = config.whole("in_channels", 4);
        int outputs = config.whole("out_channels", 4);
        if (outputs != channels && outputs != 2 * channels) {
            throw config.refused(
                    "out_channels",
                    outputs,
                    channels + " or " + 2 * channels + ", as in_channels is " + channels
                            + (channels > outputs
                                    ? ": networks that are given a picture or a mask beside it are not built here"
                                    : ""));
        }
        List<Level> levels = levels();
        boolean attends = levels.stream()
                .anyMatch(level -> level.down().get(0) + level.up().get(0) > 0);
        Optional<Middle> middle = middle();
        if (!attends && middle.map(Middle::layers).orElse(0) == 0) {
            throw config.refused(
                    "down_block_types",
                    "at least one of " + CROSS_DOWN + ": a network that reads no text has no pipeline here");
        }
        Told told = new Told(
                Optional.of(new Text(tokens, textWidth())), pooled(pooled), config.whole("time_cond_proj_dim", 0));
        Convention convention = new Convention(
                config.whole("norm_num_groups", 32),
                config.number("norm_eps", 1e-5),
                config.flag("use_linear_projection", false),
                config.flag("upcast_attention", false),
                config.flag("flip_sin_to_cos", true),
                config.whole("freq_shift", 0));
        return new UNetSpec(
                new Grid(image(channels, version), outputs == 2 * channels, 1), levels, middle, told, convention);
    }

    private ImageShape image(int channels, String version) {
        List<Integer> sides = config.isList("sample_size")
                ? config.wholes("sample_size")
                : Collections.nCopies(2, config.whole("sample_size", SIDE));
        if (sides.size() != 2) {
            throw config.refused("sample_size", "one number, or height and width");
        }
        // as the library's pipelines correct files of before 0.9, which said 32 and meant 64
        boolean old = version.matches("0\\.[0-8]\\..*") && Collections.max(sides) < SIDE;
        return old ? new ImageShape(channels, SIDE, SIDE) : new ImageShape(channels, sides.get(0), sides.get(1));
    }

    private int textWidth() {
        List<Integer> widths = perLevel("cross_attention_dim", 1280);
        if (widths.stream().distinct().count() != 1) {
            throw config.refused("cross_attention_dim", "one width for all levels");
        }
        return widths.get(0);
    }

    private Optional<Pooled> pooled(OptionalInt known) {
        if (config.off("addition_embed_type")) {
            return Optional.empty();
        }
        config.require("addition_embed_type", config.text("addition_embed_type", ""), "text_time");
        int values = config.whole("projection_class_embeddings_input_dim", 0);
        int idWidth = config.whole("addition_time_embed_dim", 0);
        if (values < 1 || idWidth < 1) {
            throw config.refused(
                    values < 1 ? "projection_class_embeddings_input_dim" : "addition_time_embed_dim",
                    "a whole number above 0, as addition_embed_type is text_time");
        }
        int width = known.orElse(values - Pooled.SIZES * idWidth);
        if (width < 1 || values < width || (values - width) % idWidth != 0) {
            throw config.refused(
                    "projection_class_embeddings_input_dim",
                    values,
                    "the width of the pooled text" + (known.isPresent() ? " " + width : "")
                            + " and some numbers of addition_time_embed_dim " + idWidth);
        }
        return Optional.of(new Pooled(width, (values - width) / idWidth, idWidth));
    }

    private List<Level> levels() {
        List<String> downs = types("down_block_types", List.of(DOWN, CROSS_DOWN), CROSS_DOWN, DOWN);
        List<String> ups = types("up_block_types", List.of(UP, CROSS_UP), UP, CROSS_UP);
        List<Integer> blocks = perLevel("layers_per_block", 2);
        List<Integer> heads = perLevel("attention_head_dim", 8);
        List<List<Integer>> layers = layers("transformer_layers_per_block");
        List<List<Integer>> back = new ArrayList<>(
                config.has("reverse_transformer_layers_per_block")
                        ? layers("reverse_transformer_layers_per_block")
                        : reversed(layers));
        List<Level> levels = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            boolean down = downs.get(i).equals(CROSS_DOWN);
            boolean up = ups.get(count - 1 - i).equals(CROSS_UP);
            levels.add(new Level(
                    widths().get(i),
                    heads.get(i),
                    each(down ? layers.get(i) : List.of(0), blocks.get(i), "transformer_layers_per_block"),
                    each(
                            up ? back.get(count - 1 - i) : List.of(0),
                            blocks.get(i) + 1,
                            "reverse_transformer_layers_per_block")));
        }
        return levels;
    }

    private static <T> List<T> reversed(List<T> values) {
        List<T> reversed = new ArrayList<>(values);
        Collections.reverse(reversed);
        return reversed;
    }

    /** An entry for each block of a level: one number is for all of them. */
    private List<Integer> each(List<Integer> layers, int blocks, String field) {
        if (layers.size() != 1 && layers.size() != blocks) {
            throw config.refused(
                    field, layers, "one number for a level, or " + blocks + ", one for each of its blocks");
        }
        return layers.size() == blocks ? layers : Collections.nCopies(blocks, layers.get(0));
    }

    private List<String> types(String field, List<String> known, String usual, String end) {
        List<String> types = config.texts(field);
        if (types.isEmpty()) {
            types = new ArrayList<>(Collections.nCopies(count, field.startsWith("down") ? usual : end));
            types.set(field.startsWith("down") ? count - 1 : 0, field.startsWith("down") ? end : usual);
        }
        if (types.size() != count) {
            throw config.refused(field, types.size() + " entries", count + ", one for each of block_out_channels");
        }
        types.forEach(type -> {
            if (!known.contains(type)) {
                throw config.refused(field, type, known.get(1) + " or " + known.get(0));
            }
        });
        return types;
    }

    private List<Integer> perLevel(String field, int usual) {
        List<Integer> values =
                config.isList(field) ? config.wholes(field) : Collections.nCopies(count, config.whole(field, usual));
        if (values.size() != count) {
            throw config.refused(field, "one number, or " + count + ", one for each of block_out_channels");
        }
        return values;
    }

    /** For each level one number, or one for each block. */
    private List<List<Integer>> layers(String field) {
        List<List<Integer>> layers = config.isList(field)
                ? config.wholesOrLists(field)
                : Collections.nCopies(count, List.of(config.whole(field, 1)));
        if (layers.size() != count) {
            throw config.refused(field, "one number, or " + count + ", one for each of block_out_channels");
        }
        return layers;
    }

    private Optional<Middle> middle() {
        String type = config.isNull("mid_block_type") ? "" : config.text("mid_block_type", CROSS_MIDDLE);
        return switch (type) {
            case "" -> Optional.empty();
            case MIDDLE -> Optional.of(new Middle(0));
            case CROSS_MIDDLE ->
                Optional.of(new Middle(
                        layers("transformer_layers_per_block").get(count - 1).get(0)));
            default -> throw config.refused("mid_block_type", CROSS_MIDDLE + ", " + MIDDLE + " or null");
        };
    }
}
