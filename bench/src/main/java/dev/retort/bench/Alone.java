package dev.retort.bench;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** What is measured of our side alone: the machine's matrix-product peak, the cost of a step's calls, memory over time. */
final class Alone {
    private static final int SKELETON_STEPS = 40;
    private static final int WARM_UP = 50;
    private static final int BLOCKS_OF_STEPS = 10;
    private static final int BLOCK = 50;

    /**
     * Resident memory of a training run.
     *
     * @param steps steps after the warm-up
     * @param firstMegabytes at the end of the warm-up
     * @param lastMegabytes at the end
     * @param widest largest distance from the first value on the way, as a share of it
     */
    record Flatness(int steps, double firstMegabytes, double lastMegabytes, double widest) {}

    private Alone() {}

    /** 10⁹ operations per second of the fastest product in this precision. */
    static double peak(boolean bf16, String device) {
        try (Worker worker = Worker.ours(device)) {
            return worker.ask(Map.of("op", "peak", "precision", bf16 ? "bf16" : "fp32"))
                    .get("gflops")
                    .asDouble();
        }
    }

    /**
     * Seconds of a step whose tensors hold next to nothing: all Java code, all crossings into native code and libtorch's
     * own dispatch, hence an upper bound of the time a full step spends outside native ops.
     */
    static double skeletonSeconds(BenchCase what, String device) {
        // On one thread: waking OpenMP's others for next to nothing takes twice as long as all of this, and is native
        // time.
        try (Worker worker = Worker.ours(device, Map.of("OMP_NUM_THREADS", "1"))) {
            Map<String, Object> open = new HashMap<>(what.open(false));
            open.put("skeleton", true);
            worker.ask(open);
            worker.ask(Map.of("op", "run", "count", WARM_UP));
            JsonNode seconds =
                    worker.ask(Map.of("op", "run", "count", SKELETON_STEPS)).get("seconds");
            double[] times = new double[seconds.size()];
            Arrays.setAll(times, i -> seconds.get(i).asDouble());
            return Contest.middle(times);
        }
    }

    /** Resident memory over 500 training steps. */
    static Flatness flatness(BenchCase what, String device) {
        // A Java heap that is not touched in advance becomes resident little by little until its first collection.
        try (Worker worker = Worker.ours(device, Map.of(), "-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch")) {
            worker.ask(what.open(false));
            double first = worker.ask(Map.of("op", "run", "count", WARM_UP))
                    .get("rss_mb")
                    .asDouble();
            double last = first;
            double widest = 0;
            for (int i = 0; i < BLOCKS_OF_STEPS; i++) {
                last = worker.ask(Map.of("op", "run", "count", BLOCK))
                        .get("rss_mb")
                        .asDouble();
                widest = Math.max(widest, Math.abs(last / first - 1));
            }
            return new Flatness(BLOCKS_OF_STEPS * BLOCK, first, last, widest);
        }
    }
}
