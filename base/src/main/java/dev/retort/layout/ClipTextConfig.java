package dev.retort.layout;

import dev.retort.card.ClipTextSpec;
import dev.retort.card.ClipTextSpec.Activation;
import dev.retort.error.RetortException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The {@code config.json} of transformers' {@code CLIPTextModel} and {@code CLIPTextModelWithProjection}. */
final class ClipTextConfig {
    private static final String PLAIN = "CLIPTextModel";
    private static final String PROJECTED = "CLIPTextModelWithProjection";
    private static final Map<Activation, String> NAMES =
            Map.of(Activation.QUICK_GELU, "quick_gelu", Activation.GELU, "gelu");

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private ClipTextConfig() {}

    private static LibraryConfig open(Path file) {
        return LibraryConfig.read(file, "use a text encoder of CLIP");
    }

    /** Whether a file is there that the transformers library wrote; the diffusers library's name no type of model. */
    static boolean isOne(Path file) {
        return Files.isRegularFile(file) && open(file).has("model_type");
    }

    /**
     * The shape that a file describes, handing the last state; what it leaves out has the library's defaults.
     *
     * @param projects whether the weights beside it have a projection, where the file does not say
     */
    static ClipTextSpec read(Path file, boolean projects) {
        LibraryConfig config = open(file);
        config.require("model_type", config.text("model_type", "clip_text_model"), "clip_text_model");
        List<String> classes = config.texts("architectures");
        if (!classes.isEmpty() && !List.of(PLAIN, PROJECTED).contains(classes.get(0))) {
            throw config.refused("architectures", PLAIN + " or " + PROJECTED);
        }
        boolean projected = classes.isEmpty() ? projects : classes.contains(PROJECTED);
        String activation = config.text("hidden_act", "quick_gelu");
        Activation known = NAMES.entrySet().stream()
                .filter(entry -> entry.getValue().equals(activation))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow(() -> config.refused("hidden_act", activation, "quick_gelu or gelu"));
        int vocabulary = config.whole("vocab_size", 49408);
        int length = config.whole("max_position_embeddings", 77);
        int width = config.whole("hidden_size", 512);
        int mlpWidth = config.whole("intermediate_size", 2048);
        int layers = config.whole("num_hidden_layers", 12);
        int heads = config.whole("num_attention_heads", 8);
        double eps = config.number("layer_norm_eps", 1e-5);
        int projection = projected ? config.whole("projection_dim", 512) : 0;
        int end = config.whole("eos_token_id", projected ? 49407 : ClipTextSpec.LARGEST_ID);
        try {
            return new ClipTextSpec(
                    vocabulary, length, width, mlpWidth, layers, heads, known, eps, projection, 0, true, end);
        } catch (RetortException e) {
            throw config.refused(e);
        }
    }

    /** The file of an encoder, keys sorted as the library writes them. */
    static String json(ClipTextSpec spec) {
        Map<String, Object> config = new TreeMap<>();
        config.put("architectures", List.of(spec.projection() > 0 ? PROJECTED : PLAIN));
        config.put("attention_dropout", 0.0);
        config.put("bos_token_id", spec.endToken() == ClipTextSpec.LARGEST_ID ? 0 : spec.endToken() - 1);
        config.put("eos_token_id", spec.endToken());
        config.put("hidden_act", NAMES.get(spec.activation()));
        config.put("hidden_size", spec.width());
        config.put("initializer_factor", 1.0);
        config.put("initializer_range", 0.02);
        config.put("intermediate_size", spec.mlpWidth());
        config.put("layer_norm_eps", spec.eps());
        config.put("max_position_embeddings", spec.length());
        config.put("model_type", "clip_text_model");
        config.put("num_attention_heads", spec.heads());
        config.put("num_hidden_layers", spec.layers());
        config.put("pad_token_id", 1);
        config.put("projection_dim", spec.projection() > 0 ? spec.projection() : spec.width());
        config.put("vocab_size", spec.vocabulary());
        return JSON.writeValueAsString(config) + "\n";
    }
}
