package dev.retort.io;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the name of a file of weights says, as the Hugging Face libraries and their users write it:
 * {@code NAME[-00001-of-00002][.VARIANT].ENDING}, or of an index {@code NAME.ENDING.index[.VARIANT].json}.
 *
 * @param name what is left of the name, the same for all shards, variants and formats; {@code pytorch_model} and
 *     {@code model} are one
 * @param variant {@code fp16} in {@code model.fp16.safetensors}, else empty
 * @param ending {@code safetensors}, {@code bin}, {@code pt} and so on, in lower case
 * @param role whether it holds all weights
 */
public record WeightsName(String name, String variant, String ending, Role role) {
    /** What the file holds. */
    public enum Role {
        /** All weights. */
        WHOLE,
        /** Some of them. */
        SHARD,
        /** None, but the names of the shards. */
        INDEX
    }

    private static final Pattern INDEX =
            Pattern.compile("(.+)\\.(safetensors|bin)\\.index(?:\\.([A-Za-z0-9_]+))?\\.json");
    private static final Pattern ANY_INDEX = Pattern.compile(".+\\.index(\\.[A-Za-z0-9_]+)?\\.json");
    private static final Pattern ENDING = Pattern.compile("(.+)\\.(safetensors|bin|pt|pth|ckpt|npz)");
    private static final Pattern SHARD = Pattern.compile("-\\d{5}-of-\\d{5}");
    /** Variants that the libraries and their users write; a dot may also stand in a name such as {@code v1.5}. */
    private static final Pattern VARIANT = Pattern.compile("(.+)\\.(fp16|fp32|bf16|fp8|ema|non_ema|int8|int4)");

    /** Reads a file's name; empty where it is none of weights, as are the hidden files that systems put beside others. */
    public static Optional<WeightsName> of(String file) {
        if (file.startsWith(".")) {
            return Optional.empty();
        }
        Matcher index = INDEX.matcher(file);
        if (index.matches()) {
            String stem = index.group(1) + (index.group(3) == null ? "" : "." + index.group(3));
            return Optional.of(of(stem, index.group(2), Role.INDEX));
        }
        Matcher weights = ENDING.matcher(file.toLowerCase(Locale.ROOT));
        if (!weights.matches()) {
            return Optional.empty();
        }
        String stem = file.substring(0, weights.end(1));
        boolean shard = SHARD.matcher(stem).find();
        return Optional.of(of(SHARD.matcher(stem).replaceFirst(""), weights.group(2), shard ? Role.SHARD : Role.WHOLE));
    }

    /** Whether a file of this name is read as an index of shards. */
    static boolean isIndex(String file) {
        return ANY_INDEX.matcher(file).matches();
    }

    /** The name of the index that belongs to a shard. */
    static String indexOf(String shard) {
        return SHARD.matcher(shard).replaceFirst("") + ".index.json";
    }

    private static WeightsName of(String stem, String ending, Role role) {
        Matcher variant = VARIANT.matcher(stem);
        boolean varies = variant.matches();
        String name = varies ? variant.group(1) : stem;
        return new WeightsName(
                name.equals("pytorch_model") ? "model" : name, varies ? variant.group(2) : "", ending, role);
    }

    /** Whether it is written in the format that runs no code. */
    public boolean safe() {
        return ending.equals("safetensors");
    }
}
