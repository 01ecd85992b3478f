package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.card.DitSpec;
import dev.retort.card.TrainedFor;
import dev.retort.data.ImageSource;
import dev.retort.io.FolderLock;
import dev.retort.io.SafetensorsFile;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Predictor;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.run.RunFolder;
import dev.retort.torch.Device;
import dev.retort.torch.Machine;
import dev.retort.torch.Natives;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MicroBatchTest {
    private static final long MIB = 1 << 20;

    @TempDir
    Path temp;

    @Test
    void as_many_images_as_fit_are_taken_at_once() {
        // What a process keeps after freeing must not make passes look cheap.
        allocate(30);
        Natives.releaseFreed();
        long budget = (long) ((Machine.residentBytes() + 20 * 8 * MIB) / 0.8);
        List<Integer> tried = new ArrayList<>();
        int found = MicroBatch.find(64, budget, Device.CPU, images -> {
            tried.add(images);
            allocate(images);
        });
        assertThat(found).isBetween(10, 22);
        assertThat(tried).as("no pass larger than needed").allMatch(images -> images <= 4);
        assertThat(MicroBatch.find(8, 1, Device.CPU, MicroBatchTest::allocate)).isEqualTo(1);
        assertThat(MicroBatch.find(8, 1L << 50, Device.CPU, MicroBatchTest::allocate))
                .isEqualTo(8);
    }

    @Test
    void parts_of_a_batch_are_as_even_as_they_can_be_and_no_larger_than_fits() {
        assertThat(MicroBatch.even(128, 50))
                .as("43, 43, 42 rather than 50, 50, 28")
                .isEqualTo(43);
        for (int batch = 1; batch < 40; batch++) {
            for (int fits = 1; fits <= batch; fits++) {
                int part = MicroBatch.even(batch, fits);
                assertThat(part).isBetween(1, fits);
                assertThat(passes(batch, part)).isEqualTo(passes(batch, fits));
                if (part > 1) {
                    assertThat(passes(batch, part - 1)).isGreaterThan(passes(batch, fits));
                }
            }
        }
    }

    private static int passes(int batch, int part) {
        return (int) Math.ceil((double) batch / part);
    }

    /** Takes and frees 8 MiB for every image. */
    private static void allocate(int images) {
        try (Scope scope = Scope.open()) {
            for (int i = 0; i < images; i++) {
                Tensors.full(1, Device.CPU, 2 * MIB);
            }
        }
    }

    @Test
    void little_memory_gives_a_small_micro_batch_and_the_same_result_up_to_rounding() {
        List<String> notes = new ArrayList<>();
        Training.run(withMemory(0.001), temp.resolve("little"), Map.of(), notes::add, (d, t, s) -> {}, () -> false);
        assertThat(notes).anyMatch(note -> note.contains("micro-batch 1 of 8"));
        notes.clear();
        Training.run(withMemory(1000), temp.resolve("much"), Map.of(), notes::add, (d, t, s) -> {}, () -> false);
        assertThat(notes).anyMatch(note -> note.contains("micro-batch 8 of 8"));
        try (SafetensorsFile a = SafetensorsFile.open(temp.resolve("little/model/model.safetensors"));
                SafetensorsFile b = SafetensorsFile.open(temp.resolve("much/model/model.safetensors"))) {
            for (String name : a.entries().keySet()) {
                // The key rows of qkv.bias have no true gradient: Adam moves them by rounding noise.
                if (!name.endsWith("qkv.bias")) {
                    assertThat(a.floats(name)).as(name).containsExactly(b.floats(name), within(2e-4f));
                }
            }
        }
    }

    private static org.assertj.core.data.Offset<Float> within(float distance) {
        return org.assertj.core.data.Offset.offset(distance);
    }

    /** A loss that takes so many MiB for every image beside what the network takes. */
    private record Greedy(long mib) implements Loss {
        @Override
        public String name() {
            return "greedy";
        }

        @Override
        public Tensor perSample(Pass pass) {
            Tensor held = Tensors.full(1, Device.CPU, pass.count() * mib * MIB / 4);
            return Ops.meanPerSample(pass.ask(pass.player()).output().mul(held.narrow(0, 0, 1)));
        }
    }

    @ParameterizedTest
    @CsvSource({"64, 1", "1, 64"})
    void the_micro_batch_fits_every_stage_not_the_last_alone(long first, long second) {
        // Room for 20 images of the greedy stage, for many more of the other.
        double room = (Machine.residentBytes() + 20 * 64 * MIB) / 0.8;
        TrainConfig config = withMemory(room / (1 << 30), 64);
        ImageSource source = config.run().data().open();
        List<Stage> stages = List.of(
                new Stage("first", 64, "model", List.of(new Weighted(new Greedy(first), 1, 1))),
                new Stage("second", 64, "model", List.of(new Weighted(new Greedy(second), 1, 1))));
        Path folder = temp.resolve("greedy");
        DitSpec spec = (DitSpec) config.network(source);
        Dit network = new Dit(spec, Init.of(1, Device.CPU));
        Predictor predictor = Predictor.of(
                network,
                new LabelConditioner(spec.condition()),
                config.objective().process(),
                Precision.FP32);
        try (Player player = new Player("model", predictor, config.run().learns());
                FolderLock held = FolderLock.take(folder, note -> {});
                Task task = new DiffusionTask(
                        source,
                        config.objective(),
                        "model",
                        predictor,
                        spec.classDropout(),
                        Optional.empty(),
                        config.run(),
                        "",
                        TrainedFor.ANY,
                        Optional.empty(),
                        Map.of());
                Trainer trainer = new Trainer(
                        task,
                        List.of(player),
                        stages,
                        config.run().loop(),
                        RunFolder.open(held, "train", config, note -> {}),
                        Precision.FP32)) {
            assertThat(trainer.microBatch()).isLessThan(32);
        }
    }

    private static TrainConfig withMemory(double gib) {
        return withMemory(gib, 8);
    }

    private static TrainConfig withMemory(double gib, int batch) {
        TrainConfig tiny = TrainerTest.tiny(48, 1e-3, 0);
        RunConfig run = tiny.run();
        return new TrainConfig(
                tiny.images(),
                tiny.model(),
                tiny.objective(),
                new RunConfig(
                        run.seed(),
                        batch,
                        run.data(),
                        run.optimizer(),
                        run.ema(),
                        new ComputeConfig("cpu", "fp32", false, 0, gib, 1),
                        run.log(),
                        run.sampling()));
    }
}
