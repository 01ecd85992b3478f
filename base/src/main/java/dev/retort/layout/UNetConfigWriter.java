package dev.retort.layout;

import dev.retort.card.UNetSpec;
import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Middle;
import dev.retort.card.UNetSpec.Pooled;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** The {@code config.json} of diffusers' {@code UNet2DConditionModel}, written: {@link UNetConfig} reads it back as what it was. */
final class UNetConfigWriter {
    private UNetConfigWriter() {}

    /** Keys and defaults as the library itself saves them, sorted. */
    static ObjectNode config(UNetSpec spec) {
        if (spec.outputs() > 1) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    spec.name() + " cannot be written as " + UNetConfig.CLASS
                            + ", which has one output where this network has " + spec.outputs());
        }
        List<Level> levels = spec.levels();
        ObjectNode config = LibraryExport.config(UNetConfig.CLASS);
        config.put("act_fn", "silu");
        pooled(config, spec);
        config.set("attention_head_dim", oneOrEach(levels, Level::heads));
        config.set("block_out_channels", each(levels, Level::channels));
        config.put("center_input_sample", false);
        config.put(
                "cross_attention_dim",
                spec.told().text().map(UNetSpec.Text::width).orElse(1280));
        config.set(
                "down_block_types",
                each(levels, level -> level.down().get(0) > 0 ? UNetConfig.CROSS_DOWN : UNetConfig.DOWN));
        config.put("downsample_padding", 1);
        config.put("flip_sin_to_cos", spec.convention().cosinesFirst());
        config.put("freq_shift", spec.convention().frequencyShift());
        config.put("in_channels", spec.channels());
        config.set("layers_per_block", oneOrEach(levels, level -> level.down().size()));
        config.put("mid_block_scale_factor", 1);
        String middle = spec.middle()
                .map(Middle::layers)
                .map(layers -> layers > 0 ? UNetConfig.CROSS_MIDDLE : UNetConfig.MIDDLE)
                .orElse(null);
        config.put("mid_block_type", middle);
        config.put("norm_eps", spec.convention().normEps());
        config.put("norm_num_groups", spec.convention().normGroups());
        config.put("out_channels", spec.grid().outChannels());
        transformers(config, spec);
        boolean square = spec.height() == spec.width();
        config.set("sample_size", LibraryExport.value(square ? spec.height() : List.of(spec.height(), spec.width())));
        int guidance = spec.told().guidanceWidth();
        config.set("time_cond_proj_dim", LibraryExport.value(guidance == 0 ? null : guidance));
        List<Level> up = new ArrayList<>(levels);
        Collections.reverse(up);
        config.set("up_block_types", each(up, level -> level.up().get(0) > 0 ? UNetConfig.CROSS_UP : UNetConfig.UP));
        config.put("upcast_attention", spec.convention().upcastAttention());
        config.put("use_linear_projection", spec.convention().linearProjections());
        return config;
    }

    private static void pooled(ObjectNode config, UNetSpec spec) {
        Optional<Pooled> pooled = spec.told().pooled();
        config.put("addition_embed_type", pooled.isPresent() ? "text_time" : null);
        config.set(
                "addition_time_embed_dim",
                LibraryExport.value(pooled.map(Pooled::idWidth).orElse(null)));
        config.set(
                "projection_class_embeddings_input_dim",
                LibraryExport.value(pooled.map(Pooled::values).orElse(null)));
    }

    /** One number where all levels have the same, since older loaders know no list. */
    private static JsonNode oneOrEach(List<Level> levels, Function<Level, Integer> value) {
        return LibraryExport.value(oneOrEach(levels.stream().map(value).toList()));
    }

    private static JsonNode each(List<Level> levels, Function<Level, Object> value) {
        return LibraryExport.value(levels.stream().map(value).toList());
    }

    /**
     * Layers of transformers: one number for each level serves both ways and, of the smallest level, the middle; where a level's blocks
     * differ, it is a list, and the way up has a list of its own.
     */
    private static void transformers(ObjectNode config, UNetSpec spec) {
        int last = spec.levels().size() - 1;
        int between = spec.middle().map(Middle::layers).orElse(0);
        List<Object> down = new ArrayList<>();
        List<Object> up = new ArrayList<>();
        for (int i = 0; i <= last; i++) {
            Level level = spec.levels().get(i);
            Object above = level.up().get(0) > 0 ? oneOrEach(level.up()) : null;
            Object below = level.down().get(0) > 0
                    ? oneOrEach(level.down())
                    : i == last && between > 0 ? between : above instanceof Integer ? above : 1;
            down.add(below);
            up.add(0, above == null ? below instanceof Integer ? below : 1 : above);
        }
        int smallest = spec.levels().get(last).down().get(0);
        if (between > 0 && smallest > 0 && smallest != between) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    spec.name() + " cannot be written as " + UNetConfig.CLASS
                            + ", whose middle has as many transformer layers"
                            + " as the first block of the smallest level: it has " + between + " and " + smallest);
        }
        List<Object> back = new ArrayList<>(up);
        Collections.reverse(back);
        boolean alike = down.equals(back) && down.stream().allMatch(Integer.class::isInstance);
        config.set("reverse_transformer_layers_per_block", LibraryExport.value(alike ? null : up));
        boolean one = alike && down.stream().distinct().count() == 1;
        config.set("transformer_layers_per_block", LibraryExport.value(one ? down.get(0) : down));
    }

    private static Object oneOrEach(List<Integer> numbers) {
        return numbers.stream().distinct().count() == 1 ? numbers.get(0) : numbers;
    }
}
