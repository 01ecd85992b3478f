package dev.retort.model.vae;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads the {@code config.json} of diffusers' {@code AutoencoderKL} and {@code AutoencoderTiny}. */
final class AutoencoderConfig {
    private final Path file;
    private final JsonNode root;

    private AutoencoderConfig(Path file, JsonNode root) {
        this.file = file;
        this.root = root;
    }

    /** The shape a file describes; settings that would change the arithmetic in a way not built here are refused. */
    static AutoencoderSpec read(Path file) {
        try {
            AutoencoderConfig config =
                    new AutoencoderConfig(file, JsonMapper.shared().readTree(Files.readString(file)));
            String kind = config.root.path("_class_name").asString("");
            return switch (kind) {
                case "AutoencoderKL" -> config.kl();
                case "AutoencoderTiny" -> config.tiny();
                default -> throw config.refused("_class_name", kind, "AutoencoderKL or AutoencoderTiny");
            };
        } catch (IOException | JacksonException e) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    file + " cannot be read as an autoencoder's configuration ("
                            + e.getMessage().lines().findFirst().orElse("") + "); fetch it again",
                    e);
        }
    }

    private KlSpec kl() {
        require("act_fn", text("act_fn", "silu"), "silu");
        root.path("down_block_types")
                .forEach(type -> require("down_block_types", type.asString(), "DownEncoderBlock2D"));
        root.path("up_block_types").forEach(type -> require("up_block_types", type.asString(), "UpDecoderBlock2D"));
        int colours = whole("in_channels", 3);
        require("out_channels", whole("out_channels", 3), colours);
        return build(() -> new KlSpec(
                colours,
                whole("latent_channels", 4),
                wholes("block_out_channels"),
                whole("layers_per_block", 1),
                whole("norm_num_groups", 32),
                flag("mid_block_add_attention"),
                flag("use_quant_conv"),
                flag("use_post_quant_conv"),
                scale(0.18215)));
    }

    private TinySpec tiny() {
        require("act_fn", text("act_fn", "relu"), "relu");
        require("upsample_fn", text("upsample_fn", "nearest"), "nearest");
        require("upsampling_scaling_factor", whole("upsampling_scaling_factor", 2), 2);
        List<Integer> widths = new ArrayList<>(wholes("encoder_block_out_channels"));
        widths.addAll(wholes("decoder_block_out_channels"));
        int width = widths.get(0);
        widths.forEach(other -> require("encoder_block_out_channels", other, width));
        int colours = whole("in_channels", 3);
        require("out_channels", whole("out_channels", 3), colours);
        return build(() -> new TinySpec(
                colours,
                whole("latent_channels", 4),
                width,
                wholes("num_encoder_blocks"),
                wholes("num_decoder_blocks"),
                false,
                number("latent_magnitude", 3),
                number("latent_shift", 0.5),
                scale(1)));
    }

    private LatentScale scale(double usual) {
        return new LatentScale(
                number("scaling_factor", usual),
                number("shift_factor", 0),
                numbers("latents_mean"),
                numbers("latents_std"));
    }

    private <S> S build(Supplier<S> record) {
        try {
            return record.get();
        } catch (RetortException e) {
            throw new RetortException(
                    Kind.CHECKPOINT, file + ": " + e.getMessage() + "; use an autoencoder of a known shape", e);
        }
    }

    private boolean present(String field) {
        return root.hasNonNull(field);
    }

    private int whole(String field, int usual) {
        if (present(field) && !root.get(field).isIntegralNumber()) {
            throw refused(field, root.get(field), "a whole number");
        }
        return present(field) ? root.get(field).asInt() : usual;
    }

    private double number(String field, double usual) {
        if (present(field) && !root.get(field).isNumber()) {
            throw refused(field, root.get(field), "a number");
        }
        return present(field) ? root.get(field).asDouble() : usual;
    }

    private boolean flag(String field) {
        return !present(field) || root.get(field).asBoolean();
    }

    private String text(String field, String usual) {
        return present(field) ? root.get(field).asString() : usual;
    }

    private List<Integer> wholes(String field) {
        List<Integer> values = new ArrayList<>();
        for (JsonNode value : list(field)) {
            if (!value.isIntegralNumber()) {
                throw refused(field, root.get(field), "a list of whole numbers");
            }
            values.add(value.asInt());
        }
        if (values.isEmpty()) {
            throw refused(field, "missing or empty", "a list of whole numbers");
        }
        return values;
    }

    private List<Double> numbers(String field) {
        List<Double> values = new ArrayList<>();
        for (JsonNode value : list(field)) {
            if (!value.isNumber()) {
                throw refused(field, root.get(field), "a list of numbers");
            }
            values.add(value.asDouble());
        }
        return values;
    }

    private Iterable<JsonNode> list(String field) {
        if (!present(field)) {
            return List.of();
        }
        JsonNode node = root.get(field);
        // the library writes per-channel values of some models as one list inside another
        return node.size() == 1 && node.get(0).isArray() ? node.get(0) : node;
    }

    private void require(String field, Object value, Object expected) {
        if (!value.equals(expected)) {
            throw refused(field, value, String.valueOf(expected));
        }
    }

    private RetortException refused(String field, Object value, String expected) {
        return new RetortException(
                Kind.CHECKPOINT,
                file + ": " + field + " is " + value + ", expected " + expected
                        + "; use an autoencoder of a known shape");
    }
}
