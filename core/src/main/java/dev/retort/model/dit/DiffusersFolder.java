package dev.retort.model.dit;

import dev.retort.diffusion.Prediction;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.ProcessSpec;
import dev.retort.model.vae.AutoencoderFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The configuration beside a DiTTransformer2DModel's weights, and of the pipeline around it where there is one. */
final class DiffusersFolder {
    private final Path file;
    private final JsonNode config;
    private final JsonNode scheduler;
    private final JsonNode index;
    private final Path vae;

    private DiffusersFolder(Path file) {
        this.file = file;
        Path pipeline = file.toAbsolutePath().getParent().getParent();
        this.config = json(file);
        this.scheduler = optional(pipeline.resolve("scheduler").resolve("scheduler_config.json"));
        this.index = optional(pipeline.resolve("model_index.json"));
        this.vae = pipeline.resolve("vae");
    }

    /** The configuration of weights in this folder, or of this file's folder; null where there is none. */
    static DiffusersFolder of(Path weights) {
        Path folder =
                Files.isDirectory(weights) ? weights : weights.toAbsolutePath().getParent();
        Path file = folder.resolve("config.json");
        return Files.isRegularFile(file) ? new DiffusersFolder(file) : null;
    }

    private static JsonNode optional(Path file) {
        return Files.isRegularFile(file) ? json(file) : JsonMapper.shared().createObjectNode();
    }

    private static JsonNode json(Path file) {
        try {
            return JsonMapper.shared().readTree(Files.readString(file));
        } catch (IOException | JacksonException e) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    file + " cannot be read as JSON ("
                            + e.getMessage().lines().findFirst().orElse("") + "); fetch it again",
                    e);
        }
    }

    /** The autoencoder of the same pipeline; null where there is none. */
    AutoencoderFiles autoencoder() {
        return Files.isRegularFile(vae.resolve("config.json")) ? AutoencoderFiles.find(vae) : null;
    }

    /** The network; what the file leaves out has the library's defaults. */
    DitSpec spec() {
        String kind = config.path("_class_name").asString("");
        if (!kind.equals("DiTTransformer2DModel") && !kind.equals("Transformer2DModel")) {
            throw refused("_class_name", kind, "DiTTransformer2DModel");
        }
        String norm = config.path("norm_type").asString("ada_norm_zero");
        if (!norm.equals("ada_norm_zero")) {
            throw refused("norm_type", norm, "ada_norm_zero");
        }
        String activation = config.path("activation_fn").asString("gelu-approximate");
        if (!activation.equals("gelu-approximate")) {
            throw refused("activation_fn", activation, "gelu-approximate");
        }
        int channels = number("in_channels", 4);
        int outputs = number("out_channels", channels);
        if (outputs != channels && outputs != 2 * channels) {
            throw refused("out_channels", outputs, channels + " or " + 2 * channels);
        }
        int heads = number("num_attention_heads", 16);
        int side = number("sample_size", 32);
        try {
            return new DitSpec(
                    side,
                    side,
                    channels,
                    number("patch_size", 2),
                    heads * number("attention_head_dim", 72),
                    number("num_layers", 28),
                    heads,
                    4,
                    number("num_embeds_ada_norm", 1000),
                    0.1,
                    outputs == 2 * channels,
                    false,
                    new DitConvention(1, config.path("norm_eps").asDouble(1e-5)));
        } catch (IllegalArgumentException e) {
            throw new RetortException(Kind.CHECKPOINT, file + " makes no network: " + e.getMessage(), e);
        }
    }

    private int number(String field, int otherwise) {
        JsonNode value = config.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return otherwise;
        }
        if (!value.isInt() || value.asInt() < 1 || value.asInt() > 1 << 20) {
            throw refused(field, value, "a whole number above 0");
        }
        return value.asInt();
    }

    /** What the pipeline's scheduler says, else {@code otherwise}. */
    ProcessSpec process(ProcessSpec otherwise) {
        if (scheduler.isEmpty()) {
            return otherwise;
        }
        String betas = scheduler.path("beta_schedule").asString("linear");
        String schedule =
                switch (betas) {
                    case "linear" -> "linear";
                    case "scaled_linear" -> "scaled-linear";
                    case "squaredcos_cap_v2" -> "cosine";
                    default -> throw refused("beta_schedule", betas, "linear, scaled_linear or squaredcos_cap_v2");
                };
        String predicts = scheduler.path("prediction_type").asString("epsilon");
        Prediction prediction =
                switch (predicts) {
                    case "epsilon" -> Prediction.EPSILON;
                    case "v_prediction" -> Prediction.V;
                    case "sample" -> Prediction.X0;
                    default -> throw refused("prediction_type", predicts, "epsilon, v_prediction or sample");
                };
        boolean clips = scheduler.path("clip_sample").asBoolean(true);
        return new ProcessSpec(
                schedule,
                scheduler.path("num_train_timesteps").asInt(1000),
                scheduler.path("beta_start").asDouble(1e-4),
                scheduler.path("beta_end").asDouble(0.02),
                scheduler.path("rescale_betas_zero_snr").asBoolean(false),
                prediction,
                clips ? scheduler.path("clip_sample_range").asDouble(1) : 0);
    }

    /** The names of the classes in the order of their numbers; empty where the pipeline has none. */
    List<String> classes() {
        List<String> names = new ArrayList<>();
        JsonNode labels = index.path("id2label");
        for (int i = 0; labels.has(String.valueOf(i)); i++) {
            names.add(labels.get(String.valueOf(i)).asString(""));
        }
        return names;
    }

    private RetortException refused(String field, Object value, String expected) {
        return new RetortException(
                Kind.CHECKPOINT,
                file + " is not a DiT that is known here: " + field + " is " + value + ", expected " + expected);
    }
}
