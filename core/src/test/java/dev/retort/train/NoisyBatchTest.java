package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.ConditionSpec;
import dev.retort.card.Part;
import dev.retort.data.Batch;
import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.data.Loader;
import dev.retort.data.PairedImages;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.model.Conditioner;
import dev.retort.model.LabelConditioner;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NoisyBatchTest {
    private static final Objective OBJECTIVE = new Objective.Flow(0, 1, 1);

    private static NoisyBatch of(ImageSource source, int from, int count) {
        try (Loader loader = new Loader(source, 8, 3, 0, true, 2, 2)) {
            Batch batch = loader.next();
            Conditioner conditioner = new LabelConditioner(ConditionSpec.ofClasses(4, true));
            return NoisyBatch.of(
                    batch,
                    from,
                    count,
                    5,
                    OBJECTIVE.process().noiseSchedule(),
                    OBJECTIVE.times(),
                    NoisyBatch.condition(batch, from, count, 5, conditioner, 0.5, Device.CPU),
                    Device.CPU);
        }
    }

    private static Tensor spread(NoisyBatch batch) {
        return batch.noisy().div(batch.alpha()).sub(batch.clean());
    }

    private static ImageSource shapes(int size) {
        return DataConfig.shapes(size).open();
    }

    @Test
    void half_of_the_classes_are_dropped_and_the_others_are_those_of_the_pictures() {
        try (Scope scope = Scope.open();
                Loader loader = new Loader(shapes(16), 64, 3, 0, true, 1, 1)) {
            Batch batch = loader.next();
            Conditioner conditioner = new LabelConditioner(ConditionSpec.ofClasses(4, true));
            long[] asked = Tensors.longs(NoisyBatch.condition(batch, 0, 64, 5, conditioner, 0.5, Device.CPU)
                    .get(Part.LABEL));
            int dropped = 0;
            for (int i = 0; i < asked.length; i++) {
                boolean drop = Rng.at(5, Purpose.LABEL_DROP, i, 0).nextDouble() < 0.5;
                assertThat(asked[i]).isEqualTo(drop ? 4 : batch.prompts().labels()[i]);
                dropped += drop ? 1 : 0;
            }
            assertThat(dropped).isBetween(16, 48);
        }
    }

    @ParameterizedTest
    @CsvSource({"16, 32", "32, 16"})
    void paired_batches_are_the_same_pictures_under_the_same_noise_at_another_size(int size, int other) {
        try (Scope scope = Scope.open()) {
            NoisyBatch batch = of(new PairedImages(shapes(size), shapes(other)), 2, 4);
            NoisyBatch paired = batch.paired();
            assertThat(Tensors.floats(paired.clean()))
                    .isEqualTo(Tensors.floats(of(shapes(other), 2, 4).clean()));
            assertThat(Tensors.floats(batch.clean()))
                    .isEqualTo(Tensors.floats(of(shapes(size), 2, 4).clean()));
            assertThat(Tensors.longs(paired.condition().get(Part.LABEL)))
                    .isEqualTo(Tensors.longs(batch.condition().get(Part.LABEL)));
            NoisyBatch fine = size > other ? batch : paired;
            NoisyBatch coarse = size > other ? paired : batch;
            assertThat(Tensors.floats(coarse.noise()))
                    .isEqualTo(Tensors.floats(Ops.mul(Ops.adaptiveAveragePool(fine.noise(), 16, 16), 2)));
            for (NoisyBatch each : new NoisyBatch[] {batch, paired}) {
                assertThat(Math.abs(Tensors.scalar(each.noise().square().mean()) - 1))
                        .isLessThan(0.1);
                assertThat(Tensors.floats(each.noisy()))
                        .isEqualTo(Tensors.floats(
                                each.clean().mul(each.alpha()).add(each.noise().mul(each.sigma()))));
            }
            // at their own times both leave as much of the picture: on the coarser grid x/alpha differs from x0 by the
            // same
            float[] expected = Tensors.floats(spread(coarse));
            float[] found = Tensors.floats(Ops.adaptiveAveragePool(spread(fine), 16, 16));
            for (int i = 0; i < expected.length; i++) {
                assertThat(found[i]).isCloseTo(expected[i], within(1e-3f * Math.max(1, Math.abs(expected[i]))));
            }
        }
    }

    @Test
    void without_a_twin_there_is_none() {
        try (Scope scope = Scope.open()) {
            assertThat(of(shapes(16), 0, 8).paired()).isNull();
        }
    }
}
