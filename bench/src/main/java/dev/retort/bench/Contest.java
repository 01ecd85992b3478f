package dev.retort.bench;

import dev.retort.torch.Machine;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/**
 * Several implementations of one case, each in a process of its own, a step of each in turn (A B C A B C …), so that all
 * see the same machine; its own speed then cancels out of the ratios.
 */
final class Contest {
    private static final int WARM_UP = 2;
    private static final int FEWEST_ROUNDS = 3;
    private static final int MOST_ROUNDS = 40;
    /** fp32 weights, gradients, two moments and an average in training; fp32 and bf16 weights in sampling. */
    private static final int BYTES_PER_VALUE_TRAINING = 20;

    private static final int BYTES_PER_VALUE_SAMPLING = 6;
    private static final long BYTES_BESIDE = 2L << 30;

    /**
     * How one implementation takes part.
     *
     * @param name column in the report
     * @param start starts its process
     * @param compiled whether the case is opened compiled
     */
    record Entrant(String name, Supplier<Worker> start, boolean compiled) {}

    /**
     * What was measured of one implementation.
     *
     * @param seconds of each round
     * @param cpuSeconds processor time of each round, all threads: what a busy machine disturbs least
     * @param peakMegabytes highest resident memory of its process
     * @param emptyMegabytes resident memory before the network was built, 0 where it does not say
     * @param parameters trained values
     */
    record Times(double[] seconds, double[] cpuSeconds, double peakMegabytes, double emptyMegabytes, long parameters) {
        double median() {
            return middle(seconds);
        }

        double least() {
            return Arrays.stream(seconds).min().orElseThrow();
        }

        /** Median over rounds of this time over the other's in the same round. */
        double ratioTo(Times other) {
            return ratio(seconds, other.seconds);
        }

        /** The same of processor time. */
        double cpuRatioTo(Times other) {
            return ratio(cpuSeconds, other.cpuSeconds);
        }

        private static double ratio(double[] ours, double[] theirs) {
            return middle(IntStream.range(0, Math.min(ours.length, theirs.length))
                    .mapToDouble(i -> ours[i] / theirs[i])
                    .toArray());
        }
    }

    /**
     * The result of a case.
     *
     * @param what the case
     * @param times by entrant
     * @param inTurn whether all ran in turn; else memory was too small and each ran alone, one after the other
     */
    record Result(BenchCase what, Map<String, Times> times, boolean inTurn) {}

    private Contest() {}

    static Result run(BenchCase what, List<Entrant> entrants, double seconds) {
        boolean inTurn = needed(what) * entrants.size() < Machine.availableBytes();
        Map<String, Times> times = new LinkedHashMap<>();
        if (inTurn) {
            times.putAll(together(what, entrants, seconds));
        } else {
            for (Entrant entrant : entrants) {
                times.putAll(together(what, List.of(entrant), seconds / entrants.size()));
            }
        }
        return new Result(what, times, inTurn);
    }

    private static long needed(BenchCase what) {
        long d = what.spec().hidden();
        long values = 18 * d * d * what.spec().depth();
        return BYTES_BESIDE + values * (what.train() ? BYTES_PER_VALUE_TRAINING : BYTES_PER_VALUE_SAMPLING);
    }

    private static Map<String, Times> together(BenchCase what, List<Entrant> entrants, double seconds) {
        Map<String, Worker> workers = new LinkedHashMap<>();
        Map<String, List<JsonNode>> rounds = new LinkedHashMap<>();

        Map<String, Long> parameters = new LinkedHashMap<>();
        try {
            for (Entrant entrant : entrants) {
                Worker worker = entrant.start.get();
                workers.put(entrant.name, worker);
                rounds.put(entrant.name, new ArrayList<>());
                JsonNode opened = worker.ask(what.open(entrant.compiled));
                parameters.put(entrant.name, opened.get("parameters").asLong());
                worker.ask(Map.of("op", "run", "count", WARM_UP));
            }
            long end = System.nanoTime() + (long) (seconds * 1e9);
            for (int round = 0; round < FEWEST_ROUNDS || (round < MOST_ROUNDS && System.nanoTime() < end); round++) {
                workers.forEach((name, worker) -> rounds.get(name).add(worker.ask(Map.of("op", "run", "count", 1))));
            }
            Map<String, Times> times = new LinkedHashMap<>();
            rounds.forEach((name, answers) -> times.put(
                    name,
                    new Times(
                            first(answers, "seconds"),
                            first(answers, "cpu_seconds"),
                            answers.get(answers.size() - 1).get("peak_rss_mb").asDouble(),
                            workers.get(name).hello().path("empty_rss_mb").asDouble(0),
                            parameters.get(name))));
            return times;
        } finally {
            workers.values().forEach(Worker::close);
        }
    }

    private static double[] first(List<JsonNode> answers, String field) {
        return answers.stream()
                .mapToDouble(answer -> answer.get(field).get(0).asDouble())
                .toArray();
    }

    static double middle(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int n = sorted.length;
        return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    }
}
