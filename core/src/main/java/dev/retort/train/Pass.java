package dev.retort.train;

import dev.retort.data.Prompts;
import dev.retort.model.Answer;
import dev.retort.model.Condition;
import dev.retort.model.Question;
import dev.retort.torch.Scope;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;

/**
 * Part of a batch on its way through the losses of a phase: all that a loss may know. What is made here is made when it is first
 * asked for, and once; its tensors live as long as the pass.
 */
public abstract class Pass {
    /**
     * What surrounds a pass.
     *
     * @param player who is being trained
     * @param players all players by name
     * @param taps the intermediates that each player hands out with its answers
     * @param seed seed of the run
     * @param clock where the run stands
     */
    public record Context(
            String player, Map<String, Player> players, Map<String, Set<String>> taps, long seed, Clock clock) {}

    private record Asked(String player, Question question) {}

    private final Context context;
    private final long firstImage;
    private final int count;
    private final Scope.Home home = Scope.here();
    private final Map<Asked, Answer> answers = new HashMap<>();
    private final Map<String, Object> made = new HashMap<>();

    /**
     * @param firstImage place of the first image on the clock of images seen
     * @param count images of this part
     */
    protected Pass(Context context, long firstImage, int count) {
        this.context = context;
        this.firstImage = firstImage;
        this.count = count;
    }

    /** Number of images. */
    public final int count() {
        return count;
    }

    /** Name of the player that is being trained. */
    public final String player() {
        return context.player;
    }

    /** Where the run stands. */
    public final Clock clock() {
        return context.clock;
    }

    /** A player by its name. */
    public final Player player(String name) {
        Player player = context.players.get(name);
        if (player == null) {
            throw new IllegalArgumentException("there is no player " + name + ", only " + context.players.keySet());
        }
        return player;
    }

    /** Asks a player. An equal question is asked once, however many losses want to know. */
    public final Answer ask(String player, Question question) {
        if (question.gradient() == Question.Gradient.PARAMETERS && !player.equals(context.player)) {
            throw new IllegalArgumentException("gradients to the weights of " + player + " were asked for while "
                    + context.player + " is trained; ask with THROUGH or NONE");
        }
        return answers.computeIfAbsent(
                new Asked(player, question),
                asked -> home.make(() -> player(player).ask(question, context.taps.getOrDefault(player, Set.of()))));
    }

    /** Asks a player the usual question: with a graph to the weights of the one that is trained, as a constant any other. */
    public final Answer ask(String player) {
        return ask(
                player,
                usual(player, player.equals(context.player) ? Question.Gradient.PARAMETERS : Question.Gradient.NONE));
    }

    /** The question about the images of this pass, as that player sees them. */
    public abstract Question usual(String player, Question.Gradient gradient);

    /** The images with the noise that all players see alike, at that player's own size. */
    public abstract NoisyBatch noisy(String player);

    /**
     * The images with the same noise at times of the caller's choice, one for each, at the size of the player that is trained.
     *
     * @param times in the network's units
     */
    public abstract NoisyBatch noisy(double[] times);

    /** The images (N, C, H, W), as the player that is trained sees them without noise. */
    public abstract Tensor clean();

    /** What networks are told of the images, nothing where it is dropped. */
    public abstract Condition condition();

    /** The condition that tells nothing of any image. */
    public abstract Condition none();

    /** What networks are told of other images than those of this pass. */
    public abstract Condition condition(Prompts prompts);

    /** Where on the way from image (0) to noise (1) the usual question asks, for logs; empty before it was asked. */
    public Optional<double[]> places() {
        return Optional.empty();
    }

    /** Random numbers under a name of the loss's choice; asked for again they begin anew. */
    public final Draws draws(String stream) {
        return draws(stream, 0);
    }

    /** The same for what is drawn several times under one name, such as for each step of a solver: its number, 0..255. */
    public final Draws draws(String stream, int number) {
        return new Draws(
                context.seed,
                stream,
                number,
                firstImage,
                count,
                player(context.player).network().device());
    }

    /** What several losses of the phase need, made by the first of them. */
    @SuppressWarnings("unchecked") // one name stands for one thing
    public final <T> T once(String name, Supplier<T> maker) {
        if (!made.containsKey(name)) {
            made.put(name, home.make(maker));
        }
        return (T) made.get(name);
    }
}
