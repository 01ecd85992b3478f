package dev.retort.evaluate;

import dev.retort.model.Denoiser;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.Progress;
import dev.retort.sample.SampleJob;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;

/**
 * A model folder, drawn from by libtorch.
 *
 * @param model the network
 * @param job how it is sampled and decoded
 */
record TorchGenerator(Pipeline<Denoiser> model, SampleJob job) implements ImageGenerator {
    /** @param batch images drawn together */
    static TorchGenerator open(Candidate candidate, long seed, int batch, Device device, Precision precision) {
        Pipeline<Denoiser> model = Models.open(candidate.model(), device, precision);
        try {
            ImageCodec codec = ImageCodec.of(model.card(), candidate.autoencoder(), device);
            return new TorchGenerator(
                    model,
                    new SampleJob(
                            Sampling.sampler(model.network(), candidate.card(), candidate.sampling(), precision),
                            codec,
                            seed,
                            batch));
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    @Override
    public ImageStream draw(SampleSet samples, Progress progress) {
        return new SampleStream(job, samples, progress);
    }

    @Override
    public void close() {
        job.codec().close();
        model.close();
    }
}
