package dev.retort.layout;

import dev.retort.card.DitSpec;
import dev.retort.card.FoldedDitSpec;
import dev.retort.card.ModelCard;
import dev.retort.io.TensorFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The layouts of a diffusion transformer. The diffusers library keeps q, k and v apart, stores the embedders once per block
 * and computes the position table anew.
 */
public enum DitLayout implements WeightLayout<DitSpec> {
    /** The original's keys, which are ours too: one file, a bare dictionary as the released ones are. */
    ORIGINAL {
        @Override
        public boolean isFolder() {
            return false;
        }

        @Override
        public List<Part> parts(DitSpec spec) {
            List<Part> parts = new ArrayList<>();
            parameters(spec).forEach((name, shape) -> parts.add(Part.whole(name, name, shape)));
            return parts;
        }

        @Override
        public void requireReplaceable(Path to) {
            ConvertedWeights.requireFile(to);
        }

        @Override
        public List<String> write(Path to, ModelCard card, TensorFile parameters, Storage how) {
            return DitExport.original(to, card, parameters, how);
        }
    },
    /** The keys of DiTTransformer2DModel: the folder of a pipeline, without its autoencoder. */
    DIFFUSERS {
        @Override
        public boolean isFolder() {
            return true;
        }

        @Override
        public boolean has(DitSpec spec) {
            return !spec.modern();
        }

        @Override
        public List<Part> parts(DitSpec spec) {
            return diffusers(spec);
        }

        @Override
        public void requireReplaceable(Path to) {
            DitExport.requireReplaceable(to);
        }

        @Override
        public List<String> write(Path to, ModelCard card, TensorFile parameters, Storage how) {
            return DitExport.diffusers(to, card, parameters, how);
        }
    };

    private static final Pattern FOLDED = Pattern.compile("[tyws]_embedder\\..*|.*\\.adaLN_modulation\\..*");

    @Override
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Override
    public boolean claims(Path path) {
        return DiffusersFolder.claims(PipelineFolder.network(path), DitConfig.CLASSES);
    }

    @Override
    public DitCheckpoint open(Path path, Hints hints) {
        return DitCheckpoint.open(path, hints);
    }

    /** The parameters and buffers of the network and their shapes, in the order of its state. */
    public static Map<String, long[]> parameters(DitSpec spec) {
        long d = spec.hidden();
        long patch = spec.patch();
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put("pos_embed", new long[] {1, spec.tokens(), d});
        shapes.put("x_embedder.proj.weight", new long[] {d, spec.channels(), patch, patch});
        shapes.put("x_embedder.proj.bias", new long[] {d});
        linear(shapes, "t_embedder.mlp.0", DitSpec.TIME_FEATURES, d);
        linear(shapes, "t_embedder.mlp.2", d, d);
        shapes.put("y_embedder.embedding_table.weight", new long[] {spec.classes() + (spec.hasNullClass() ? 1 : 0), d});
        if (spec.scalars().guidance()) {
            linear(shapes, "w_embedder.mlp.0", DitSpec.TIME_FEATURES, d);
            linear(shapes, "w_embedder.mlp.2", d, d);
        }
        if (spec.scalars().hasEndTime()) {
            linear(shapes, "s_embedder.mlp.0", DitSpec.END_TIME_FEATURES, d);
            linear(shapes, "s_embedder.mlp.2", d, d);
        }
        for (int i = 0; i < spec.depth(); i++) {
            block(shapes, "blocks." + i + ".", spec);
        }
        if (spec.modern()) {
            shapes.put("final_layer.norm_final.weight", new long[] {d});
        }
        linear(shapes, "final_layer.linear", d, patch * patch * spec.outChannels());
        linear(shapes, "final_layer.adaLN_modulation.1", d, 2 * d);
        return shapes;
    }

