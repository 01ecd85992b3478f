package dev.retort.train;

import dev.retort.config.CardFile;
import dev.retort.config.Require;
import dev.retort.nn.Affine;
import dev.retort.nn.FakeQuant;
import dev.retort.nn.LowRank;
import dev.retort.quantize.FakeQuantization;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.bytedeco.pytorch.Tensor;
import tools.jackson.databind.node.ObjectNode;

/** What a player that learns has beside its network: parts of its losses, optimiser, moving averages, guard. */
final class Learner implements Stateful, AutoCloseable {
    private static final List<String> OF_PARTS =
            List.of("extra.", "optimizer.mean.", "optimizer.square.", "optimizer.step.");

    private final Player player;
    private final Player.Role.Learns role;
    private final TermNames.Parts parts;
    private final boolean published;
    private final Optimizer optimizer;
    private final List<Ema> averages = new ArrayList<>();
    private LossGuard guard = new LossGuard(LossGuard.Memory.NONE);
    private long steps;

    /** What stands in {@code state.json}. */
    private record Numbers(long steps, LossGuard.Memory guard) {
        Numbers {
            Require.atLeast("steps", steps, 0);
            Require.that(guard != null, "guard", null, "what the guard remembers");
        }
    }

    /**
     * @param published whether its first average is the model that a checkpoint holds in a file of its own
     * @param batch images of a step
     */
    Learner(Player player, Player.Role.Learns role, TermNames.Parts parts, boolean published, int batch) {
        this.player = player;
        this.role = role;
        this.parts = parts;
        this.published = published;
        Map<String, Tensor> trained = new LinkedHashMap<>(player.network().parameters());
        trained.putAll(parts.parameters());
        optimizer = role.optimizer().build(trained);
        role.averages().ifPresent(ema -> ema.decays()
                .forEach(decay -> averages.add(ema.average(decay, batch, player.network()::mergedState))));
    }

    Player player() {
        return player;
    }

    /**
     * Its weights for whoever asks, adapters merged: the first moving average, or where it keeps none, those in training. An average is of
     * merged weights, since the product of two averaged factors is not the average of their products.
     */
    Map<String, Tensor> weights() {
        return averages.isEmpty()
                ? player.network().mergedState()
                : averages.get(0).weights();
    }

    /** Gives its network adapters, which it has none of. */
    void attach(Adapters adapters) {
        adapters.attach(player.network());
        optimizer.add(adapterTensors());
    }

    /** Has its network compute by rounding from now on, which it does not yet. */
    void quantize(FakeQuantization how, boolean measured) {
        if (measured) {
            how.attachMeasured(player.network());
        } else {
            how.attach(player.network());
        }
        optimizer.add(own(FakeQuant::owns));
        averages.forEach(Ema::add);
    }

    /** Whether its network computes by rounding. */
    boolean isQuantized() {
        return FakeQuantization.isIn(player.network().parameters());
    }

    /** Merges its network's adapters, where it has some, into the weights. */
    void merge() {
        drop(Affine::merge);
    }

    /** Takes its network's adapters and scales off, where it has some. */
    void detach() {
        drop(Affine::detach);
        optimizer.remove(own(FakeQuant::owns).keySet());
        averages.forEach(ema -> ema.remove(FakeQuant::owns));
        forEachProduct(Affine::unquantize);
    }

    private void drop(Consumer<Affine> how) {
        optimizer.remove(adapterTensors().keySet());
        forEachProduct(how);
    }

    private void forEachProduct(Consumer<Affine> how) {
        player.network().layers().values().forEach(layer -> {
            if (layer instanceof Affine affine) {
                how.accept(affine);
            }
        });
    }

    private Map<String, Tensor> adapterTensors() {
        return own(LowRank::owns);
    }

    /** The parameters of its network with such names. */
    private Map<String, Tensor> own(Predicate<String> names) {
        Map<String, Tensor> tensors = player.network().parameters();
        tensors.keySet().removeIf(names.negate());
        return tensors;
    }

    /** Whether its network has adapters. */
    boolean isAdapted() {
        return !adapterTensors().isEmpty();
    }

    /** Chooses what a phase moves: the adapters alone where there are some. */
    void train(Phase phase) {
        player.train(isAdapted() ? LowRank::owns : phase::trains);
    }

    /** Steps not taken so far. */
    long skipped() {
        return guard.memory().skipped();
    }

    /** A stage with other losses begins. */
    void startStage() {
        guard.startStage();
    }

    /** Begins anew from the weights that its network has now. */
    void startAnew() {
        optimizer.reset();
        averages.forEach(Ema::restart);
        steps = 0;
        guard = new LossGuard(LossGuard.Memory.NONE);
    }

    /** What a step did. */
    record Step(double gradientNorm, boolean clipped, boolean taken) {}

    /** Clips and, where the guard lets it, moves the parameters along the gradients, and the averages after them. */
    Step step(OptimizerConfig settings, double rate, double loss, long imagesSeen) {
        optimizer.configure(settings);
        double norm = optimizer.clip();
        boolean taken = guard.accept(loss, norm, imagesSeen);
        if (taken) {
            optimizer.step(rate);
            averages.forEach(ema -> ema.update(steps));
            steps++;
        }
        return new Step(norm, settings.clip() > 0 && norm > settings.clip(), taken);
    }

    /** The optimiser's settings where a stage has no others. */
    OptimizerConfig settings() {
        return role.optimizer();
    }

    void dropGradients() {
        optimizer.dropGradients();
    }

    /** Parameters of the network that no gradient has reached since they were dropped. */
    List<String> unreached() {
        List<String> unreached = new ArrayList<>(optimizer.unreached());
        unreached.removeAll(parts.parameters().keySet());
        unreached.retainAll(player.network().trainable().keySet());
        return unreached;
    }

    @Override
    public String name() {
        return player.name();
    }

    @Override
    public Map<String, Tensor> tensors() {
        Map<String, Tensor> all = player.saved();
        parts.parameters().forEach((name, tensor) -> all.put("extra." + name, tensor));
        for (Ema ema : averages) {
            boolean elsewhere = published && ema == averages.get(0); // but for scales, which are in no model of floats
            ema.weights().forEach((name, tensor) -> {
                if (!elsewhere || FakeQuant.owns(name)) {
                    all.put("ema-" + ema.decay() + "." + name, tensor);
                }
            });
        }
        optimizer.state().forEach((name, tensor) -> all.put("optimizer." + name, tensor));
        return all;
    }

    @Override
    public Map<String, String> formerNames() {
        Map<String, String> former = new LinkedHashMap<>();
        parts.formerNames().forEach((name, old) -> OF_PARTS.forEach(prefix -> former.put(prefix + name, prefix + old)));
        return former;
    }

    @Override
    public ObjectNode numbers() {
        return (ObjectNode) CardFile.tree(new Numbers(steps, guard.memory()));
    }

    @Override
    public void restore(ObjectNode numbers) {
        Numbers saved = CardFile.value(numbers, Numbers.class);
        steps = saved.steps;
        guard = new LossGuard(saved.guard);
    }

    @Override
    public void close() {
        optimizer.close();
        averages.forEach(Ema::close);
    }
}
