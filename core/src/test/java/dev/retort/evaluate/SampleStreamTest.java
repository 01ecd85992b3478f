package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.DitSpec;
import dev.retort.card.ImageShape;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.io.PixelImage;
import dev.retort.model.Denoiser;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.Progress;
import dev.retort.sample.SampleJob;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SampleStreamTest {
    private static final ImageShape SHAPE = new ImageShape(1, 8, 8);

    @TempDir
    Path temp;

    /** Batches of a network of so many pixels, at most {@code most} of them. */
    private List<PixelBatch> drawn(int side, SampleSet samples, int together, int most) {
        DitSpec tiny = new DitSpec(side, side, 1, side / 4, 16, 1, 2, 2, 2, 0.1, false, false);
        Path folder = TinyWorld.model(temp.resolve("model"), tiny, ProcessSpec.flow());
        List<PixelBatch> batches = new ArrayList<>();
        try (Pipeline<Denoiser> model = Models.open(folder, Device.CPU, Precision.FP32)) {
            NetworkSpec spec = model.network().spec();
            SampleJob job = new SampleJob(
                    Sampling.sampler(
                            model.network(), model.card(), SamplingSpec.of("flow-euler", 1, 1), Precision.FP32),
                    ImageCodec.pixels(spec.shape()),
                    5,
                    together);
            new SampleStream(job, samples, Progress.NONE).forEachBatch(batch -> {
                batches.add(batch);
                if (batches.size() == most) {
                    throw new IllegalStateException("enough");
                }
            });
        }
        return batches;
    }

    @Test
    void samples_with_more_pixels_than_an_array_can_hold_are_drawn_batch_by_batch() {
        ImageShape large = new ImageShape(1, 64, 64);
        int many = Integer.MAX_VALUE / large.values() + 1;
        SampleSet samples = SampleSet.of(List.of("left", "right"), many, large);
        assertThatThrownBy(() -> drawn(64, samples, 125, 2)).hasMessage("enough");
    }

    @Test
    void batches_are_the_same_however_many_are_drawn_together() {
        List<PixelBatch> some = drawn(8, SampleSet.of(List.of("left", "right"), 520, SHAPE), 520, 4);
        List<PixelBatch> others = drawn(8, SampleSet.of(List.of("left", "right"), 520, SHAPE), 130, 4);
        assertThat(some).extracting(PixelBatch::count).containsExactly(250, 250, 20);
        assertThat(others).extracting(PixelBatch::count).containsExactly(250, 250, 20);
        for (int i = 0; i < 3; i++) {
            assertThat(differing(some.get(i).pixels(), others.get(i).pixels())).isLessThan(10);
        }
    }

    /** Values on the border between two bytes fall either way where threads cut the work another way. */
    private static int differing(byte[] a, byte[] b) {
        int differing = 0;
        for (int i = 0; i < a.length; i++) {
            differing += a[i] == b[i] ? 0 : 1;
        }
        return differing;
    }

    @Test
    void the_first_of_each_class_are_kept_for_the_grid_and_nothing_else() {
        SampleSet samples = SampleSet.of(List.of("left", "right"), 300, SHAPE);
        List<PixelBatch> batches = drawn(8, samples, 64, 4);
        assertThat(samples.labels()).startsWith(0, 1, 0, 1).hasSize(300);
        assertThat(samples.columns()).isEqualTo(8);
        PixelImage sheet = samples.grid().image(1);
        assertThat(sheet.height()).isEqualTo(2 * 8 + 2);
        assertThat(sheet.width()).isEqualTo(8 * 8 + 7 * 2);
        byte[] pixels = batches.get(0).pixels();
        for (int index = 0; index < 16; index++) { // place (index % 2, index / 2)
            for (int p = 0; p < 64; p++) {
                assertThat(sheet.at(index % 2 * 10 + p / 8, index / 2 * 10 + p % 8, 0))
                        .isEqualTo(pixels[index * 64 + p] & 0xff);
            }
        }
        assertThat(SampleSet.of(List.of("one"), 3, SHAPE).columns()).isEqualTo(3);
        assertThat(SampleSet.of(List.of("a", "b", "c"), 2, SHAPE).columns()).isEqualTo(1);
    }
}
