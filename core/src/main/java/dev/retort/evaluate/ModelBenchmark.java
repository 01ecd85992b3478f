package dev.retort.evaluate;

import dev.retort.report.Progress;
import dev.retort.report.Unit;
import dev.retort.torch.IntegerProduct;
import dev.retort.torch.Natives;
import dev.retort.torch.Precision;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Measures a model in all its forms on this machine's CPU: in libtorch and in ONNX Runtime, with the bits it has and with fewer. How good the
 * images are is computed first, then speed and memory, each form in a process of its own, drawing in turn.
 *
 * @param evaluator judges images; null where none are judged
 * @param rounds of measuring; 0 for none
 * @param notes is told what is done
 */
public record ModelBenchmark(Evaluator evaluator, int rounds, Consumer<String> notes) {
    /** Images drawn together where several are. */
    public static final int TOGETHER = 8;

    /** Images whose pixels are compared. */
    private static final int COMPARED = 64;

    private static final int IMAGES_PER_ROUND = 16;

    /** One way of measuring: images drawn together and threads. */
    private record Setting(int batch, int threads) {}

    /**
     * Measures.
     *
     * @param scratch a folder for the forms that are made
     * @return a row for each form, the model in fp32 in libtorch first
     * @throws dev.retort.error.RetortException where the model itself cannot be drawn from or is quantised; a form that cannot is a row that says why
     */
    public List<BenchmarkRow> of(Candidate candidate, Path scratch, Progress progress) {
        Portions portions = new Portions(progress, rounds > 0 ? 3 : 2);
        List<Variants.Made> all = new Variants(scratch, notes).of(candidate, portions.next(1, "make"));
        Portions drawing = new Portions(portions.next(1, "draw"), all.size());
        List<BenchmarkRow> rows = new ArrayList<>();
        Map<Integer, Variant> computed = new LinkedHashMap<>();
        byte[] expected = null;
        for (Variants.Made made : all) {
            Progress part = drawing.next(1, made.name() + " in " + made.engine());
            if (made.variant().isEmpty()) {
                rows.add(failed(made, made.why()));
                continue;
            }
            Variant variant = made.variant().get();
            try (ImageGenerator generator = variant.open(seed(), batch())) {
                byte[] pixels = pixels(generator, variant.candidate());
                expected = expected == null ? pixels : expected;
                rows.add(row(variant, generator, PixelAgreement.between(pixels, expected), part));
                computed.put(rows.size() - 1, variant);
            } catch (RuntimeException e) {
                if (rows.isEmpty()) {
                    throw e;
                }
                rows.add(failed(made, String.valueOf(e.getMessage())));
            }
        }
        if (rounds > 0) {
            List<BenchmarkRow.Speed> speeds = speeds(List.copyOf(computed.values()), portions.next(1, "measure"));
            int next = 0;
            for (int place : computed.keySet()) {
                rows.set(place, rows.get(place).with(speeds.get(next++)));
            }
        }
        return rows;
    }

    private long seed() {
        return evaluator == null ? 0 : evaluator.settings().seed();
    }

    private int batch() {
        return evaluator == null ? COMPARED : evaluator.settings().batch();
    }

    private static BenchmarkRow failed(Variants.Made made, String why) {
        return new BenchmarkRow(made.name(), made.engine(), 0, null, Map.of(), null, null, false, why);
    }

    private static byte[] pixels(ImageGenerator generator, Candidate candidate) {
        List<String> own = candidate.card().subjects();
        SampleSet samples = own.isEmpty()
                ? SampleSet.of(List.of(""), COMPARED, candidate.card().images())
                : SampleSet.of(
                        own,
                        candidate.card().text() == null
                                ? candidate.card().labels()
                                : IntStream.range(0, own.size()).boxed().toList(),
                        COMPARED,
                        candidate.card().images());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        generator.draw(samples, Progress.NONE).forEachBatch(batch -> bytes.writeBytes(batch.pixels()));
        return bytes.toByteArray();
    }

