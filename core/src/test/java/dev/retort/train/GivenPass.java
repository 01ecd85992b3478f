package dev.retort.train;

import dev.retort.data.Prompts;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.model.Condition;
import dev.retort.model.Predictor;
import dev.retort.model.Question;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.Tensor;

/** Noisy images that a test made, for losses on their own. */
public class GivenPass extends Pass {
    private final NoisyBatch noisy;

    /** @param players the first one is trained */
    public GivenPass(NoisyBatch noisy, Map<String, Set<String>> taps, Player... players) {
        super(
                new Context(
                        players[0].name(),
                        Arrays.stream(players).collect(Collectors.toMap(Player::name, Function.identity())),
                        taps,
                        7,
                        new Clock(0, 0, 0, 0)),
                0,
                noisy.count());
        this.noisy = noisy;
    }

    /** A loss of such images. */
    public static Tensor perSample(Loss loss, NoisyBatch noisy, Player... players) {
        return loss.perSample(new GivenPass(noisy, loss.taps(), players));
    }

    @Override
    public NoisyBatch noisy(String player) {
        return noisy.paired() != null
                        && player(player).respondent().images().height()
                                == noisy.paired().clean().size(2)
                ? noisy.paired()
                : noisy;
    }

    @Override
    public NoisyBatch noisy(double[] times) {
        NoiseSchedule schedule = ((Predictor) player(player()).respondent()).schedule();
        return NoisyBatch.of(noisy.clean(), noisy.noise(), times, schedule, noisy.condition());
    }

    @Override
    public Question usual(String player, Question.Gradient gradient) {
        NoisyBatch at = noisy(player);
        return new Question(at.noisy(), at.times(), at.condition(), gradient);
    }

    @Override
    public Tensor clean() {
        return noisy.clean();
    }

    @Override
    public Condition condition() {
        return noisy.condition();
    }

    @Override
    public Condition none() {
        throw new IllegalStateException("the test gave conditions, and nobody who makes others");
    }

    @Override
    public Condition condition(Prompts prompts) {
        return none();
    }
}
