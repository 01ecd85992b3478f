package dev.retort.layout;

import dev.retort.card.AutoencoderSpec;
import dev.retort.card.KlLayers;
import dev.retort.card.KlSpec;
import dev.retort.card.LatentScale;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.StateDict;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.WeightLayout.Part;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An AutoencoderKL in a file of the original (LDM) layout: a part of a whole model, or alone as fine-tuned ones are published. The
 * original program counts the levels of the decoder from full size down too, and its attention has 1x1 convolutions.
 *
 * @param path the file
 * @param spec read off names and shapes
 */
record OriginalAutoencoder(Path path, KlSpec spec) {
    /** What stands before every name in a file that holds a whole model. */
    static final String PREFIX = "first_stage_model.";

    private static final String FIRST = "encoder.down.0.block.0.norm1.weight";
    private static final String QUERY = "encoder.mid.attn_1.q.weight";
    private static final int GROUPS = 32;
    /** Channels of the latents of Stable Diffusion's; of those of others the file does not tell the scale. */
    private static final int LATENTS = 4;

    /** What training leaves beside the network. */
    private static final List<String> UNREAD = List.of("loss.*", "model_ema.*");

    private static final Pattern UP = Pattern.compile("decoder\\.up_blocks\\.(\\d+)\\.");

    /** The one in a file; none where it holds none. Only its header is read. */
    static Optional<OriginalAutoencoder> in(Path path) {
        try (TensorFile whole = TensorFiles.open(path)) {
            StateDict file = StateDict.of(whole, List.of(FIRST));
            if (!file.entries().containsKey(FIRST)) {
                return Optional.empty();
            }
            TensorShapes told = new TensorShapes(path, "an autoencoder in the original layout", file.entries());
            KlSpec spec = told.build(() -> spec(told, scale(whole)));
            boolean linear = spec.midAttention() && file.entry(QUERY).shape().length == 2;
            Map<String, long[]> keys = new LinkedHashMap<>();
            shapes(spec, linear).forEach((parameter, shape) -> keys.put(key(spec, parameter), shape));
            Fit.of(keys, file.entries()).allowing(UNREAD).require(path);
            return Optional.of(new OriginalAutoencoder(path, spec));
        }
    }

    private static KlSpec spec(TensorShapes shapes, LatentScale scale) {
        int latents = shapes.size(shapes.of("decoder.conv_in.weight", 4)[1], "channels of the latents");
        if (latents != LATENTS) {
            throw shapes.refused(
                    "its latents have " + latents + " channels, and of others than Stable Diffusion's, which have "
                            + LATENTS + ", the file does not tell the scale; give a folder with config.json instead");
        }
        List<Integer> widths = new ArrayList<>();
        for (int i = 0; i < shapes.count("encoder.down.%d.block.0.norm1.weight"); i++) {
            widths.add(shapes.size(shapes.of("encoder.down." + i + ".block.0.conv2.weight", 4)[0], "channels"));
        }
        return new KlSpec(
                shapes.size(shapes.of("encoder.conv_in.weight", 4)[1], "colour channels"),
                latents,
                widths,
                shapes.count("encoder.down.0.block.%d.norm1.weight"),
                GROUPS,
                shapes.has(QUERY),
                shapes.has("quant_conv.weight"),
                shapes.has("post_quant_conv.weight"),
                scale);
    }

    /** Whether a file holds one and no denoiser beside it. */
    static boolean isAlone(Path path) {
        try (TensorFile file = TensorFiles.open(path)) {
            return file.entries().keySet().stream().anyMatch(name -> name.endsWith(FIRST))
                    && file.entries().keySet().stream().noneMatch(name -> name.endsWith(OriginalUNetShapes.FIRST));
        } catch (RetortException e) {
            return false;
        }
    }

