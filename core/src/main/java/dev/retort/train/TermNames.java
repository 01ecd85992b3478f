package dev.retort.train;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * The names under which the losses of a run are logged and their parts saved: each loss's own, with a number from the second
 * loss of that name on ({@code feature}, {@code feature-2}).
 */
final class TermNames {
    /**
     * The parameters of losses.
     *
     * @param parameters by name
     * @param formerNames what those of numbered losses were called before there were numbers, where one alone had that name
     */
    record Parts(Map<String, Tensor> parameters, Map<String, String> formerNames) {}

    private final List<Loss> all = new ArrayList<>();
    private final Map<Loss, String> names = new IdentityHashMap<>();
    private final Map<Loss, String> players = new IdentityHashMap<>();

    /** Of all losses, in the order in which they first occur. */
    TermNames(List<Stage> stages) {
        Map<String, Integer> met = new LinkedHashMap<>();
        for (Stage stage : stages) {
            for (Phase phase : stage.phases()) {
                for (Weighted weighted : phase.losses()) {
                    Loss loss = weighted.loss();
                    String player = players.putIfAbsent(loss, phase.player());
                    if (player == null) {
                        all.add(loss);
                        int number = met.merge(loss.name(), 1, Integer::sum);
                        names.put(loss, number == 1 ? loss.name() : loss.name() + "-" + number);
                    } else if (!player.equals(phase.player()) && !loss.parts().isEmpty()) {
                        throw new IllegalArgumentException("the parts of the loss " + names.get(loss)
                                + " would be trained with two players, " + player + " and " + phase.player());
                    }
                }
            }
        }
    }

    /** A loss's name. */
    String of(Loss loss) {
        return names.get(loss);
    }

    /** The parts that are trained with a player, in the order of the losses. */
    Parts parts(String player) {
        Map<String, Tensor> parameters = new LinkedHashMap<>();
        Map<String, String> former = new LinkedHashMap<>();
        Map<String, Integer> uses = new LinkedHashMap<>();
        for (Loss loss : all) {
            if (players.get(loss).equals(player)) {
                loss.parts().forEach((part, layer) -> layer.parameters().forEach((of, tensor) -> {
                    String name = names.get(loss) + "." + part + "." + of;
                    String old = loss.name() + "." + part + "." + of;
                    parameters.put(name, tensor);
                    former.put(name, old);
                    uses.merge(old, 1, Integer::sum);
                }));
            }
        }
        former.entrySet().removeIf(entry -> entry.getKey().equals(entry.getValue()) || uses.get(entry.getValue()) > 1);
        return new Parts(parameters, former);
    }

    /** Every loss once, in the order in which they first occur. */
    List<Loss> all() {
        return all;
    }
}
