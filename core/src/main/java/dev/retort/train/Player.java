package dev.retort.train;

import dev.retort.model.Answer;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.model.Respondent;
import dev.retort.nn.Layer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.bytedeco.pytorch.Tensor;

/** A network that takes part in a training, under a name of its own: student, teacher, critic, … */
public final class Player implements AutoCloseable {
    /** What becomes of a player's weights. */
    public sealed interface Role {
        /** They stay as they are, but for what a stage starts with. */
        record Frozen() implements Role {}

        /**
         * They are trained.
         *
         * @param optimizer how
         * @param averages moving averages that are kept of them; the first one is what is exported
         */
        record Learns(OptimizerConfig optimizer, Optional<EmaConfig> averages) implements Role {
            /** They are exported as they are. */
            public Learns(OptimizerConfig optimizer) {
                this(optimizer, Optional.empty());
            }
        }

        /**
         * They are a moving average of another player's.
         *
         * @param player whose
         * @param decay what is kept at each of its steps, without warm-up
         */
        record Follows(String player, double decay) implements Role {}
    }

    private final String name;
    private final Respondent respondent;
    private final Role role;
    private boolean recompute;
    private Predicate<String> trained = parameter -> true;
    private long frozenCalls;

    /** @param respondent how it is asked; its network is closed with this player, and frozen where it does not learn */
    public Player(String name, Respondent respondent, Role role) {
        this.name = name;
        this.respondent = respondent;
        this.role = role;
        if (!learns()) {
            network().freeze();
        }
    }

    /** A player that only answers. */
    public static Player frozen(String name, Respondent respondent) {
        return new Player(name, respondent, new Role.Frozen());
    }

    /** Its name. */
    public String name() {
        return name;
    }

    /** Its weights. */
    public Layer network() {
        return respondent.network();
    }

    /** Its weights under their names in checkpoints. */
    Map<String, Tensor> saved() {
        Map<String, Tensor> saved = new LinkedHashMap<>();
        network().state().forEach((name, tensor) -> saved.put("model." + name, tensor));
        return saved;
    }

    /** How it is asked. */
    public Respondent respondent() {
        return respondent;
    }

    /** What becomes of its weights. */
    public Role role() {
        return role;
    }

    /** Whether it is trained. */
    public boolean learns() {
        return role instanceof Role.Learns;
    }

    /** Recompute block insides during the backward pass instead of storing them. */
    void recompute(boolean on) {
        recompute = on;
        respondent.recompute(on);
    }

    /** Its answer to a question; {@link Pass#ask} asks equal questions once. */
    public Answer ask(Question question, Set<String> taps) {
        if (question.gradient() == Gradient.PARAMETERS && !learns()) {
            throw new IllegalArgumentException(name + " does not learn, so no gradient leads to its weights");
        }
        frozenCalls +=
                (long) question.times().length * respondent.frozenCalls(question, !(role instanceof Role.Frozen));
        if (question.gradient() != Gradient.THROUGH || !learns()) {
            return respondent.ask(question, taps);
        }
        // A block that is run again in the backward pass would find its weights trainable then.
        try {
            trainable(false);
            respondent.recompute(false);
            return respondent.ask(question, taps);
        } finally {
            trainable(true);
            respondent.recompute(recompute);
        }
    }

    /** Calls of frozen networks, an image each, that it was asked for since this was asked last. */
    long takeFrozenCalls() {
        long calls = frozenCalls;
        frozenCalls = 0;
        return calls;
    }

    private void trainable(boolean on) {
        network().train(parameter -> on && trained.test(parameter));
    }

    /** Chooses which of its parameters have gradients. */
    void train(Predicate<String> parameters) {
        trained = parameters;
        trainable(true);
    }

    @Override
    public void close() {
        network().close();
    }
}
