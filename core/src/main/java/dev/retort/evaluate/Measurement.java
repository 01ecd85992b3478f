package dev.retort.evaluate;

import dev.retort.config.Require;
import dev.retort.report.Progress;
import dev.retort.torch.Precision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Speed and memory of models, each in a process of its own, all alive at once and drawing in turn, so that whatever else
 * the machine does falls on all of them alike.
 *
 * @param batch images drawn together
 * @param rounds how often each model gets its turn after the warm-up; 0 for no measurement at all
 * @param batchesPerRound batches in a turn
 * @param device {@code cpu} or {@code cuda:n}
 * @param precision arithmetic of the networks
 * @param threads CPU threads; 0 for the automatic number
 */
public record Measurement(int batch, int rounds, int batchesPerRound, String device, Precision precision, int threads) {
    private static final long REST_MILLIS = 100;

    /** Validates. */
    public Measurement {
        Require.atLeast("batch", batch, 1);
        Require.atLeast("rounds", rounds, 0);
        Require.atLeast("batchesPerRound", batchesPerRound, 1);
    }

    /** Measures all, nothing with 0 rounds; the first is what the speed of the others is compared with. */
    public Map<Candidate, Cost> of(List<Candidate> candidates, Progress progress) {
        if (rounds == 0) {
            return Map.of();
        }
        long baseline = baselineBytes(candidates.get(0));
        List<Found> found = inTurn(
                candidates.stream().map(Candidate::name).toList(),
                candidates.stream().map(candidate -> request(candidate, false)).toList(),
                progress);
        Map<Candidate, Cost> costs = new LinkedHashMap<>();
        for (int i = 0; i < found.size(); i++) {
            Candidate candidate = candidates.get(i);
            costs.put(
                    candidate,
                    new Cost(
                            candidate.parameters(),
                            candidate.card().network().macs(),
                            candidate.networkCalls(),
                            found.get(i).median(),
                            median(ratios(
                                    found.get(0).secondsPerImage(), found.get(i).secondsPerImage())),
                            Math.max(
                                    0, found.get(i).peakBytes() - baseline))); // a tiny network may need less by chance
        }
        return costs;
    }

    /**
     * What a process found.
     *
     * @param secondsPerImage of each round
     * @param peakBytes the most resident memory that it had
     */
    record Found(double[] secondsPerImage, long peakBytes) {
        double median() {
            return Measurement.median(secondsPerImage);
        }
    }

    /** The rounds: a process for each request, all alive at once, which draw in turn. */
    List<Found> inTurn(List<String> names, List<CostProbe.ProbeRequest> requests, Progress progress) {
        int turns = requests.size() * (rounds + 1);
        int turn = 0;
        boolean spin = requests.stream().anyMatch(request -> request.engine() == Engine.ONNX_RUNTIME);
        List<CostProbeProcess> children = new ArrayList<>();
        try {
            for (int i = 0; i < requests.size(); i++) {
                CostProbeProcess child = new CostProbeProcess(names.get(i), requests.get(i));
                children.add(child);
                child.answer(); // it has loaded
                turn(child, 1); // warm-up: kernels are chosen, buffers allocated
                progress.update(++turn, turns, names.get(i) + " warmed up");
            }
            double[][] seconds = new double[requests.size()][rounds];
            long[] peak = new long[requests.size()];
            for (int round = 0; round < rounds; round++) {
                for (int i = 0; i < children.size(); i++) {
                    if (spin) {
                        rest();
                    }
                    Map<String, Double> answer = turn(children.get(i), batchesPerRound);
                    seconds[i][round] = answer.get("seconds") / (batchesPerRound * batch);
                    peak[i] = answer.get("peakBytes").longValue();
                    progress.update(++turn, turns, names.get(i));
                }
            }
            return IntStream.range(0, requests.size())
                    .mapToObj(i -> new Found(seconds[i], peak[i]))
                    .toList();
        } finally {
            children.forEach(CostProbeProcess::close);
        }
    }

    /** ONNX Runtime's threads spin for a while when their work is done, which would slow whose turn is next. */
    private static void rest() {
        try {
            Thread.sleep(REST_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Images each candidate draws in all. */
    int images() {
        return rounds == 0 ? 0 : batch * (1 + rounds * batchesPerRound);
    }

    /** Processes that are started for so many candidates: one for each, and one with next to no network. */
    int processes(int candidates) {
        return rounds == 0 ? 0 : candidates + 1;
    }

    /** What a reader of the figures must know. */
    public List<String> notes() {
        return rounds == 0
                ? List.of("Speed and memory were not measured.")
                : List.of("Speed and memory: each model in a process of its own, rounds in turn: " + rounds
                        + ", batches of " + batch + " images in each: " + batchesPerRound + "; "
                        + precision.name().toLowerCase(Locale.ROOT) + " on " + device
                        + "; medians. Peak memory is "
                        + (device.equals("cpu") ? "resident memory" : "that of tensors on the GPU")
                        + " above that of a process which draws as many images of that size with a network of next to no "
                        + "weights: library, Java and compiled code count in neither.");
    }

    /**
     * Peak memory of a process that loads next to nothing. It is the first; should it have had to time kernels, which takes
     * memory too, a second one is asked, which reads what was found as the candidates do.
     */
    private long baselineBytes(Candidate candidate) {
        try (CostProbeProcess first = new CostProbeProcess("the baseline", request(candidate, true))) {
            if (first.answer().get(CostProbe.TIMED_KERNELS) == 0) {
                return peakBytes(first);
            }
        }
        try (CostProbeProcess second = new CostProbeProcess("the baseline", request(candidate, true))) {
            second.answer();
            return peakBytes(second);
        }
    }

    private long peakBytes(CostProbeProcess child) {
        return turn(child, 1 + rounds * batchesPerRound).get("peakBytes").longValue();
    }

    private CostProbe.ProbeRequest request(Candidate candidate, boolean baseline) {
        return new CostProbe.ProbeRequest(
                Engine.LIBTORCH,
                candidate.model().toAbsolutePath().toString(),
                baseline,
                candidate.sampling(),
                batch,
                device,
                precision,
                threads,
                candidate.autoencoder());
    }

    private static Map<String, Double> turn(CostProbeProcess child, int batches) {
        child.send(Integer.toString(batches));
        return child.answer();
    }

    private static double[] ratios(double[] first, double[] other) {
        double[] ratios = new double[first.length];
        Arrays.setAll(ratios, i -> first[i] / other[i]);
        return ratios;
    }

    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
