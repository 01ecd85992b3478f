package dev.retort.layout;

import dev.retort.card.DitConvention;
import dev.retort.card.DitSpec;
import java.util.List;

/** The {@code config.json} of diffusers' {@code DiTTransformer2DModel}, read. */
final class DitConfig {
    /** Its class, and what it was called before. */
    static final List<String> CLASSES = List.of("DiTTransformer2DModel", "Transformer2DModel");

    private static final int LARGEST = 1 << 20;

    private DitConfig() {}

    /** The shape that a file describes; what it leaves out has the library's defaults. */
    static DitSpec read(LibraryConfig config) {
        String kind = config.text(DiffusersFolder.CLASS, "");
        if (!CLASSES.contains(kind)) {
            throw config.refused(DiffusersFolder.CLASS, kind, CLASSES.get(0));
        }
        config.require("norm_type", config.text("norm_type", "ada_norm_zero"), "ada_norm_zero");
        config.require("activation_fn", config.text("activation_fn", "gelu-approximate"), "gelu-approximate");
        int channels = number(config, "in_channels", 4);
        int outputs = number(config, "out_channels", channels);
        if (outputs != channels && outputs != 2 * channels) {
            throw config.refused("out_channels", outputs, channels + " or " + 2 * channels);
        }
        int heads = number(config, "num_attention_heads", 16);
        int side = number(config, "sample_size", 32);
        try {
            return new DitSpec(
                            side,
                            side,
                            channels,
                            number(config, "patch_size", 2),
                            heads * number(config, "attention_head_dim", 72),
                            number(config, "num_layers", 28),
                            heads,
                            4,
                            number(config, "num_embeds_ada_norm", 1000),
                            0.1,
                            outputs == 2 * channels,
                            false)
                    .with(new DitConvention(1, config.number("norm_eps", 1e-5)));
        } catch (IllegalArgumentException e) {
            throw config.refused(e);
        }
    }

    private static int number(LibraryConfig config, String field, int otherwise) {
        int value = config.whole(field, otherwise);
        if (value < 1 || value > LARGEST) {
            throw config.refused(field, "a whole number above 0");
        }
        return value;
    }
}