    private BenchmarkRow row(Variant variant, ImageGenerator generator, PixelAgreement agreement, Progress progress) {
        Map<String, Double> distances = new LinkedHashMap<>();
        if (evaluator != null) {
            for (Quality quality :
                    evaluator.evaluate(variant.candidate(), generator, progress).qualities()) {
                distances.put(
                        MetricName.frechet(quality.space(), quality.images()).toString(),
                        quality.frechet().value());
            }
        }
        return new BenchmarkRow(
                variant.name(),
                variant.engine(),
                variant.bytes(),
                null,
                distances,
                agreement.error(),
                Double.isInfinite(agreement.psnr()) ? null : agreement.psnr(),
                variant.multipliesIntegers(),
                null);
    }

    private List<BenchmarkRow.Speed> speeds(List<Variant> variants, Progress progress) {
        int all = Natives.threads();
        Setting alone = new Setting(1, all);
        Setting together = new Setting(TOGETHER, all);
        Setting one = new Setting(TOGETHER, 1);
        Setting two = new Setting(TOGETHER, 2);
        List<Setting> settings =
                List.of(alone, together, one, two).stream().distinct().toList();
        Portions portions = new Portions(progress, settings.size());
        Map<Setting, List<Measurement.Found>> found = new LinkedHashMap<>();
        for (Setting setting : settings) {
            String name = setting.batch() + " at once, threads: " + setting.threads();
            found.put(setting, measured(variants, setting, portions.next(1, name)));
        }
        List<BenchmarkRow.Speed> speeds = new ArrayList<>();
        for (int i = 0; i < variants.size(); i++) {
            speeds.add(new BenchmarkRow.Speed(
                    found.get(alone).get(i).median(),
                    found.get(together).get(i).median(),
                    1 / found.get(one).get(i).median(),
                    1 / found.get(two).get(i).median(),
                    found.get(together).get(i).peakBytes()));
        }
        return speeds;
    }

    private List<Measurement.Found> measured(List<Variant> variants, Setting setting, Progress progress) {
        return new Measurement(
                        setting.batch(),
                        rounds,
                        IMAGES_PER_ROUND / setting.batch(),
                        "cpu",
                        Precision.FP32,
                        setting.threads())
                .inTurn(
                        variants.stream().map(Variant::text).toList(),
                        variants.stream()
                                .map(one -> one.request(setting.batch(), setting.threads()))
                                .toList(),
                        progress);
    }

    /** The fastest of those whose quality stays within a budget ({@link BenchmarkRow#within}), eight images at a time on all cores; none where speed was not measured. */
    public static Optional<BenchmarkRow> fastest(List<BenchmarkRow> rows, double budget) {
        return rows.stream()
                .filter(row -> row.speed() != null && row.within(rows.get(0), budget))
                .min(Comparator.comparingDouble(row -> row.speed().secondsTogether()));
    }

    /** A sentence for each form with products of 8 bits that is slower than fp32 by the same engine, eight images at a time on all cores. */
    public static List<String> slower(List<BenchmarkRow> rows) {
        List<String> sentences = new ArrayList<>();
        for (BenchmarkRow row : rows) {
            rows.stream()
                    .filter(full -> row.integers() && row.speed() != null && full.speed() != null)
                    .filter(full -> full.name().equals(Variants.FULL) && full.engine() == row.engine())
                    .filter(full -> row.speed().secondsTogether() > full.speed().secondsTogether())
                    .forEach(full -> sentences.add(row.text() + " is slower here than fp32: "
                            + Unit.SECONDS.format(row.speed().secondsTogether())
                            + " an image, fp32 "
                            + Unit.SECONDS.format(full.speed().secondsTogether())));
        }
        return sentences;
    }

    /** What a reader of the figures must know. */
    public static String note(int rounds) {
        return rounds == 0
                ? "Speed and memory were not measured."
                : "Speed and memory: each form in a process of its own, rounds in turn: " + rounds + ", "
                        + IMAGES_PER_ROUND
                        + " images in each; medians. Memory is the most that the process had resident, engine and Java"
                        + " included.";
    }

    /** Which instructions computed. */
    public static String instructionSet() {
        String integers = !IntegerProduct.possible()
                ? "none multiplies whole numbers in libtorch"
                : IntegerProduct.saturates()
                        ? "products of bytes without VNNI, so 8-bit weights have 7 bits"
                        : "products of bytes by VNNI or AMX";
        return Natives.libraries() + "; " + integers;
    }
}
