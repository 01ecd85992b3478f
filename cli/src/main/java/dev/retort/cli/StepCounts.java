package dev.retort.cli;

import dev.retort.hub.HubName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A model and the numbers of steps in which it is judged: {@code runs/student@8,4,2}. What stands behind the first {@code @} of a hub name is its
 * revision: {@code hf:OWNER/NAME@main@4}.
 *
 * @param model as a user writes it
 * @param steps in the order given; none for what else says how it is sampled
 */
record StepCounts(String model, List<Integer> steps) {
    private static final Pattern FORM = Pattern.compile("(.+)@(\\d{1,5}(?:,\\d{1,5})*)");

    static StepCounts of(String given) {
        Matcher matcher = FORM.matcher(given);
        if (!matcher.matches()
                || HubName.is(given) && !matcher.group(1).contains("@")
                || !HubName.is(given) && Files.exists(Path.of(given))) {
            return new StepCounts(given, List.of());
        }
        return new StepCounts(
                matcher.group(1),
                Stream.of(matcher.group(2).split(","))
                        .map(Integer::valueOf)
                        .distinct()
                        .toList());
    }
}
