package dev.retort.train;

import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;

/** A configuration with parts of its run exchanged, each for the one of its type. */
final class Altered {
    private Altered() {}

    static TrainConfig with(TrainConfig config, Object... parts) {
        RunConfig run = config.run();
        return new TrainConfig(
                config.images(),
                config.model(),
                config.objective(),
                new RunConfig(
                        run.seed(),
                        run.batch(),
                        pick(DataConfig.class, run.data(), parts),
                        pick(OptimizerConfig.class, run.optimizer(), parts),
                        pick(EmaConfig.class, run.ema(), parts),
                        pick(ComputeConfig.class, run.compute(), parts),
                        pick(LogConfig.class, run.log(), parts),
                        pick(SamplingSpec.class, run.sampling(), parts)));
    }

    private static <T> T pick(Class<T> type, T before, Object... parts) {
        for (Object part : parts) {
            if (type.isInstance(part)) {
                return type.cast(part);
            }
        }
        return before;
    }
}
