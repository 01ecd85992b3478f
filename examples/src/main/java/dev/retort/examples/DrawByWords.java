package dev.retort.examples;

import dev.retort.card.ModelCard;
import dev.retort.data.Prompts;
import dev.retort.io.ImageGrid;
import dev.retort.model.Denoiser;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.Progress;
import dev.retort.sample.SampleJob;
import dev.retort.sample.Sampler;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.nio.file.Path;
import java.util.List;

/**
 * Lesson 16: draw what texts ask for, from a text-to-image model of ours or a Stable Diffusion pipeline (a folder of the diffusers library, or
 * one file in the original layout). Arguments: model, PNG file, text.
 */
public final class DrawByWords {
    private DrawByWords() {}

    /** Draws a picture of a text, away from another one, in so many steps. */
    public static void draw(Path model, Path png, String text, String negative, int steps, long seed) {
        Device device = Device.choose("auto").device();
        Precision precision = Precision.choose("auto", device).precision();
        try (Pipeline<Denoiser> loaded = Models.open(model, device, precision);
                ImageCodec codec = ImageCodec.of(loaded.card(), device)) {
            ModelCard card = loaded.card();
            Sampler sampler =
                    Sampling.sampler(loaded.network(), card, card.sampling().withSteps(steps), precision);
            Sampler told = sampler.with(sampler.conditioner().withNegative(negative));
            new SampleJob(told, codec, seed, 1)
                    .sample(new Prompts.Texts(List.of(text)), Progress.NONE, (first, pixels, count) -> ImageGrid.of(
                                    pixels,
                                    count,
                                    card.images().channels(),
                                    card.images().height(),
                                    card.images().width(),
                                    1)
                            .write(png, 1));
        }
    }

    /** Runs the lesson. */
    public static void main(String[] args) {
        draw(Path.of(args[0]), Path.of(args[1]), args[2], "", 25, 0);
        System.out.println("the picture lies in " + args[1]);
    }
}
