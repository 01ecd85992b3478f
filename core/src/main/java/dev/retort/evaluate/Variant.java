package dev.retort.evaluate;

import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.nio.file.Path;

/**
 * A model in one of its forms, as one engine computes it.
 *
 * @param name {@code fp32}, {@code bf16} or the preset by which it was quantised
 * @param engine what computes it
 * @param candidate the form's folder, and how it is sampled; of a file the folder that it was exported from
 * @param precision arithmetic of libtorch
 * @param file its weights, or the exported file
 * @param bytes size of the file, and that of weights beside it
 */
record Variant(String name, Engine engine, Candidate candidate, Precision precision, Path file, long bytes) {
    /** {@code int8-static in libtorch}. */
    String text() {
        return name + " in " + engine;
    }

    /** Opens it here, for its images. */
    ImageGenerator open(long seed, int batch) {
        return switch (engine) {
            case LIBTORCH -> TorchGenerator.open(candidate, seed, batch, Device.CPU, precision);
            case ONNX_RUNTIME ->
                OnnxGenerator.open(file, seed, batch, candidate.sampling().steps());
        };
    }

    /** What a process of its own is told to measure it. */
    CostProbe.ProbeRequest request(int batch, int threads) {
        Path opened = engine == Engine.LIBTORCH ? candidate.model() : file;
        return new CostProbe.ProbeRequest(
                engine,
                opened.toAbsolutePath().toString(),
                false,
                candidate.sampling(),
                batch,
                Device.CPU.toString(),
                precision,
                threads,
                candidate.autoencoder());
    }

    /** Whether its products are of 8 bits, which are meant to be faster. */
    boolean multipliesIntegers() {
        return candidate.card().quantization() != null
                && candidate.card().quantization().multipliesIntegers();
    }
}
