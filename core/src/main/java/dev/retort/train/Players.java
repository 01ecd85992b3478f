package dev.retort.train;

import dev.retort.config.CardFile;
import dev.retort.torch.Boxed;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import tools.jackson.databind.node.ObjectNode;

/** Everybody who takes part in a run, and what each of them has that must be saved. */
final class Players implements AutoCloseable {
    private final Map<String, Player> all = new LinkedHashMap<>();
    private final Map<String, Learner> learners = new LinkedHashMap<>();
    private final List<Stateful> states = new ArrayList<>();
    private final String published;

    /**
     * @param published whose first average is the result
     * @param batch images of a step
     */
    Players(List<Player> players, List<Stage> stages, TermNames terms, String published, int batch) {
        this.published = published;
        for (Player player : players) {
            if (all.put(player.name(), player) != null) {
                throw new IllegalArgumentException("two players are named " + player.name());
            }
            if (player.role() instanceof Player.Role.Learns role) {
                learners.put(
                        player.name(),
                        new Learner(
                                player,
                                role,
                                terms.parts(player.name()),
                                player.name().equals(published),
                                batch));
            }
        }
        states.add(learner(published));
        for (Player player : players) {
            if (learners.containsKey(player.name())) {
                if (!player.name().equals(published)) {
                    states.add(learners.get(player.name()));
                }
            } else if (changes(player, stages)) {
                states.add(new Weights(player));
            }
        }
        stages.forEach(stage -> stage.phases().forEach(phase -> learner(phase.player())));
    }

    /** Whether weights that are not trained differ from those the player was made with. */
    private static boolean changes(Player player, List<Stage> stages) {
        return player.role() instanceof Player.Role.Follows
                || stages.stream().anyMatch(stage -> stage.starts().containsKey(player.name()));
    }

    /** The weights of a player that is not trained but changes. */
    private record Weights(Player player) implements Stateful {
        @Override
        public String name() {
            return player.name();
        }

        @Override
        public Map<String, Tensor> tensors() {
            return player.saved();
        }

        @Override
        public ObjectNode numbers() {
            return (ObjectNode) CardFile.tree(Map.of());
        }

        @Override
        public void restore(ObjectNode numbers) {}
    }

    /** All by name. */
    Map<String, Player> all() {
        return all;
    }

    /** What a player that learns has for it. */
    Learner learner(String name) {
        Learner learner = learners.get(name);
        if (learner == null) {
            throw new IllegalArgumentException("the player " + name + " is trained in a phase, but none that learns has"
                    + " that name, only " + learners.keySet());
        }
        return learner;
    }

    /** All that learn. */
    Iterable<Learner> learners() {
        return learners.values();
    }

    /** What a checkpoint holds, that of the result first. */
    List<Stateful> states() {
        return states;
    }

    /** The weights of the result, with the scales by which it computes where it does so by rounding. */
    Map<String, Tensor> result() {
        return learner(published).weights();
    }

    /** The weights of any player, the first moving average where it learns. */
    private Map<String, Tensor> weights(String name) {
        return learners.containsKey(name)
                ? learners.get(name).weights()
                : all.get(name).network().state();
    }

    /** Frees those who take part no longer in a stage. */
    void dismiss(Stage stage) {
        for (String name : stage.gone()) {
            Player player = all.remove(name);
            if (player != null) {
                Learner learner = learners.remove(name);
                if (learner != null) {
                    learner.close();
                }
                states.removeIf(state -> state.name().equals(name));
                player.close();
            }
        }
    }

    /**
     * Begins a stage: who takes part no longer goes, adapters of the one before are merged, whoever starts it with other weights gets them, everybody's guard forgets what
     * was usual.
     */
    void begin(Stage stage) {
        dismiss(stage);
        learners.values().forEach(learner -> {
            learner.merge();
            learner.startStage();
        });
        stage.starts().forEach((name, start) -> {
            try (Scope scope = Scope.open()) {
                start.apply(all.get(name).network(), this::weights);
            }
            if (learners.containsKey(name)) {
                learners.get(name).startAnew();
            }
        });
        attach(stage, true);
    }

    /**
     * Gives players the adapters and scales that they have in a stage.
     *
     * @param measured whether scales get their first values, which takes samples; where they are restored next they need none
     * @return who had none and has some now
     */
    List<Learner> attach(Stage stage, boolean measured) {
        List<Learner> adapted = new ArrayList<>();
        stage.quantized().forEach((name, how) -> {
            Learner learner = learner(name);
            if (!learner.isQuantized()) {
                learner.quantize(how, measured);
                adapted.add(learner);
            }
        });
        stage.adapters().forEach((name, adapters) -> {
            Learner learner = learner(name);
            if (!learner.isAdapted()) {
                learner.attach(adapters);
                adapted.add(learner);
            }
        });
        return adapted;
    }

    /** After a step of a player: those that follow it do so. */
    void follow(String name) {
        for (Player player : all.values()) {
            if (player.role() instanceof Player.Role.Follows role
                    && role.player().equals(name)) {
                try (Scope scope = Scope.open();
                        NoGrad off = NoGrad.on()) {
                    Map<String, Tensor> followed = all.get(name).network().mergedState();
                    Map<String, Tensor> own = player.network().state();
                    Boxed.call(
                            "aten::_foreach_lerp_",
                            "Scalar",
                            List.copyOf(own.values()),
                            own.keySet().stream().map(followed::get).toList(),
                            1 - role.decay());
                }
            }
        }
    }

    /** Calls of frozen networks, an image each, since this was asked last. */
    long takeFrozenCalls() {
        return all.values().stream().mapToLong(Player::takeFrozenCalls).sum();
    }

    /** Nobody's gradients of one phase may enter the next. */
    void dropGradients() {
        learners.values().forEach(Learner::dropGradients);
    }

    /** Frees optimisers and averages; the players belong to who made them. */
    @Override
    public void close() {
        learners.values().forEach(Learner::close);
    }
}
