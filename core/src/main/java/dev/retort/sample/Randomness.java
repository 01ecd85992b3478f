package dev.retort.sample;

import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.diffusion.TorchRandom;
import java.util.Arrays;

/** Which normal numbers a sampler starts from and adds in its steps. In either way a sample does not depend on its batch. */
public enum Randomness {
    /** Those at the address (seed, purpose, step, index): {@link Rng}. */
    ADDRESSED {
        @Override
        Stream open(long seed, long[] indices, int size) {
            return (purpose, step) -> {
                float[] values = new float[indices.length * size];
                for (int i = 0; i < indices.length; i++) {
                    Rng.at(seed, purpose, step, indices[i]).fillGaussian(values, i * size, size);
                }
                return values;
            };
        }
    },

    /**
     * Those of PyTorch's generator on CPUs ({@link TorchRandom}), one for each sample, seeded with seed + index: its first numbers are the start,
     * then come those of the steps in order. It is what the diffusers library draws for
     * {@code generator=[torch.Generator().manual_seed(seed + i) for i in range(n)]}, and for one picture of a single generator.
     */
    TORCH {
        @Override
        Stream open(long seed, long[] indices, int size) {
            TorchRandom[] generators = Arrays.stream(indices)
                    .mapToObj(index -> new TorchRandom(seed + index))
                    .toArray(TorchRandom[]::new);
            return (purpose, step) -> {
                if (purpose == Purpose.SAMPLE_KNOWN) { // no other program's, and not to move theirs on
                    return ADDRESSED.open(seed, indices, size).next(purpose, step);
                }
                float[] values = new float[generators.length * size];
                for (int i = 0; i < generators.length; i++) {
                    generators[i].fillGaussian(values, i * size, size);
                }
                return values;
            };
        }
    };

    /** The numbers of one request, asked for in the order of its steps. */
    interface Stream {
        /** Unit noise for all samples, one after another. */
        float[] next(Purpose purpose, int step);
    }

    /**
     * The numbers of some samples.
     *
     * @param size values of each
     */
    abstract Stream open(long seed, long[] indices, int size);
}
