package dev.retort.train;

import dev.retort.nn.Affine;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.LowRank;
import dev.retort.torch.Scope;
import java.util.Set;

/**
 * Adapters of low rank ({@link LowRank}) that a player has for one stage. They alone are trained in it, and are merged into its
 * weights when another begins.
 *
 * @param init where their first values come from
 * @param rank rows of A
 * @param alpha strength, in units of the rank
 * @param layers full names of the layers that get one
 */
public record Adapters(Init init, int rank, double alpha, Set<String> layers) {
    void attach(Layer network) {
        try (Scope scope = Scope.open()) {
            network.layers().forEach((path, layer) -> {
                if (layers.contains(path)) {
                    Affine affine = (Affine) layer;
                    affine.attach(new LowRank(init.at(path), affine, rank, alpha));
                }
            });
        }
    }
}