    /** XL's where the model around it, or the name of a file without one, says so: weights of both have the same shapes. */
    private static LatentScale scale(TensorFile file) {
        boolean whole = file.entries().keySet().stream().anyMatch(name -> name.endsWith(OriginalUNetShapes.FIRST));
        boolean xl = whole
                ? file.entries().keySet().stream().anyMatch(name -> name.endsWith(OriginalUNetShapes.SIZES))
                : file.path().getFileName().toString().toLowerCase(Locale.ROOT).contains("xl");
        return (xl ? StableDiffusion.SDXL : StableDiffusion.SD_1).latentScale();
    }

    /** The weights as parameters of the network, under its names. */
    TensorFile open() {
        TensorFile whole = TensorFiles.open(path);
        try {
            StateDict file = StateDict.of(whole, List.of(FIRST));
            List<Part> rows = new ArrayList<>();
            KlLayers.shapes(spec)
                    .forEach((parameter, shape) -> rows.add(new Part(parameter, key(spec, parameter), 0, shape)));
            return new RowsView(file, rows, file);
        } catch (RetortException e) {
            whole.close();
            throw e;
        }
    }

    /**
     * An autoencoder's tensors as a file of a whole model has them, under its keys.
     *
     * @param weights under the names of the library, those of the attention old or new
     * @param generation of the model, by which readers of the file take the scale of the latents
     * @throws RetortException of kind CHECKPOINT where no such file can hold it
     */
    static TensorFile keys(TensorFile weights, AutoencoderSpec spec, StableDiffusion generation) {
        if (!(spec instanceof KlSpec kl)
                || kl.normGroups() != GROUPS
                || kl.latentChannels() != LATENTS
                || !kl.scale().equals(generation.latentScale())) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "a file in the original layout of " + generation.title() + " has an AutoencoderKL with norms of "
                            + GROUPS
                            + " groups, latents of " + LATENTS + " channels and " + generation.latentScale()
                            + ", and this one is " + spec + "; write a folder of the diffusers library instead");
        }
        Map<String, String> stored = new HashMap<>();
        weights.entries().keySet().forEach(name -> stored.put(AutoencoderFiles.parameter(name), name));
        return new RowsView(
                weights,
                parts(kl).stream()
                        .map(part -> Part.whole(
                                part.key(), stored.getOrDefault(part.parameter(), part.parameter()), part.shape()))
                        .toList(),
                weights);
    }

    /** The key of each parameter in a file of a whole model, in the order of the network's state. */
    static List<Part> parts(KlSpec spec) {
        List<Part> parts = new ArrayList<>();
        shapes(spec, false)
                .forEach((parameter, shape) -> parts.add(Part.whole(PREFIX + key(spec, parameter), parameter, shape)));
        return parts;
    }

    /** Shapes in a file by parameter: products of the attention are convolutions there, linear layers where another program saved it. */
    private static Map<String, long[]> shapes(KlSpec spec, boolean linear) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        KlLayers.shapes(spec).forEach((parameter, shape) -> {
            boolean squeezed = shape.length == 2 && !linear;
            shapes.put(parameter, squeezed ? new long[] {shape[0], shape[1], 1, 1} : shape);
        });
        return shapes;
    }

    private static String key(KlSpec spec, String parameter) {
        Matcher up = UP.matcher(parameter);
        String name = up.lookingAt()
                ? "decoder.up." + (spec.widths().size() - 1 - Integer.parseInt(up.group(1))) + "."
                        + parameter.substring(up.end())
                : parameter;
        return name.replace("down_blocks.", "down.")
                .replace("mid_block.resnets.0.", "mid.block_1.")
                .replace("mid_block.resnets.1.", "mid.block_2.")
                .replace("mid_block.attentions.0.group_norm.", "mid.attn_1.norm.")
                .replace("mid_block.attentions.0.to_out.0.", "mid.attn_1.proj_out.")
                .replace("mid_block.attentions.0.to_", "mid.attn_1.")
                .replace("resnets.", "block.")
                .replace("downsamplers.0.", "downsample.")
                .replace("upsamplers.0.", "upsample.")
                .replace("conv_norm_out", "norm_out")
                .replace("conv_shortcut", "nin_shortcut");
    }
}
