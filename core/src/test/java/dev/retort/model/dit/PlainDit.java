package dev.retort.model.dit;

import dev.retort.Plain;
import dev.retort.card.DitSpec;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * The diffusion transformer written a second time, in double and by plain loops, from the papers' formulas: adaLN-Zero blocks
 * (Peebles and Xie 2022), or with RMSNorm (Zhang and Sennrich 2019), SwiGLU (Shazeer 2020) and rotary positions (Su et al.
 * 2021), where one half of a head turns with the row and the other with the column.
 */
final class PlainDit {
    private static final double EPS = 1e-6;
    private final DitSpec spec;
    private final Map<String, double[]> weights = new HashMap<>();
    private final int width;
    private final int cols;

    PlainDit(Dit dit) {
        spec = dit.spec();
        width = spec.hidden();
        cols = spec.width() / spec.patch();
        for (Map.Entry<String, Tensor> parameter : dit.parameters().entrySet()) {
            weights.put(parameter.getKey(), Plain.values(parameter.getValue()));
        }
    }

    private double[] linear(String name, double[] x) {
        double[] bias = weights.get(name + ".bias");
        return Plain.linear(x, weights.get(name + ".weight"), bias, bias.length);
    }

    /** One picture (channels, height, width) → (out, height, width). */
    double[] forward(double[] picture, double time, int label) {
        double[][] tokens = tokens(picture);
        double[] act = Plain.each(condition(time, label), Plain::silu);
        for (int block = 0; block < spec.depth(); block++) {
            tokens = block("blocks." + block + ".", tokens, act);
        }
        double[] m = linear("final_layer.adaLN_modulation.1", act);
        double[][] out = new double[tokens.length][];
        for (int t = 0; t < out.length; t++) {
            out[t] = linear("final_layer.linear", modulated("final_layer.norm_final", tokens[t], m, 0));
        }
        return picture(out);
    }

    private double[][] tokens(double[] picture) {
        int p = spec.patch();
        double[][] patches = new double[spec.tokens()][spec.channels() * p * p];
        for (int t = 0; t < patches.length; t++) {
            for (int k = 0; k < patches[t].length; k++) {
                int row = t / cols * p + k / p % p;
                int col = t % cols * p + k % p;
                patches[t][k] = picture[(k / (p * p) * spec.height() + row) * spec.width() + col];
            }
            patches[t] = linear("x_embedder.proj", patches[t]);
            for (int i = 0; i < width; i++) {
                int frequencies = width / 4;
                int place = i < width / 2 ? t % cols : t / cols;
                double angle = place * Math.pow(10000, -(double) (i % frequencies) / frequencies);
                patches[t][i] += i / frequencies % 2 == 0 ? Math.sin(angle) : Math.cos(angle);
            }
        }
        return patches;
    }

    private double[] condition(double time, int label) {
        double[] features = new double[256];
        for (int i = 0; i < features.length; i++) {
            double angle = time * Math.pow(10000, -(i % 128) / 128.0);
            features[i] = i < 128 ? Math.cos(angle) : Math.sin(angle);
        }
        double[] c = linear("t_embedder.mlp.2", Plain.each(linear("t_embedder.mlp.0", features), Plain::silu));
        double[] table = weights.get("y_embedder.embedding_table.weight");
        for (int i = 0; i < width; i++) {
            c[i] += table[label * width + i];
        }
        return c;
    }

    /** norm(x)·(1 + scale) + shift, the modulation's shift being the {@code part}-th vector and its scale the next. */
    private double[] modulated(String norm, double[] x, double[] modulation, int part) {
        double[] y = spec.modern() ? Plain.rmsNorm(x, weights.get(norm + ".weight"), EPS) : Plain.layerNorm(x, EPS);
        for (int i = 0; i < width; i++) {
            y[i] = y[i] * (1 + modulation[(part + 1) * width + i]) + modulation[part * width + i];
        }
        return y;
    }

    private double[][] block(String name, double[][] x, double[] act) {
        double[] m = linear(name + "adaLN_modulation.1", act);
        double[][] normed = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            normed[t] = modulated(name + "norm1", x[t], m, 0);
        }
        double[][] h = gated(x, attention(name + "attn.", normed), m, 2);
        double[][] fed = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            fed[t] = mlp(name + "mlp.", modulated(name + "norm2", h[t], m, 3));
        }
        return gated(h, fed, m, 5);
    }

    private double[][] gated(double[][] x, double[][] added, double[] modulation, int part) {
        double[][] y = new double[x.length][width];
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < width; i++) {
                y[t][i] = x[t][i] + modulation[part * width + i] * added[t][i];
            }
        }
        return y;
    }

    private double[] mlp(String name, double[] x) {
        if (!spec.modern()) {
            return linear(name + "fc2", Plain.each(linear(name + "fc1", x), Plain::geluTanh));
        }
        double[] both = linear(name + "w12", x);
        double[] gated = new double[both.length / 2];
        for (int i = 0; i < gated.length; i++) {
            gated[i] = Plain.silu(both[i]) * both[gated.length + i];
        }
        return linear(name + "w3", gated);
    }

    private double[][] attention(String name, double[][] x) {
        int head = width / spec.heads();
        double[][] joint = new double[x.length][];
        double[][] mixed = new double[x.length][width];
        for (int t = 0; t < x.length; t++) {
            joint[t] = linear(name + "qkv", x[t]);
        }
        for (int start = 0; start < width; start += head) {
            for (int t = 0; t < x.length; t++) {
                double[] q = turned(joint[t], start, head, t);
                double[] scores = new double[x.length];
                for (int s = 0; s < x.length; s++) {
                    double[] k = turned(joint[s], width + start, head, s);
                    for (int i = 0; i < head; i++) {
                        scores[s] += q[i] * k[i] / Math.sqrt(head);
                    }
                }
                double[] shares = Plain.softmax(scores);
                for (int i = 0; i < head * x.length; i++) {
                    mixed[t][start + i % head] += shares[i / head] * joint[i / head][2 * width + start + i % head];
                }
            }
        }
        for (int t = 0; t < x.length; t++) {
            mixed[t] = linear(name + "proj", mixed[t]);
        }
        return mixed;
    }

    /** A head's vector; with rotary positions each pair (i, i + head/2) is turned as a complex number. */
    private double[] turned(double[] joint, int start, int head, int token) {
        double[] v = Arrays.copyOfRange(joint, start, start + head);
        if (!spec.modern()) {
            return v;
        }
        double[] turned = new double[head];
        int half = head / 2;
        int quarter = head / 4;
        for (int i = 0; i < half; i++) {
            int place = i < quarter ? token / cols : token % cols;
            double angle = place * Math.pow(10000, -(double) (i % quarter) / quarter);
            turned[i] = v[i] * Math.cos(angle) - v[i + half] * Math.sin(angle);
            turned[i + half] = v[i] * Math.sin(angle) + v[i + half] * Math.cos(angle);
        }
        return turned;
    }

    private double[] picture(double[][] tokens) {
        int p = spec.patch();
        int out = spec.outChannels();
        double[] picture = new double[out * spec.height() * spec.width()];
        for (int i = 0; i < picture.length; i++) {
            int col = i % spec.width();
            int row = i / spec.width() % spec.height();
            int channel = i / (spec.width() * spec.height());
            picture[i] = tokens[row / p * cols + col / p][(row % p * p + col % p) * out + channel];
        }
        return picture;
    }
}
