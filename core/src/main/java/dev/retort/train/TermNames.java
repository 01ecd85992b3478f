package dev.retort.train;

import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * The names under which the loss terms of a run are logged and their parameters saved: each term's own, with a number from
 * the second term of that name on ({@code feature}, {@code feature-2}).
 */
final class TermNames {
    private final Map<LossTerm, String> names = new IdentityHashMap<>();
    private final Map<String, Tensor> parameters = new LinkedHashMap<>();
    private final Map<String, String> unnumbered = new LinkedHashMap<>();

    /** Of all terms, in the order in which they first occur. */
    TermNames(List<Stage> stages) {
        Map<String, Integer> met = new LinkedHashMap<>();
        Map<String, Integer> uses = new LinkedHashMap<>();
        for (Stage stage : stages) {
            for (Stage.Weighted weighted : stage.terms()) {
                LossTerm term = weighted.term();
                if (!names.containsKey(term)) {
                    int number = met.merge(term.name(), 1, Integer::sum);
                    String name = number == 1 ? term.name() : term.name() + "-" + number;
                    names.put(term, name);
                    term.parameters().forEach((of, tensor) -> {
                        String old = term.name() + "." + of;
                        parameters.put(name + "." + of, tensor);
                        unnumbered.put(name + "." + of, old);
                        uses.merge(old, 1, Integer::sum);
                    });
                }
            }
        }
        unnumbered
                .entrySet()
                .removeIf(entry -> entry.getKey().equals(entry.getValue()) || uses.get(entry.getValue()) > 1);
    }

    /** A term's name. */
    String of(LossTerm term) {
        return names.get(term);
    }

    /** The parameters of all terms by name. */
    Map<String, Tensor> parameters() {
        return parameters;
    }

    /** What parameters of numbered terms were called before there were numbers, where one term alone had that name. */
    Map<String, String> unnumbered() {
        return unnumbered;
    }
}
