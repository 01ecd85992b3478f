package dev.retort.card;

import dev.retort.card.UNetSpec.Level;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * The parameters of a U-Net, by name and in the order in which a network has them, and what each multiplies: the one walk through its
 * blocks that sizes and counts are read from.
 */
public final class UNetLayers {
    private final UNetSpec spec;
    private final Map<String, long[]> parameters = new LinkedHashMap<>();
    private long macs;

    private UNetLayers(UNetSpec spec) {
        this.spec = spec;
    }

    /** Those of a network. */
    public static UNetLayers of(UNetSpec spec) {
        UNetLayers layers = new UNetLayers(spec);
        layers.embeddings();
        layers.blocks();
        return layers;
    }

    /** Shape of each parameter. */
    public Map<String, long[]> shapes() {
        return parameters;
    }

    /** Number of trained values. */
    long parameters() {
        return parameters.values().stream().mapToLong(UNetLayers::product).sum();
    }

    /** Multiply-accumulates of one forward for one image. */
    long macs() {
        return macs;
    }

    private void embeddings() {
        long first = spec.levels().get(0).channels();
        conv("conv_in", spec.channels(), first, 3, pixels(0));
        embedder("time_embedding", first);
        if (spec.told().guidanceWidth() > 0) {
            weight("time_embedding.cond_proj", 1, first, spec.told().guidanceWidth());
        }
        spec.told().pooled().ifPresent(pooled -> embedder("add_embedding", pooled.values()));
    }

    private void embedder(String name, long in) {
        linear(name + ".linear_1", in, spec.embedding(), 1);
        linear(name + ".linear_2", spec.embedding(), spec.embedding(), 1);
    }

    private void blocks() {
        int last = spec.levels().size() - 1;
        Deque<Long> skips = new ArrayDeque<>();
        long channels = spec.levels().get(0).channels();
        skips.push(channels);
        for (int i = 0; i <= last; i++) {
            Level level = spec.levels().get(i);
            String name = "down_blocks." + i;
            for (int j = 0; j < level.down().size(); j++) {
                block(name, j, channels, i, level.down().get(j));
                channels = level.channels();
                skips.push(channels);
            }
            if (i < last) {
                conv(name + ".downsamplers.0.conv", channels, channels, 3, pixels(i + 1));
                skips.push(channels);
            }
        }
        if (spec.middle().isPresent()) {
            int layers = spec.middle().get().layers();
            block("mid_block", 0, channels, last, layers);
            if (layers > 0) {
                resnet("mid_block.resnets.1", channels, channels, pixels(last));
            }
        }
        for (int i = last; i >= 0; i--) {
            Level level = spec.levels().get(i);
            String name = "up_blocks." + (last - i);
            for (int j = 0; j < level.up().size(); j++) {
                block(name, j, channels + skips.pop(), i, level.up().get(j));
                channels = level.channels();
            }
            if (i > 0) {
                conv(name + ".upsamplers.0.conv", channels, channels, 3, pixels(i - 1));
            }
        }
        norm("conv_norm_out", channels);
        conv("conv_out", channels, spec.grid().outChannels(), 3, pixels(0));
    }

    private void block(String name, int number, long in, int level, int layers) {
        long channels = spec.levels().get(level).channels();
        resnet(name + ".resnets." + number, in, channels, pixels(level));
        if (layers > 0) {
            transformer(name + ".attentions." + number, channels, layers, pixels(level));
        }
    }

    private void resnet(String name, long in, long out, long pixels) {
        norm(name + ".norm1", in);
        conv(name + ".conv1", in, out, 3, pixels);
        linear(name + ".time_emb_proj", spec.embedding(), out, 1);
        norm(name + ".norm2", out);
        conv(name + ".conv2", out, out, 3, pixels);
        if (in != out) {
            conv(name + ".conv_shortcut", in, out, 1, pixels);
        }
    }

    private void transformer(String name, long channels, int layers, long pixels) {
        norm(name + ".norm", channels);
        projection(name + ".proj_in", channels, pixels);
        for (int i = 0; i < layers; i++) {
            String layer = name + ".transformer_blocks." + i;
            norm(layer + ".norm1", channels);
            attention(layer + ".attn1", channels, channels, pixels, pixels);
            spec.told().text().ifPresent(text -> {
                norm(layer + ".norm2", channels);
                attention(layer + ".attn2", channels, text.width(), pixels, text.tokens());
            });
            norm(layer + ".norm3", channels);
            linear(layer + ".ff.net.0.proj", channels, 8 * channels, pixels);
            linear(layer + ".ff.net.2", 4 * channels, channels, pixels);
        }
        projection(name + ".proj_out", channels, pixels);
    }

    private void attention(String name, long channels, long keyWidth, long queries, long keys) {
        weight(name + ".to_q", queries, channels, channels);
        weight(name + ".to_k", keys, channels, keyWidth);
        weight(name + ".to_v", keys, channels, keyWidth);
        linear(name + ".to_out.0", channels, channels, queries);
        macs += 2 * queries * keys * channels;
    }

    private void projection(String name, long channels, long pixels) {
        if (spec.convention().linearProjections()) {
            linear(name, channels, channels, pixels);
        } else {
            conv(name, channels, channels, 1, pixels);
        }
    }

    private void norm(String name, long channels) {
        parameters.put(name + ".weight", new long[] {channels});
        parameters.put(name + ".bias", new long[] {channels});
    }

    private void linear(String name, long in, long out, long times) {
        weight(name, times, out, in);
        parameters.put(name + ".bias", new long[] {out});
    }

    private void conv(String name, long in, long out, long side, long times) {
        weight(name, times, out, in, side, side);
        parameters.put(name + ".bias", new long[] {out});
    }

    /** One that is multiplied so many times. */
    private void weight(String name, long times, long... shape) {
        parameters.put(name + ".weight", shape);
        macs += times * product(shape);
    }

    private long pixels(int level) {
        return (long) spec.rows(level) * spec.cols(level);
    }

    private static long product(long[] shape) {
        return LongStream.of(shape).reduce(1, Math::multiplyExact);
    }
}
