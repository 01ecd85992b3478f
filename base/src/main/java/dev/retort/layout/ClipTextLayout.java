package dev.retort.layout;

import dev.retort.card.ClipTextSpec;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.layout.WeightLayout.Part;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * How programs name and cut the parameters of a CLIP text encoder. None cuts finer than our network does: each of its
 * parameters is some rows of one key of a file, which is what a {@link Part} says here, {@code key} being ours and {@code
 * parameter} the file's.
 */
public enum ClipTextLayout {
    /** Transformers' names, which are ours too. */
    TRANSFORMERS {
        @Override
        String key(String parameter) {
            return parameter;
        }
    },
    /** The same without {@code text_model.}, as transformers saves encoders without projection from 5.6 on; only read. */
    BARE {
        @Override
        String key(String parameter) {
            return parameter.startsWith(MODEL) ? parameter.substring(MODEL.length()) : parameter;
        }
    },
    /** OpenAI's and OpenCLIP's own names: q, k and v in one product, the projection transposed. */
    OPEN_CLIP {
        @Override
        String key(String parameter) {
            if (parameter.equals(PROJECTION)) {
                return "text_projection";
            }
            return parameter
                    .replace(MODEL + "embeddings.token_embedding", "token_embedding")
                    .replace(MODEL + "embeddings.position_embedding.weight", "positional_embedding")
                    .replace(MODEL + "encoder.layers.", "transformer.resblocks.")
                    .replace(MODEL + "final_layer_norm", "ln_final")
                    .replaceFirst("self_attn\\.[qkv]_proj\\.", "attn.in_proj_")
                    .replace("self_attn.", "attn.")
                    .replace("layer_norm", "ln_")
                    .replace("mlp.fc1", "mlp.c_fc")
                    .replace("mlp.fc2", "mlp.c_proj");
        }

        @Override
        int third(String parameter) {
            return Math.max(
                    0, List.of("q", "k", "v").indexOf(parameter.replaceFirst(".*self_attn\\.(.)_proj.*", "$1")));
        }
    };

    static final String MODEL = "text_model.";
    static final String PROJECTION = "text_projection.weight";
    static final String TOKENS = MODEL + "embeddings.token_embedding.weight";
    static final String POSITIONS = MODEL + "embeddings.position_embedding.weight";

    /** What a file calls the key that holds a parameter. */
    abstract String key(String parameter);

    /** Which third of the rows of its key a parameter is, where the key holds q, k and v; else 0. */
    int third(String parameter) {
        return 0;
    }

    /** The parameters of the network and their shapes, in the order of its state. */
    public static Map<String, long[]> parameters(ClipTextSpec spec) {
        long d = spec.width();
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put(TOKENS, new long[] {spec.vocabulary(), d});
        shapes.put(POSITIONS, new long[] {spec.length(), d});
        for (int i = 0; i < spec.layers(); i++) {
            String block = MODEL + "encoder.layers." + i + ".";
            for (String product : List.of("k_proj", "v_proj", "q_proj", "out_proj")) {
                affine(shapes, block + "self_attn." + product, d, d);
            }
            affine(shapes, block + "layer_norm1", d);
            affine(shapes, block + "mlp.fc1", spec.mlpWidth(), d);
            affine(shapes, block + "mlp.fc2", d, spec.mlpWidth());
            affine(shapes, block + "layer_norm2", d);
        }
        affine(shapes, MODEL + "final_layer_norm", d);
        if (spec.projection() > 0) {
            shapes.put(PROJECTION, new long[] {spec.projection(), d});
        }
        return shapes;
    }

    private static void affine(Map<String, long[]> shapes, String name, long... weight) {
        shapes.put(name + ".weight", weight);
        shapes.put(name + ".bias", new long[] {weight[0]});
    }

    /** Every key of a file and its shape; {@code prefix} stands before each. */
    public Map<String, long[]> shapes(ClipTextSpec spec, String prefix) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        for (Part part : parts(spec, prefix)) {
            long[] shape = part.shape().clone();
            long[] before = shapes.get(part.parameter());
            shape[0] += before == null ? 0 : before[0];
            shapes.put(part.parameter(), shape);
        }
        if (transposes(spec)) {
            shapes.put(prefix + key(PROJECTION), new long[] {spec.width(), spec.projection()});
        }
        return shapes;
    }

    private List<Part> parts(ClipTextSpec spec, String prefix) {
        List<Part> parts = new ArrayList<>();
        parameters(spec)
                .forEach((name, shape) -> parts.add(new Part(name, prefix + key(name), third(name) * shape[0], shape)));
        return parts;
    }

    private boolean transposes(ClipTextSpec spec) {
        return this == OPEN_CLIP && spec.projection() > 0;
    }

    /** A file's tensors as the network's parameters, under our names; to close this is to close the file. */
    TensorFile parameters(TensorFile file, ClipTextSpec spec, String prefix) {
        List<Part> parts = parts(spec, prefix);
        if (!transposes(spec)) {
            return new RowsView(file, parts, file);
        }
        String projection = prefix + key(PROJECTION);
        Map<String, long[]> turned = shapes(spec, prefix);
        turned.put(projection, new long[] {spec.projection(), spec.width()});
        List<Part> whole = new ArrayList<>();
        turned.forEach((key, shape) -> whole.add(Part.whole(key, key, shape)));
        whole.removeIf(part -> part.key().equals(projection));
        TensorFile keys = new ParameterView(file, turned, whole, Map.of(projection, transposed(file, projection)));
        return new RowsView(keys, parts, file);
    }

    /** The network's parameters as a file in this layout has them, under its keys. */
    TensorFile keys(TensorFile parameters, ClipTextSpec spec, String prefix) {
        String projection = prefix + key(PROJECTION);
        Map<String, Supplier<float[]>> computed =
                transposes(spec) ? Map.of(projection, transposed(parameters, PROJECTION)) : Map.of();
        List<Part> stored = parts(spec, prefix).stream()
                .filter(part -> !computed.containsKey(part.parameter()))
                .toList();
        return new ParameterView(parameters, shapes(spec, prefix), stored, computed);
    }

    private static Supplier<float[]> transposed(TensorFile file, String name) {
        return () -> {
            TensorEntry entry = file.entry(name);
            int rows = (int) entry.shape()[0];
            int cols = (int) entry.shape()[1];
            float[] values = file.floats(name);
            float[] turned = new float[values.length];
            for (int i = 0; i < values.length; i++) {
                turned[i % cols * rows + i / cols] = values[i];
            }
            return turned;
        };
    }
}
