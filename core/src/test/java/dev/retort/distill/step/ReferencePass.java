package dev.retort.distill.step;

import dev.retort.data.Prompts;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.model.Condition;
import dev.retort.model.Question;
import dev.retort.torch.Device;
import dev.retort.torch.Tensors;
import dev.retort.train.Clock;
import dev.retort.train.NoisyBatch;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.Pass;
import dev.retort.train.Player;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Pictures and noise of the reference numbers; {@code student} is the player that is trained. */
final class ReferencePass extends Pass {
    private final NoiseSchedule schedule;
    private final Tensor clean;
    private final Tensor noise;
    private final Condition condition;

    ReferencePass(
            Map<String, dev.retort.model.Respondent> all,
            NoiseSchedule schedule,
            double[] clean,
            double[] noise,
            Condition condition) {
        super(
                new Context("student", players(all), Map.of(), 0, new Clock(0, 0, 0, 0)),
                0,
                ClosedFormNetwork.Spec.PICTURES);
        this.schedule = schedule;
        this.clean = pictures(clean);
        this.noise = pictures(noise);
        this.condition = condition;
    }

    private static Map<String, Player> players(Map<String, dev.retort.model.Respondent> all) {
        OptimizerConfig any = new OptimizerConfig(1e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 1);
        Map<String, Player> players = new HashMap<>();
        all.forEach((name, respondent) -> players.put(
                name,
                name.equals("student")
                        ? new Player(name, respondent, new Player.Role.Learns(any))
                        : Player.frozen(name, respondent)));
        return players;
    }

    /** Numbers as pictures (4, 3, 4, 4). */
    static Tensor pictures(double... values) {
        return Tensors.of(values, Device.CPU).view(ClosedFormNetwork.Spec.PICTURES, 3, 4, 4);
    }

    @Override
    public Tensor clean() {
        return clean;
    }

    @Override
    public NoisyBatch noisy(double[] times) {
        return NoisyBatch.of(clean, noise, times, schedule, condition);
    }

    @Override
    public NoisyBatch noisy(String player) {
        throw new IllegalStateException("the cases say their times");
    }

    @Override
    public Question usual(String player, Question.Gradient gradient) {
        throw new IllegalStateException("the cases say their times");
    }

    @Override
    public Condition condition() {
        return condition;
    }

    @Override
    public Condition none() {
        throw new IllegalStateException("every picture of the cases has a class");
    }

    @Override
    public Condition condition(Prompts prompts) {
        throw new IllegalStateException("every picture of the cases has a class");
    }
}