    /** The same of a network with a table in place of what makes its modulations. */
    public static Map<String, long[]> parameters(FoldedDitSpec spec) {
        Map<String, long[]> shapes = new LinkedHashMap<>(parameters(spec.unfolded()));
        shapes.keySet().removeIf(DitLayout::servesModulation);
        int layers = spec.unfolded().depth() + 1;
        for (int i = 0; i < layers; i++) {
            int parts = i == layers - 1 ? DitSpec.LAST_PARTS : DitSpec.BLOCK_PARTS;
            shapes.put(modulation(spec.unfolded(), i), new long[] {
                spec.times().size(),
                spec.labels().size(),
                parts,
                spec.unfolded().hidden()
            });
        }
        return shapes;
    }

    /** Whether a parameter serves modulations alone, and is none of a network that has a table of them. */
    public static boolean servesModulation(String name) {
        return FOLDED.matcher(name).matches();
    }

    /** Name of a layer's table of modulations (times, labels, parts, D); behind the blocks comes the last layer. */
    public static String modulation(DitSpec spec, int layer) {
        return (layer == spec.depth() ? "final_layer" : "blocks." + layer) + ".modulation";
    }

    private static void block(Map<String, long[]> shapes, String name, DitSpec spec) {
        long d = spec.hidden();
        long m = spec.mlpHidden();
        if (spec.modern()) {
            shapes.put(name + "norm1.weight", new long[] {d});
        }
        linear(shapes, name + "attn.qkv", d, 3 * d);
        linear(shapes, name + "attn.proj", d, d);
        if (spec.modern()) {
            shapes.put(name + "norm2.weight", new long[] {d});
        }
        linear(shapes, name + (spec.modern() ? "mlp.w12" : "mlp.fc1"), d, spec.modern() ? 2 * m : m);
        linear(shapes, name + (spec.modern() ? "mlp.w3" : "mlp.fc2"), m, d);
        linear(shapes, name + "adaLN_modulation.1", d, 6 * d);
    }

    private static void linear(Map<String, long[]> shapes, String name, long in, long out) {
        shapes.put(name + ".weight", new long[] {out, in});
        shapes.put(name + ".bias", new long[] {out});
    }

    private static List<Part> diffusers(DitSpec spec) {
        if (spec.modern()) {
            throw new IllegalArgumentException("the diffusers library has no DiT with SwiGLU, RMSNorm and RoPE");
        }
        Map<String, long[]> shapes = parameters(spec);
        List<Part> parts = new ArrayList<>();
        both(parts, shapes, "pos_embed.proj", "x_embedder.proj");
        for (int i = 0; i < spec.depth(); i++) {
            String diffusers = "transformer_blocks." + i + ".";
            String block = "blocks." + i + ".";
            both(parts, shapes, diffusers + "norm1.emb.timestep_embedder.linear_1", "t_embedder.mlp.0");
            both(parts, shapes, diffusers + "norm1.emb.timestep_embedder.linear_2", "t_embedder.mlp.2");
            String table = "y_embedder.embedding_table.weight";
            parts.add(Part.whole(
                    diffusers + "norm1.emb.class_embedder.embedding_table.weight", table, shapes.get(table)));
            both(parts, shapes, diffusers + "norm1.linear", block + "adaLN_modulation.1");
            String[] third = {"to_q", "to_k", "to_v"};
            for (int k = 0; k < third.length; k++) {
                long d = spec.hidden();
                String key = diffusers + "attn1." + third[k];
                parts.add(new Part(key + ".weight", block + "attn.qkv.weight", k * d, new long[] {d, d}));
                parts.add(new Part(key + ".bias", block + "attn.qkv.bias", k * d, new long[] {d}));
            }
            both(parts, shapes, diffusers + "attn1.to_out.0", block + "attn.proj");
            both(parts, shapes, diffusers + "ff.net.0.proj", block + "mlp.fc1");
            both(parts, shapes, diffusers + "ff.net.2", block + "mlp.fc2");
        }
        both(parts, shapes, "proj_out_1", "final_layer.adaLN_modulation.1");
        both(parts, shapes, "proj_out_2", "final_layer.linear");
        return parts;
    }

    private static void both(List<Part> parts, Map<String, long[]> shapes, String key, String parameter) {
        for (String end : List.of(".weight", ".bias")) {
            parts.add(Part.whole(key + end, parameter + end, shapes.get(parameter + end)));
        }
    }
}
