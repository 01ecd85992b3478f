package dev.retort.model.unet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Child;
import dev.retort.card.ImageShape;
import dev.retort.card.Part;
import dev.retort.card.UNetSizes;
import dev.retort.card.UNetSpec;
import dev.retort.model.Condition;
import dev.retort.model.Moment;
import dev.retort.model.Request;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.Machine;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What sampling with a U-Net needs beside its weights. */
class UNetMemoryTest {
    private static final int CHANNELS = 32;
    private static final int SMALL = 32;
    private static final int LARGE = 256;
    private static final long MAP = 4L * CHANNELS * LARGE * LARGE;

    /** 22 to 27 maps of its full size here; were all freed at the end of the call alone, 35. The least of three processes is steadier. */
    @Test
    void what_was_handed_across_is_freed_as_soon_as_it_is_joined() throws Exception {
        double maps = Math.min(maps(), Math.min(maps(), maps()));
        assertThat(maps).as("maps of 32 channels at full size").isLessThan(31);
    }

    private static double maps() throws Exception {
        try (Child child = Child.start(
                UNetMemoryTest.class,
                List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xms64m", "-Xmx64m"),
                // each map is given back to the system as soon as it is freed
                Map.of("OMP_NUM_THREADS", "1", "MALLOC_MMAP_THRESHOLD_", "1048576"))) {
            long[] peaks = child.finish().stream()
                    .filter(line -> line.startsWith("peak "))
                    .mapToLong(line -> Long.parseLong(line.substring(5)))
                    .toArray();
            assertThat(peaks).hasSize(2);
            return (double) (peaks[1] - peaks[0]) / MAP;
        }
    }

    public static void main(String[] arguments) {
        step(SMALL);
        step(LARGE);
    }

    private static void step(int size) {
        UNetSpec spec = UNetSizes.of(
                new ImageShape(3, size, size),
                List.of(CHANNELS, CHANNELS, CHANNELS, CHANNELS),
                2,
                List.of(0, 0, 0, 1),
                8,
                UNetSpec.Told.of(new UNetSpec.Text(8, 16)));
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                UNet network = new UNet(spec, Init.of(1, Device.CPU))) {
            Condition text = Condition.of(Map.of(Part.TEXT, Tensors.zeros(Device.CPU, 1, 8, 16)));
            try (Request request = network.open(Moment.at(500), text)) {
                Tensors.scalar(request.call(0, Tensors.zeros(Device.CPU, 1, 3, size, size))
                        .sum());
            }
        }
        System.out.println("peak " + Machine.peakResidentBytes());
    }
}
