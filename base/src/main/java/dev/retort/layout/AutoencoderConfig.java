package dev.retort.layout;

import dev.retort.card.AutoencoderSpec;
import dev.retort.card.KlSpec;
import dev.retort.card.LatentScale;
import dev.retort.card.TinySpec;
import dev.retort.error.RetortException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import tools.jackson.databind.node.ObjectNode;

/** The {@code config.json} of diffusers' {@code AutoencoderKL} and {@code AutoencoderTiny}. */
public final class AutoencoderConfig {
    private static final String DOWN = "DownEncoderBlock2D";
    private static final String UP = "UpDecoderBlock2D";

    private final LibraryConfig config;

    private AutoencoderConfig(LibraryConfig config) {
        this.config = config;
    }

    private static LibraryConfig open(Path file) {
        return LibraryConfig.read(file, "use an autoencoder of a known shape");
    }

    /** Whether a file is the configuration of an autoencoder, of a kind that is built here or not. */
    static boolean isOne(Path file) {
        return open(file).text(DiffusersFolder.CLASS, "").startsWith("Autoencoder");
    }

    /** The shape a file describes; settings that would change the arithmetic in a way not built here are refused. */
    public static AutoencoderSpec read(Path file) {
        LibraryConfig config = open(file);
        AutoencoderConfig reader = new AutoencoderConfig(config);
        String kind = config.text(DiffusersFolder.CLASS, "");
        return switch (kind) {
            case "AutoencoderKL" -> reader.kl();
            case "AutoencoderTiny" -> reader.tiny();
            default -> throw config.refused(DiffusersFolder.CLASS, kind, "AutoencoderKL or AutoencoderTiny");
        };
    }

    private KlSpec kl() {
        config.require("act_fn", config.text("act_fn", "silu"), "silu");
        config.texts("down_block_types").forEach(type -> config.require("down_block_types", type, DOWN));
        config.texts("up_block_types").forEach(type -> config.require("up_block_types", type, UP));
        int colours = colours();
        int latents = config.whole("latent_channels", 4);
        List<Integer> widths = config.wholes("block_out_channels");
        int layers = config.whole("layers_per_block", 1);
        int groups = config.whole("norm_num_groups", 32);
        boolean attends = config.flag("mid_block_add_attention", true);
        boolean quant = config.flag("use_quant_conv", true);
        boolean postQuant = config.flag("use_post_quant_conv", true);
        return build(
                0.18215,
                scale -> new KlSpec(colours, latents, widths, layers, groups, attends, quant, postQuant, scale));
    }

    private TinySpec tiny() {
        config.require("act_fn", config.text("act_fn", "relu"), "relu");
        config.require("upsample_fn", config.text("upsample_fn", "nearest"), "nearest");
        config.require("upsampling_scaling_factor", config.whole("upsampling_scaling_factor", 2), 2);
        List<Integer> widths = new ArrayList<>(config.wholes("encoder_block_out_channels"));
        widths.addAll(config.wholes("decoder_block_out_channels"));
        int width = widths.get(0);
        widths.forEach(other -> config.require("encoder_block_out_channels", other, width));
        int colours = colours();
        int latents = config.whole("latent_channels", 4);
        List<Integer> encoder = config.wholes("num_encoder_blocks");
        List<Integer> decoder = config.wholes("num_decoder_blocks");
        double magnitude = config.number("latent_magnitude", 3);
        double shift = config.number("latent_shift", 0.5);
        return build(
                1, scale -> new TinySpec(colours, latents, width, encoder, decoder, false, magnitude, shift, scale));
    }

    private int colours() {
        int colours = config.whole("in_channels", 3);
        config.require("out_channels", config.whole("out_channels", 3), colours);
        return colours;
    }

    /** What the records themselves refuse is told with the file's name. */
    private <S> S build(double usual, Function<LatentScale, S> record) {
        double factor = config.number("scaling_factor", usual);
        double shift = config.number("shift_factor", 0);
        List<Double> mean = config.numbers("latents_mean");
        List<Double> std = config.numbers("latents_std");
        try {
            return record.apply(new LatentScale(factor, shift, mean, std));
        } catch (RetortException e) {
            throw config.refused(e);
        }
    }

    /** The file of an autoencoder, keys sorted as the library writes them. */
    static ObjectNode json(AutoencoderSpec spec) {
        ObjectNode config = LibraryExport.config(spec.kind());
        return spec instanceof KlSpec kl ? kl(config, kl) : tiny(config, (TinySpec) spec);
    }

    private static ObjectNode kl(ObjectNode config, KlSpec spec) {
        config.put("act_fn", "silu");
        config.set("block_out_channels", LibraryExport.value(spec.widths()));
        config.set(
                "down_block_types",
                LibraryExport.value(Collections.nCopies(spec.widths().size(), DOWN)));
        config.put("force_upcast", true);
        config.put("in_channels", spec.imageChannels());
        config.put("latent_channels", spec.latentChannels());
        scale(config, spec.scale());
        config.put("layers_per_block", spec.layersPerBlock());
        config.put("mid_block_add_attention", spec.midAttention());
        config.put("norm_num_groups", spec.normGroups());
        config.put("out_channels", spec.imageChannels());
        config.set(
                "up_block_types",
                LibraryExport.value(Collections.nCopies(spec.widths().size(), UP)));
        config.put("use_post_quant_conv", spec.postQuantConv());
        config.put("use_quant_conv", spec.quantConv());
        return config;
    }

    private static ObjectNode tiny(ObjectNode config, TinySpec spec) {
        List<Integer> widths = Collections.nCopies(spec.encoderBlocks().size(), spec.width());
        config.put("act_fn", "relu");
        config.set("decoder_block_out_channels", LibraryExport.value(widths));
        config.set("encoder_block_out_channels", LibraryExport.value(widths));
        config.put("in_channels", spec.imageChannels());
        config.put("latent_channels", spec.latentChannels());
        config.put("latent_magnitude", spec.latentMagnitude());
        config.put("latent_shift", spec.latentShift());
        scale(config, spec.scale());
        config.set("num_decoder_blocks", LibraryExport.value(spec.decoderBlocks()));
        config.set("num_encoder_blocks", LibraryExport.value(spec.encoderBlocks()));
        config.put("out_channels", spec.imageChannels());
        config.put("upsample_fn", "nearest");
        config.put("upsampling_scaling_factor", 2);
        return config;
    }

    private static void scale(ObjectNode config, LatentScale scale) {
        config.put("scaling_factor", scale.scale());
        config.put("shift_factor", scale.shift());
        if (!scale.mean().isEmpty()) {
            config.set("latents_mean", LibraryExport.value(scale.mean()));
        }
        if (!scale.std().isEmpty()) {
            config.set("latents_std", LibraryExport.value(scale.std()));
        }
    }
}
