package dev.retort.evaluate;

import java.util.Map;

/**
 * What was measured of a model in one of its forms.
 *
 * @param name the form: {@code fp32}, {@code bf16} or a preset
 * @param engine what computed it
 * @param bytes size of its file
 * @param speed how fast it is; null where that was not measured
 * @param distances Fréchet distances to real images by name; none where no images were judged
 * @param error of its pixels, relative to those of the model in fp32 from the same noise
 * @param psnr of the same, in dB; null where they are equal
 * @param integers whether its products are of 8 bits
 * @param why it could not be made or computed, null where it could; then all else is null, 0 or empty
 */
public record BenchmarkRow(
        String name,
        Engine engine,
        long bytes,
        Speed speed,
        Map<String, Double> distances,
        Double error,
        Double psnr,
        boolean integers,
        String why) {
    /**
     * Medians over the rounds.
     *
     * @param secondsAlone for an image, one at a time, on all cores
     * @param secondsTogether for an image, eight at a time, on all cores
     * @param perSecondOnOneThread images, eight at a time
     * @param perSecondOnTwoThreads images, eight at a time
     * @param peakBytes the most resident memory of its process, with eight at a time on all cores: engine and Java included
     */
    public record Speed(
            double secondsAlone,
            double secondsTogether,
            double perSecondOnOneThread,
            double perSecondOnTwoThreads,
            long peakBytes) {}

    /**
     * Whether its quality stays within a budget.
     *
     * @param full the model in fp32
     * @param budget by which share each distance may be larger than that of {@code full}; where no images were judged, how large the
     *     relative error of pixels may be
     */
    public boolean within(BenchmarkRow full, double budget) {
        if (why != null) {
            return false;
        }
        if (distances.isEmpty()) {
            return error <= budget;
        }
        return distances.entrySet().stream()
                .allMatch(one -> one.getValue() <= full.distances.get(one.getKey()) * (1 + budget));
    }

    /** {@code int8-static in libtorch}. */
    public String text() {
        return name + " in " + engine;
    }

    BenchmarkRow with(Speed measured) {
        return new BenchmarkRow(name, engine, bytes, measured, distances, error, psnr, integers, why);
    }
}
