package dev.retort.train;

/** A configuration with parts of its run exchanged, each for the one of its type. */
final class Altered {
    private Altered() {}

    static TrainConfig with(TrainConfig config, Record... parts) {
        RunConfig run = config.run();
        return new TrainConfig(
                config.images(),
                config.model(),
                config.objective(),
                new RunConfig(
                        run.seed(),
                        run.batch(),
                        pick(run.data(), parts),
                        pick(run.optimizer(), parts),
                        pick(run.ema(), parts),
                        pick(run.compute(), parts),
                        pick(run.log(), parts),
                        pick(run.sampling(), parts)));
    }

    @SuppressWarnings("unchecked") // of the very class of what it replaces
    private static <T extends Record> T pick(T before, Record... parts) {
        for (Record part : parts) {
            if (part.getClass() == before.getClass()) {
                return (T) part;
            }
        }
        return before;
    }
}
