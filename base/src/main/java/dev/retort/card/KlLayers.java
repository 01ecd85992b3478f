package dev.retort.card;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The parameters of an AutoencoderKL, by name and in the order in which a network has them. */
public final class KlLayers {
    private final KlSpec spec;
    private final Map<String, long[]> parameters = new LinkedHashMap<>();

    private KlLayers(KlSpec spec) {
        this.spec = spec;
    }

    /** Shape of each parameter. */
    public static Map<String, long[]> shapes(KlSpec spec) {
        KlLayers layers = new KlLayers(spec);
        long latents = spec.latentChannels();
        layers.encoder();
        layers.decoder();
        if (spec.quantConv()) {
            layers.conv("quant_conv", 2 * latents, 2 * latents, 1);
        }
        if (spec.postQuantConv()) {
            layers.conv("post_quant_conv", latents, latents, 1);
        }
        return layers.parameters;
    }

    private void encoder() {
        List<Integer> widths = spec.widths();
        long channels = widths.get(0);
        conv("encoder.conv_in", spec.imageChannels(), channels, 3);
        for (int i = 0; i < widths.size(); i++) {
            String level = "encoder.down_blocks." + i;
            channels = blocks(level, channels, widths.get(i), spec.layersPerBlock());
            if (i < widths.size() - 1) {
                conv(level + ".downsamplers.0.conv", channels, channels, 3);
            }
        }
        middle("encoder.mid_block", channels);
        norm("encoder.conv_norm_out", channels);
        conv("encoder.conv_out", channels, 2L * spec.latentChannels(), 3);
    }

    private void decoder() {
        List<Integer> widths = spec.widths();
        int last = widths.size() - 1;
        long channels = widths.get(last);
        conv("decoder.conv_in", spec.latentChannels(), channels, 3);
        middle("decoder.mid_block", channels);
        for (int i = 0; i <= last; i++) {
            String level = "decoder.up_blocks." + i;
            channels = blocks(level, channels, widths.get(last - i), spec.layersPerBlock() + 1);
            if (i < last) {
                conv(level + ".upsamplers.0.conv", channels, channels, 3);
            }
        }
        norm("decoder.conv_norm_out", channels);
        conv("decoder.conv_out", channels, spec.imageChannels(), 3);
    }

    private long blocks(String level, long in, long out, int count) {
        for (int i = 0; i < count; i++) {
            resnet(level + ".resnets." + i, i == 0 ? in : out, out);
        }
        return out;
    }

    private void middle(String name, long channels) {
        if (spec.midAttention()) {
            norm(name + ".attentions.0.group_norm", channels);
            for (String product : List.of("to_q", "to_k", "to_v", "to_out.0")) {
                affine(name + ".attentions.0." + product, channels, channels);
            }
        }
        resnet(name + ".resnets.0", channels, channels);
        resnet(name + ".resnets.1", channels, channels);
    }

    private void resnet(String name, long in, long out) {
        norm(name + ".norm1", in);
        conv(name + ".conv1", in, out, 3);
        norm(name + ".norm2", out);
        conv(name + ".conv2", out, out, 3);
        if (in != out) {
            conv(name + ".conv_shortcut", in, out, 1);
        }
    }

    private void norm(String name, long channels) {
        affine(name, channels);
    }

    private void conv(String name, long in, long out, long side) {
        affine(name, out, in, side, side);
    }

    private void affine(String name, long... weight) {
        parameters.put(name + ".weight", weight);
        parameters.put(name + ".bias", new long[] {weight[0]});
    }
}
