package dev.retort.cli;

import dev.retort.error.RetortException;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;

/** Which option changes what an error is about: the library names its own arguments and fields, a user of commands knows options. */
final class OptionHint {
    private static final String HINTS = "hints.";

    /** Fields whose options are called otherwise; of several the one that the command has. */
    private static final Map<String, List<String>> OTHERWISE = Map.of(
            "autoencoder", List.of("--vae"),
            "guidanceRescale", List.of("--guidance-rescale"),
            "folder", List.of("--run", "--out"),
            "hints.side", List.of("--size"),
            "overrides", List.of("--set"));

    private OptionHint() {}

    /** The error's sentence, and behind it the option where the command has one. */
    static String sentence(RetortException error, CommandSpec command) {
        String field = error.field();
        if (field.isEmpty()) {
            return error.getMessage();
        }
        List<String> options = OTHERWISE.getOrDefault(field, List.of("--" + field.replace(HINTS, "")));
        return error.getMessage()
                + options.stream()
                        .filter(option -> command.findOption(option) != null)
                        .findFirst()
                        .map(option -> " (option " + option + ")")
                        // what a foreign checkpoint does not say can only be given where it is converted
                        .orElse(field.startsWith(HINTS) ? " (option " + options.get(0) + " of 'retort convert')" : "");
    }
}
