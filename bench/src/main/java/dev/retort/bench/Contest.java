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
 * Several implementations of one case, each in a process of its own, in turn (A B C A B C …), so that all see the same
 * machine; its own speed then cancels out of the ratios. A turn is a step, or as many short ones as follow each other in a
 * training or a sampling: a single one would find threads asleep and caches full of what the others left there.
 */
final class Contest {
    private static final int WARM_UP = 2;
    /** A turn lasts about so long for the fastest. */
    private static final double TURN_SECONDS = 0.4;

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
     * @param seconds of a step in each round
     * @param cpuSeconds its processor time, all threads: what a busy machine disturbs least
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
        long values = what.spec().parameters();
        return BYTES_BESIDE + values * (what.train() ? BYTES_PER_VALUE_TRAINING : BYTES_PER_VALUE_SAMPLING);
    }

    private static Map<String, Times> together(BenchCase what, List<Entrant> entrants, double seconds) {
        Map<String, Worker> workers = new LinkedHashMap<>();
        Map<String, List<JsonNode>> rounds = new LinkedHashMap<>();

        Map<String, Long> parameters = new LinkedHashMap<>();
        double fastest = Double.MAX_VALUE;
        try {
            for (Entrant entrant : entrants) {
                Worker worker = entrant.start.get();
                workers.put(entrant.name, worker);
                rounds.put(entrant.name, new ArrayList<>());
                JsonNode opened = worker.ask(what.open(entrant.compiled));
                parameters.put(entrant.name, opened.get("parameters").asLong());
                double[] warm = values(worker.ask(Map.of("op", "run", "count", WARM_UP)), "seconds");
                fastest = Math.min(fastest, warm[WARM_UP - 1]);
            }
            int steps = (int) Math.ceil(TURN_SECONDS / fastest);
            long end = System.nanoTime() + (long) (seconds * 1e9);
            for (int round = 0; round < FEWEST_ROUNDS || (round < MOST_ROUNDS && System.nanoTime() < end); round++) {
                workers.forEach(
                        (name, worker) -> rounds.get(name).add(worker.ask(Map.of("op", "run", "count", steps))));
            }
            Map<String, Times> times = new LinkedHashMap<>();
            rounds.forEach((name, answers) -> times.put(
                    name,
                    new Times(
                            steps(answers, "seconds"),
                            steps(answers, "cpu_seconds"),
                            answers.get(answers.size() - 1).get("peak_rss_mb").asDouble(),
                            workers.get(name).hello().path("empty_rss_mb").asDouble(0),
                            parameters.get(name))));
            return times;
        } finally {
            workers.values().forEach(Worker::close);
        }
    }

    /** Of each turn the median of its later half. */
    private static double[] steps(List<JsonNode> answers, String field) {
        return answers.stream()
                .map(answer -> values(answer, field))
                .mapToDouble(steps -> middle(Arrays.copyOfRange(steps, steps.length / 2, steps.length)))
                .toArray();
    }

    private static double[] values(JsonNode answer, String field) {
        return answer.get(field).valueStream().mapToDouble(JsonNode::asDouble).toArray();
    }

    static double middle(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int n = sorted.length;
        return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    }
}
