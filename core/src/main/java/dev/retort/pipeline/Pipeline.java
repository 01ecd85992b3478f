package dev.retort.pipeline;

import dev.retort.card.ModelCard;
import dev.retort.model.Denoiser;
import java.util.List;

/**
 * A loaded model.
 *
 * @param network the network, frozen
 * @param card what it is
 * @param notes which weights were taken of another program's file, and what was changed, a sentence each
 * @param <N> a {@link dev.retort.model.Network}, or what samples alone
 */
public record Pipeline<N extends Denoiser>(N network, ModelCard card, List<String> notes) implements AutoCloseable {
    @Override
    public void close() {
        network.close();
    }
}
