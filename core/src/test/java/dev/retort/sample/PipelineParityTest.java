package dev.retort.sample;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.card.ImageShape;
import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.data.Prompts;
import dev.retort.io.Dtype;
import dev.retort.io.ImageDecoder;
import dev.retort.io.PixelImage;
import dev.retort.layout.Checkpoint;
import dev.retort.layout.Hints;
import dev.retort.layout.Storage;
import dev.retort.layout.TextToImageLayout;
import dev.retort.layout.WeightLayout;
import dev.retort.model.Conditioner;
import dev.retort.model.Denoiser;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.Progress;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whole pipelines beside diffusers' (a development version of 0.40, transformers 5.18): pictures of random weights, which {@code
 * StableDiffusionPipeline} (DDIM) and {@code StableDiffusionXLPipeline} (Euler) saved and drew from the noise of a seeded generator.
 */
class PipelineParityTest {
    private static final Path CASES = Path.of("src/test/resources/dev/retort/pipeline");

    @TempDir
    Path temp;

    @ParameterizedTest
    @CsvSource({
        "sd, sd.png, 64, 64, 5, 5, 7, a small cross",
        "sd, sd-wide.png, 48, 80, 5, 5, 7, a small cross",
        "sd, sd-none.png, 64, 64, 4, 3, 8, ",
        "xl, xl.png, 64, 64, 5, 5, 7, a small cross",
        "xl, xl-wide.png, 48, 80, 5, 5, 7, a small cross",
        "xl, xl-none.png, 64, 64, 4, 3, 8, "
    })
    void a_pipeline_draws_the_pictures_that_the_library_draws(
            String folder,
            String picture,
            int height,
            int width,
            int steps,
            double guidance,
            long seed,
            String negative) {
        assertDraws(CASES.resolve(folder), picture, height, width, steps, guidance, seed, negative);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sd", "xl"})
    void what_is_written_of_it_draws_the_same(String folder) {
        Path copy = temp.resolve(folder);
        try (Checkpoint checkpoint = Architectures.open(CASES.resolve(folder), Hints.NONE)) {
            WeightLayout<?> layout = checkpoint.layout();
            assertThat(layout).isEqualTo(TextToImageLayout.DIFFUSERS);
            layout.write(copy, checkpoint.card(), checkpoint.parameters(), Storage.of(Dtype.F32));
        }
        assertDraws(copy, folder + "-none.png", 64, 64, 4, 3, 8, null);
    }

    private static void assertDraws(
            Path folder,
            String picture,
            int height,
            int width,
            int steps,
            double guidance,
            long seed,
            String negative) {
        try (Pipeline<Denoiser> pipeline = Models.open(folder, Device.CPU, Precision.FP32)) {
            ModelCard card = pipeline.card().atSize(height, width);
            SamplingSpec sampling = card.sampling().withSteps(steps).withGuidance(guidance, 0, 1, 0);
            try (ImageCodec codec = ImageCodec.of(card, Device.CPU)) {
                Sampler sampler = Sampling.sampler(pipeline.network(), card, sampling, Precision.FP32)
                        .with(Randomness.TORCH);
                Conditioner conditioner = sampler.conditioner();
                Sampler told = negative == null ? sampler : sampler.with(conditioner.withNegative(negative));
                PixelImage theirs = ImageDecoder.read(CASES.resolve(picture));
                ImageShape shape = card.images();
                List<PixelImage> ours = new ArrayList<>();
                new SampleJob(told, codec, seed, 1)
                        .sample(
                                new Prompts.Texts(List.of("a large red circle")),
                                Progress.NONE,
                                (first, pixels, n) -> ours.add(
                                        PixelImage.of(pixels, 0, shape.channels(), shape.height(), shape.width())));
                assertThat(worst(ours.get(0), theirs)).isLessThanOrEqualTo(1);
            }
        }
    }

    /** Largest difference of two pictures, in levels of 255. */
    private static int worst(PixelImage ours, PixelImage theirs) {
        assertThat(List.of(ours.channels(), ours.height(), ours.width()))
                .isEqualTo(List.of(theirs.channels(), theirs.height(), theirs.width()));
        int worst = 0;
        for (int i = 0; i < ours.pixels().length; i++) {
            worst = Math.max(worst, Math.abs((ours.pixels()[i] & 255) - (theirs.pixels()[i] & 255)));
        }
        return worst;
    }
}
