package dev.retort.layout;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a tensor in an adapter file, taken apart.
 *
 * @param key as it stands in the file
 * @param component which network it belongs to
 * @param prefix what stands before the module's path, without separators; empty where the path stands alone
 * @param module the layer's path
 * @param underscored whether dots of the path are written as low lines, so that only the network's own paths tell them apart
 * @param layout whose spelling its ending is
 * @param role what the tensor is
 */
record LoraKey(
        String key,
        LoraComponent component,
        String prefix,
        String module,
        boolean underscored,
        LoraLayout layout,
        Role role) {
    /** What a tensor is in its pair. */
    enum Role {
        DOWN,
        UP,
        ALPHA
    }

    private static final String BASE = "base_model.model.";

    private static final Pattern PEFT = Pattern.compile("(.+)\\.lora_([AB])(?:\\.[^.]+)?\\.weight");
    private static final Pattern DIFFUSERS = Pattern.compile("(.+)\\.(?:lora|lora_linear_layer)\\.(down|up)\\.weight");
    private static final Pattern PROCESSOR =
            Pattern.compile("(.+?)(?:\\.processor)?\\.to_(q|k|v|out)_lora\\.(down|up)\\.weight");
    private static final Pattern KOHYA = Pattern.compile("(.+)\\.(?:lora_(down|up)\\.weight|(alpha))");

    /** Endings of other kinds of adapters, each with what it is. */
    private static final Map<Pattern, String> OTHER_KINDS = Map.of(
            Pattern.compile("\\.(dora_scale|lora_magnitude_vector.*)$"),
                    "DoRA (dora_scale: magnitudes beside directions)",
            Pattern.compile("\\.lora_mid\\.weight$"), "LoCon with a core tensor (Tucker decomposition)",
            Pattern.compile("\\.hada_\\w+$"), "LoHa (Hadamard products)",
            Pattern.compile("\\.lokr_\\w+$"), "LoKr (Kronecker products)",
            Pattern.compile("\\.lora_embedding_[AB]\\b"), "an adapter of an embedding table",
            Pattern.compile("\\.bias$"), "an adapter that changes biases",
            Pattern.compile("\\.diff(_b)?$"), "a whole difference of weights");

    /**
     * Takes a name apart.
     *
     * @param file for errors
     * @throws RetortException of kind CHECKPOINT where it is none of a LoRA's
     */
    static LoraKey parse(String key, Path file) {
        for (LoraComponent component : LoraComponent.values()) {
            for (String low : component.underscored()) {
                if (key.startsWith(low + "_")) {
                    return ending(key, component, low, key.substring(low.length() + 1), true, file);
                }
            }
        }
        String name = without(BASE, key);
        for (LoraComponent component : LoraComponent.values()) {
            for (String dotted : component.dotted()) {
                if (name.startsWith(dotted + ".")) {
                    String rest = without(BASE, name.substring(dotted.length() + 1));
                    return ending(key, component, dotted, rest, false, file);
                }
            }
        }
        return ending(key, LoraComponent.DENOISER, "", name, false, file);
    }

    private static String without(String start, String name) {
        return name.startsWith(start) ? name.substring(start.length()) : name;
    }

    private static LoraKey ending(
            String key, LoraComponent component, String prefix, String rest, boolean underscored, Path file) {
        OTHER_KINDS.forEach((end, kind) -> {
            if (end.matcher(rest).find()) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        file + " is not read: '" + key + "' belongs to " + kind
                                + ", and without it the rest would be applied wrongly; give a plain LoRA");
            }
        });
        return List.of(
                        of(PROCESSOR, LoraLayout.PROCESSOR, rest, key, component, prefix, underscored),
                        of(PEFT, LoraLayout.PEFT, rest, key, component, prefix, underscored),
                        of(DIFFUSERS, LoraLayout.DIFFUSERS, rest, key, component, prefix, underscored),
                        of(KOHYA, LoraLayout.KOHYA, rest, key, component, prefix, underscored))
                .stream()
                .flatMap(Optional::stream)
                .findFirst()
                .orElseThrow(() -> new RetortException(
                        Kind.CHECKPOINT,
                        file + " is no LoRA, or one of an unknown layout: '" + key
                                + "' has none of the endings .lora_A.weight, .lora.down.weight, .lora_down.weight,"
                                + " .processor.to_q_lora.down.weight, their counterparts, and .alpha; 'retort inspect'"
                                + " lists what the file holds"));
    }

    private static Optional<LoraKey> of(
            Pattern pattern,
            LoraLayout layout,
            String rest,
            String key,
            LoraComponent component,
            String prefix,
            boolean underscored) {
        Matcher match = pattern.matcher(rest);
        if (!match.matches()) {
            return Optional.empty();
        }
        String last = match.group(match.groupCount()) == null ? match.group(2) : match.group(match.groupCount());
        Role role =
                switch (last) {
                    case "A", "down" -> Role.DOWN;
                    case "B", "up" -> Role.UP;
                    default -> Role.ALPHA;
                };
        String module = layout == LoraLayout.PROCESSOR ? projection(match.group(1), match.group(2)) : match.group(1);
        return Optional.of(new LoraKey(key, component, prefix, module, underscored, layout, role));
    }

    /** The product of an attention that a processor's key means: denoisers and text encoders name theirs differently. */
    private static String projection(String attention, String which) {
        if (attention.endsWith("self_attn")) {
            return attention + "." + which + "_proj";
        }
        return attention + ".to_" + which + (which.equals("out") ? ".0" : "");
    }
}
