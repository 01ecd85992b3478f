package dev.retort.diffusion;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The values of a {@link PlanText}, each as one word without spaces. What cannot be read is an IllegalArgumentException that says so. */
final class PlanWords {
    private PlanWords() {}

    static String clamp(Clamp clamp) {
        if (clamp instanceof Clamp.Range range) {
            return "range:" + range.limit();
        }
        return clamp instanceof Clamp.Dynamic dynamic ? "dynamic:" + dynamic.quantile() + ":" + dynamic.max() : "none";
    }

    static Clamp clamp(String text) {
        String[] parts = text.split(":", -1);
        return switch (parts[0] + parts.length) {
            case "none1" -> Clamp.NONE;
            case "range2" -> Clamp.to(number(parts[1]));
            case "dynamic3" -> new Clamp.Dynamic(number(parts[1]), number(parts[2]));
            default ->
                throw new IllegalArgumentException(
                        "clamp is " + text + ", expected none, range:limit or dynamic:quantile:max");
        };
    }

    static String heads(Heads heads) {
        return heads.first() + ":"
                + heads.factors().stream().map(String::valueOf).collect(Collectors.joining(":"));
    }

    static Heads heads(String text) {
        List<String> parts = Arrays.asList(text.split(":", -1));
        return new Heads(
                whole(parts.get(0)),
                parts.stream().skip(1).map(PlanWords::number).collect(Collectors.toList()));
    }

    static String combination(Combination combination) {
        return combination.terms().isEmpty()
                ? "zero"
                : combination.terms().stream()
                        .map(term -> word(term.source()) + "@" + term.lag() + ":" + term.coefficient())
                        .collect(Collectors.joining(","));
    }

    static Combination combination(String text) {
        return text.equals("zero")
                ? Combination.ZERO
                : new Combination(
                        Arrays.stream(text.split(",")).map(PlanWords::term).collect(Collectors.toList()));
    }

    private static Combination.Term term(String text) {
        int at = text.indexOf('@');
        int colon = text.indexOf(':', at);
        if (at < 0 || colon < 0) {
            throw new IllegalArgumentException("a term is " + text + ", expected source@lag:coefficient");
        }
        return new Combination.Term(
                constant(Combination.Source.class, text.substring(0, at)),
                whole(text.substring(at + 1, colon)),
                number(text.substring(colon + 1)));
    }

    static String noise(NoiseScale noise) {
        if (noise instanceof NoiseScale.Fixed fixed) {
            return "fixed:" + fixed.scale();
        }
        return noise instanceof NoiseScale.LearnedRange range
                ? "learned:" + range.logBeta() + ":" + range.logBetaTilde()
                : "none";
    }

    static NoiseScale noise(String text) {
        String[] parts = text.split(":", -1);
        return switch (parts[0] + parts.length) {
            case "none1" -> NoiseScale.NONE;
            case "fixed2" -> new NoiseScale.Fixed(number(parts[1]));
            case "learned3" -> new NoiseScale.LearnedRange(number(parts[1]), number(parts[2]));
            default ->
                throw new IllegalArgumentException(
                        "noise is " + text + ", expected none, fixed:scale or learned:logBeta:logBetaTilde");
        };
    }

    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    static <E extends Enum<E>> E constant(Class<E> type, String word) {
        return Arrays.stream(type.getEnumConstants())
                .filter(constant -> word(constant).equals(word))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(word + " is none of "
                        + Arrays.stream(type.getEnumConstants())
                                .map(PlanWords::word)
                                .collect(Collectors.toList())));
    }

    static double number(String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(text + " is no number", e);
        }
    }

    private static int whole(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(text + " is no whole number", e);
        }
    }
}
