package dev.retort.layout;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.JsonFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a configuration of the PEFT library says of an adapter's strength: the entry {@code lora_adapter_metadata} of a file's
 * header, whose fields begin with the component's name, or the file {@code adapter_config.json} beside it.
 */
final class LoraScales {
    private static final String ENTRY = "lora_adapter_metadata";
    private static final String BESIDE = "adapter_config.json";

    private final String place;
    private final JsonNode root;
    private final boolean prefixed;

    private LoraScales(String place, String json, boolean prefixed) {
        this.place = place;
        this.prefixed = prefixed;
        try {
            root = JsonMapper.shared().readTree(json);
        } catch (JacksonException e) {
            throw refused("cannot be read as JSON (" + JsonFault.ofFile(e) + ")");
        }
        if (!root.isObject()) {
            throw refused("is not a JSON object");
        }
    }

    /** What there is; empty where nothing says anything. */
    static Optional<LoraScales> of(Path file, Map<String, String> metadata) {
        if (metadata.containsKey(ENTRY)) {
            return Optional.of(new LoraScales(ENTRY + " of " + file, metadata.get(ENTRY), true));
        }
        Path beside = file.toAbsolutePath().resolveSibling(BESIDE);
        boolean pair =
                file.getFileName().toString().startsWith("adapter_model."); // the library's own name of the weights
        if (!pair || !Files.isRegularFile(beside)) {
            return Optional.empty();
        }
        try {
            return Optional.of(new LoraScales(beside.toString(), Files.readString(beside), false));
        } catch (IOException e) {
            throw new RetortException(
                    Kind.CHECKPOINT, beside + " cannot be read (" + JsonFault.ofFile(e) + "); fetch it again", e);
        }
    }

    /**
     * The strength of a module's adapter: alpha / rank, or alpha / √rank (rsLoRA).
     *
     * @param prefix how the module's component is called
     * @param rank that its tensors have, which must be what is said here
     */
    double scale(String prefix, String module, int rank) {
        if (field(prefix, "use_dora").asBoolean(false)) {
            throw refused("says use_dora, and DoRA is not applied");
        }
        double said = pattern(prefix, "rank_pattern", module).orElse(number(prefix, "r", rank));
        if (said != rank) {
            throw refused("says rank " + said + " of '" + module + "', whose tensors have rank " + rank);
        }
        double alpha = pattern(prefix, "alpha_pattern", module).orElse(number(prefix, "lora_alpha", rank));
        return alpha / (field(prefix, "use_rslora").asBoolean(false) ? Math.sqrt(rank) : rank);
    }

    private JsonNode field(String prefix, String name) {
        return root.path(prefixed && !prefix.isEmpty() ? prefix + "." + name : name);
    }

    private double number(String prefix, String name, double usual) {
        JsonNode value = field(prefix, name);
        if (value.isMissingNode() || value.isNull()) {
            return usual;
        }
        if (!value.isNumber()) {
            throw refused("says " + name + " " + value + ", expected a number");
        }
        return value.asDouble();
    }

    /** The value of the entry whose key, an expression, fits the end of a module's path. */
    private Optional<Double> pattern(String prefix, String name, String module) {
        for (Map.Entry<String, JsonNode> entry : field(prefix, name).properties()) {
            try {
                if (Pattern.matches("(.*\\.)?(" + entry.getKey() + ")", module)) {
                    return Optional.of(entry.getValue().asDouble());
                }
            } catch (PatternSyntaxException e) {
                throw refused("has a " + name + " '" + entry.getKey() + "', which is no regular expression");
            }
        }
        return Optional.empty();
    }

    private RetortException refused(String why) {
        return new RetortException(Kind.CHECKPOINT, place + " " + why + "; fetch the adapter again");
    }
}
