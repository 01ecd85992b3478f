package dev.retort.config;

/**
 * A configuration as text, before overrides.
 *
 * @param kind what it configures, also the folder it lies in: {@code train}, {@code distill}
 * @param name its name, or the path of the file it was read from
 * @param about its first comment line: the command, the expected time, the score it reaches; empty where there is none
 * @param yaml the whole text
 */
public record Preset(String kind, String name, String about, String yaml) {
    static Preset of(String kind, String name, String yaml) {
        String first = yaml.lines().findFirst().orElse("");
        return new Preset(kind, name, first.startsWith("#") ? first.substring(1).strip() : "", yaml);
    }
}
