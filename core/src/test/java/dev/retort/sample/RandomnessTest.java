package dev.retort.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.TorchRandom;
import dev.retort.torch.Natives;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RandomnessTest {
    @BeforeAll
    static void load() {
        Natives.load();
        assumeTrue(
                System.getProperty("os.arch").equals("amd64")
                        && torch.get_cpu_capability().getString().startsWith("AVX"),
                "libtorch draws other numbers where the CPU has no AVX2");
    }

    private static float[] drawn(GeneratorOptional generator, long size) {
        try (Scope scope = Scope.open()) {
            return Tensors.floats(torch.randn(new long[] {size}, generator));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 42, 123456789, -1, 1L << 33 | 5, Long.MAX_VALUE, Long.MIN_VALUE})
    void the_numbers_have_the_bits_of_libtorch_in_every_size_one_after_another(long seed) {
        GeneratorOptional generator = new GeneratorOptional(torch.make_generator_cpu(seed));
        TorchRandom ours = new TorchRandom(seed);
        for (int size : new int[] {1, 2, 7, 15, 16, 17, 3, 31, 32, 33, 5, 100, 784, 3072, 4 * 64 * 64, 50_001}) {
            float[] values = new float[size];
            ours.fillGaussian(values, 0, size);
            assertThat(values).as("%d values", size).isEqualTo(drawn(generator, size));
        }
    }

    @Test
    void a_sample_has_a_generator_of_its_own_whatever_its_batch() {
        Randomness.Stream stream = Randomness.TORCH.open(7, new long[] {3, 0}, 784);
        float[] start = stream.next(Purpose.SAMPLE_START, 0);
        stream.next(Purpose.SAMPLE_KNOWN, 1);
        float[] step = stream.next(Purpose.SAMPLE_STEP, 4);
        GeneratorOptional generator = new GeneratorOptional(torch.make_generator_cpu(7));
        assertThat(Arrays.copyOfRange(start, 784, 2 * 784)).isEqualTo(drawn(generator, 784));
        assertThat(Arrays.copyOfRange(step, 784, 2 * 784)).isEqualTo(drawn(generator, 784));
        assertThat(Arrays.copyOfRange(start, 0, 784))
                .isEqualTo(drawn(new GeneratorOptional(torch.make_generator_cpu(10)), 784));
    }
}
