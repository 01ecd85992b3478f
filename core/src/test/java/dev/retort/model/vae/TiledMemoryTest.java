package dev.retort.model.vae;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Child;
import dev.retort.card.LatentScale;
import dev.retort.card.TinySpec;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.Machine;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class TiledMemoryTest {
    private static final int CELLS = 128;
    private static final long MIB = 1 << 20;

    /** The whole picture needs 32 MiB for each of several activations; the picture itself has 3 MiB, a tile 2 MiB each. */
    @Test
    void memory_follows_the_tile_and_not_the_picture() throws Exception {
        try (Child child = Child.start(
                TiledMemoryTest.class, List.of("-XX:TieredStopAtLevel=1"), Map.of("OMP_NUM_THREADS", "1"))) {
            long[] peaks = child.finish().stream()
                    .filter(line -> line.startsWith("peak "))
                    .mapToLong(line -> Long.parseLong(line.substring(5)))
                    .toArray();
            assertThat(peaks).hasSize(3);
            assertThat(peaks[1] - peaks[0]).as("tiled").isLessThan(24 * MIB);
            assertThat(peaks[2] - peaks[1]).as("whole").isGreaterThan(48 * MIB);
        }
    }

    public static void main(String[] arguments) {
        TinySpec spec = new TinySpec(3, 4, 32, List.of(1, 1, 1), List.of(1, 1, 1), false, 3, 0.5, LatentScale.of(1));
        TiledDecoding tiles = new TiledDecoding(32, 0.25);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autoencoder autoencoder = Autoencoder.of(spec, Init.of(1, Device.CPU))) {
            decode(() -> tiles.decode(autoencoder, Tensors.zeros(Device.CPU, 1, 4, 32, 32)));
            decode(() -> tiles.decode(autoencoder, Tensors.zeros(Device.CPU, 1, 4, CELLS, CELLS)));
            decode(() -> autoencoder.decode(Tensors.zeros(Device.CPU, 1, 4, CELLS, CELLS)));
        }
    }

    private static void decode(java.util.function.Supplier<Tensor> work) {
        try (Scope scope = Scope.open()) {
            Tensors.scalar(work.get().sum());
        }
        System.out.println("peak " + Machine.peakResidentBytes());
    }
}
