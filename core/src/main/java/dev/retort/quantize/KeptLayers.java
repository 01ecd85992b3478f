package dev.retort.quantize;

import dev.retort.config.Require;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Which of a network's products keep their bits by what a recipe names. */
final class KeptLayers {
    private final List<String> all;
    private final List<String> others;

    /**
     * @param keep names, or patterns with {@code *}; these may mean none
     * @param layers paths of the network's products
     */
    KeptLayers(List<String> keep, List<String> layers) {
        all = layers;
        if (layers.isEmpty()) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "the network has no products whose kernels can be exchanged; an architecture of your own is quantised"
                            + " where its pack builds its layers from Init.packed");
        }
        for (int i = 0; i < keep.size(); i++) {
            if (!keep.get(i).contains("*")) {
                Require.oneOf("keep." + i, keep.get(i), layers);
            }
        }
        Pattern kept = Pattern.compile(keep.stream()
                .map(name -> Pattern.quote(name).replace("*", "\\E.*\\Q"))
                .collect(Collectors.joining("|")));
        others = layers.stream().filter(layer -> !kept.matcher(layer).matches()).toList();
        if (others.isEmpty()) {
            throw new RetortException(
                    Kind.CONFIG, "keep names every layer, so that none is left to quantise; name fewer");
        }
    }

    List<String> all() {
        return all;
    }

    /** Those that are not kept. */
    List<String> others() {
        return others;
    }
}
