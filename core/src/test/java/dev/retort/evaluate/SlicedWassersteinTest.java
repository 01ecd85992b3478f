package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.ImageShape;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import org.junit.jupiter.api.Test;

class SlicedWassersteinTest {
    private static final ImageShape SHAPE = new ImageShape(1, 8, 8);
    private static final int COUNT = 512;

    private static float[] noise(int stream, double scale) {
        float[] values = new float[COUNT * SHAPE.values()];
        Rng.at(1, Purpose.EVALUATE, 0, stream).fillGaussian(values);
        for (int i = 0; i < values.length; i++) {
            values[i] *= (float) scale;
        }
        return values;
    }

    @Test
    void the_same_images_in_another_order_are_at_distance_0_and_others_of_the_same_kind_near() {
        float[] real = noise(0, 1);
        SlicedWasserstein distance = new SlicedWasserstein(SHAPE, real);
        float[] turned = new float[real.length];
        System.arraycopy(real, SHAPE.values(), turned, 0, real.length - SHAPE.values());
        System.arraycopy(real, 0, turned, real.length - SHAPE.values(), SHAPE.values());
        assertThat(distance.of(turned)).isEqualTo(0);
        assertThat(distance.of(noise(1, 1))).isBetween(0.01, 0.1);
    }

    /** W₁ of N(0, 1) and N(0, s²) is |s - 1|·√(2/π); of N(0, 1) and a point its mean distance, √(2/π). */
    @Test
    void of_noise_it_is_what_wasserstein_is_of_two_gaussians_on_both_levels() {
        SlicedWasserstein distance = new SlicedWasserstein(SHAPE, noise(0, 3));
        double unit = Math.sqrt(2 / Math.PI);
        assertThat(distance.of(noise(1, 4.5))).isCloseTo(0.5 * unit, within(0.04));
        assertThat(distance.of(noise(1, 1.5))).isCloseTo(0.5 * unit, within(0.04));
        assertThat(distance.of(new float[COUNT * 64])).isCloseTo(unit, within(0.02));
    }

    @Test
    void images_without_detail_are_far_on_the_fine_level_alone() {
        float[] real = noise(0, 1);
        float[] blurred = new float[real.length];
        for (int i = 0; i < real.length; i++) {
            int first = i / 64 * 64 + i % 64 / 16 * 16 + i % 8 / 2 * 2;
            blurred[i] = (real[first] + real[first + 1] + real[first + 8] + real[first + 9]) / 4;
        }
        assertThat(new SlicedWasserstein(SHAPE, real).of(blurred)).isCloseTo(Math.sqrt(2 / Math.PI) / 2, within(0.02));
    }
}
