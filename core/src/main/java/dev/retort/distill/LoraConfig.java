package dev.retort.distill;

import dev.retort.config.Require;
import dev.retort.config.Suggestion;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.Network;
import dev.retort.nn.Affine;
import dev.retort.nn.Init;
import dev.retort.train.Adapters;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Adapters of low rank (Hu et al. 2021) that learn in a stage instead of the student's weights.
 *
 * @param rank the rank
 * @param alpha strength: what an adapter adds is multiplied by alpha/rank
 * @param targets parts of names of the layers that get one; empty for all products inside the student's blocks, which leaves out its first
 *     and last layer and what embeds time and class (Lin et al. 2024, section 3.4)
 */
public record LoraConfig(int rank, double alpha, List<String> targets) {
    private static final int MOST_NAMED = 4;

    /** Validates. */
    public LoraConfig {
        Require.atLeast("rank", rank, 1);
        Require.positive("alpha", alpha);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("rank", 16, "alpha", 16, "targets", List.of());
    }

    /**
     * The adapters of a student.
     *
     * @param field where this stands in the recipe, for errors
     * @param init of their first values
     * @throws RetortException of kind CONFIG where a target is a part of no layer's name
     */
    Adapters adapters(Network student, String field, Init init) {
        Set<String> all = new LinkedHashSet<>();
        student.layers().forEach((path, layer) -> {
            if (layer instanceof Affine) {
                all.add(path);
            }
        });
        List<String> blocks = student.spec().blocks();
        Set<String> chosen = new LinkedHashSet<>(all);
        if (targets.isEmpty()) {
            chosen.removeIf(path -> blocks.stream().noneMatch(block -> (path + ".").startsWith(block + ".")));
        } else {
            chosen.removeIf(path -> targets.stream().noneMatch(path::contains));
        }
        for (String target : targets) {
            if (all.stream().noneMatch(path -> path.contains(target))) {
                throw new RetortException(
                        Kind.CONFIG,
                        field + ".targets names '" + target + "', which is part of no layer's name that has a product"
                                + Suggestion.among(target, withoutBlocks(all, blocks)));
            }
        }
        if (chosen.isEmpty()) {
            throw new RetortException(
                    Kind.CONFIG,
                    field + ".targets is empty, but the student has no products inside blocks; name some of "
                            + FirstFew.of(List.copyOf(all), MOST_NAMED));
        }
        return new Adapters(init, rank, alpha, chosen);
    }

    /** Names as they are inside blocks, each once. */
    private static Set<String> withoutBlocks(Set<String> paths, List<String> blocks) {
        Set<String> names = new LinkedHashSet<>();
        for (String path : paths) {
            List<String> inside = new ArrayList<>(blocks);
            inside.removeIf(block -> !path.startsWith(block + "."));
            names.add(inside.isEmpty() ? path : path.substring(inside.get(0).length() + 1));
        }
        return names;
    }
}
