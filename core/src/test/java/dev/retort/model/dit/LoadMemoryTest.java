package dev.retort.model.dit;

import dev.retort.Child;
import dev.retort.Conditions;
import dev.retort.card.DitSizes;
import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.DitCheckpoint;
import dev.retort.layout.DitLayout;
import dev.retort.layout.Hints;
import dev.retort.layout.ModelFiles;
import dev.retort.layout.Storage;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Models;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Machine;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A checkpoint is never in memory twice: the peak of a process that loads one stays below 1.15 times the weights in the
 * precision asked for, plus the process without it; of a network as small as here, below four of its
 * largest tensors more. {@code -Dretort.load.size=DiT-XL/2} measures that size.
 */
@Tag("kernels")
class LoadMemoryTest {
    private static final long START = System.nanoTime();
    private static final String SIZE = System.getProperty("retort.load.size", "6x768x12/2");

    /**
     * While a weight is prepared it is there as read, converted and laid out, and one of another size left its place. With
     * the small network, whose process varies by some MiB, this is the allowance; a second copy of all weights is far above it.
     */
    private static final int AT_WORK = 6;

    @TempDir
    Path folder;

    @Test
    void loading_needs_little_more_than_the_weights_from_every_format() throws Exception {
        DitSizes.Size size = DitSizes.parse(SIZE);
        DitSpec spec = new DitSpec(
                32, 32, 4, size.patch(), size.hidden(), size.depth(), size.heads(), 4, 1000, 0.1, true, false);
        ModelCard card = ModelCard.of(
                spec,
                ProcessSpec.ddpm(),
                SamplingSpec.of("ddim", 50, 4),
                IntStream.range(0, 1000).mapToObj(String::valueOf).toList(),
                "",
                0,
                0,
                "",
                Map.of());
        long values;
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = new Dit(spec, Init.blank(Device.CPU))) {
            dit.state().values().forEach(tensor -> tensor.normal_());
            values = dit.stateCount();
            ModelFiles.save(folder.resolve("own"), card, Weights.writer(dit.state(), Dtype.F32));
        }
        try (TensorFile own = TensorFiles.open(folder.resolve("own").resolve(ModelFiles.WEIGHTS))) {
            Storage how = new Storage(dev.retort.io.Dtype.F32, 100_000_000);
            DitLayout.ORIGINAL.write(folder.resolve("original.pt"), card, own, how);
            DitLayout.DIFFUSERS.write(folder.resolve("pipeline"), card, own, how);
        }
        long largest = 6L * size.hidden() * size.hidden() * Float.BYTES;
        SoftAssertions all = new SoftAssertions();
        // The first process of one thread times its kernels and keeps what it found; its memory is not what is asked.
        peak("empty", "bf16", folder);
        long empty = peak("empty", "fp32", folder);
        List<String> cases = List.of(
                "sampling bf16 original.pt",
                "sampling bf16 pipeline",
                "sampling bf16 own",
                "sampling fp32 original.pt",
                "training fp32 pipeline",
                "training fp32 own");
        // Each process measures itself alone, so they run beside each other.
        Map<String, Long> peaks =
                cases.parallelStream().collect(Collectors.toConcurrentMap(one -> one, one -> peakOf(one.split(" "))));
        for (String one : cases) {
            long weights = values * (one.contains(" bf16 ") ? 2 : 4);
            long peak = peaks.get(one);
            long spare = Math.max(weights * 15 / 100, AT_WORK * largest);
            all.assertThat(peak)
                    .as(one + ": " + (peak >> 20) + " MiB, empty " + (empty >> 20) + " MiB, weights " + (weights >> 20)
                            + " MiB")
                    .isLessThanOrEqualTo(empty + weights + spare);
        }
        all.assertAll();
    }

    private long peakOf(String... words) {
        try {
            return peak(words[0], words[1], folder.resolve(words[2]));
        } catch (Exception e) {
            throw new IllegalStateException(String.join(" ", words), e);
        }
    }

    private static long peak(String mode, String precision, Path path) throws Exception {
        try (Child child = Child.start(
                LoadMemoryTest.class,
                List.of("-Dretort.load.step=" + (System.getProperty("retort.load.size") != null)),
                Map.of("OMP_NUM_THREADS", "1"),
                mode,
                precision,
                path.toString(),
                SIZE)) {
            List<String> lines = child.finish();
            System.getLogger("load")
                    .log(
                            System.Logger.Level.INFO,
                            mode + " " + precision + " " + path.getFileName() + ": " + String.join(", ", lines));
            return lines.stream()
                    .filter(line -> line.startsWith("loaded "))
                    .mapToLong(line -> Long.parseLong(line.split(" ")[1]))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** The measured process; an empty one does what every process does: starts the natives and prepares a network, a tiny one. */
    public static void main(String[] arguments) {
        Path path = Path.of(arguments[2]);
        Precision precision = arguments[1].equals("bf16") ? Precision.BF16 : Precision.FP32;
        Hints hints = new Hints(DitSizes.parse(arguments[3]).heads(), 0, 0, null, List.of());
        switch (arguments[0]) {
            case "empty" -> {
                // What the JSON library takes is not laid to the weights.
                Models.card(path.resolve("own"));
                empty(precision);
            }
            case "training" -> training(path, hints);
            default -> sampling(path, hints, precision);
        }
        say("done");
    }

    private static void say(String what) {
        System.out.println(
                what + " " + Machine.peakResidentBytes() + " after " + (System.nanoTime() - START) / 1_000_000 + " ms");
    }

    private static void empty(Precision precision) {
        DitSpec tiny = new DitSpec(8, 8, 4, 2, 32, 1, 2, 4, 10, 0.1, true, false);
        try (Scope scope = Scope.open();
                Dit dit = new Dit(tiny, Init.of(1, Device.CPU))) {
            first((Dit) Architectures.pack(dit, precision));
        }
    }

    private static void training(Path path, Hints hints) {
        if (Files.exists(path.resolve(ModelFiles.CARD))) {
            Models.load(path, Device.CPU);
            say("loaded");
            return;
        }
        try (DitCheckpoint checkpoint = DitCheckpoint.open(path, hints)) {
            Models.network(checkpoint.spec(), checkpoint.parameters(), Device.CPU);
            say("loaded");
        }
    }

    private static void sampling(Path path, Hints hints, Precision precision) {
        if (Files.exists(path.resolve(ModelFiles.CARD))) {
            first((Dit) Models.open(path, Device.CPU, precision).network());
            return;
        }
        try (DitCheckpoint checkpoint = DitCheckpoint.open(path, hints)) {
            first((Dit) Models.packed(checkpoint.spec(), checkpoint.parameters(), Device.CPU, precision));
        }
    }

    /** Says the peak; with a size of its own choice also how long a picture's first step takes. */
    private static void first(Dit network) {
        say("loaded");
        if (!Boolean.getBoolean("retort.load.step")) {
            return;
        }
        try (Scope scope = Scope.open();
                network) {
            network.forward(
                    Tensors.zeros(
                            Device.CPU,
                            1,
                            4,
                            network.spec().height(),
                            network.spec().width()),
                    Tensors.of(new float[] {1}, Device.CPU, 1),
                    Conditions.classes(1),
                    Taps.none());
        }
    }
}
