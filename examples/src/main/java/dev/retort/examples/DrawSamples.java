package dev.retort.examples;

import dev.retort.model.Denoiser;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.nio.file.Path;

/** Lesson 3: draw pictures from a model, a row per class, as its card says to sample it. Arguments: model, PNG file. */
public final class DrawSamples {
    private DrawSamples() {}

    /** Draws a sheet of samples. */
    public static void draw(Path model, Path png) {
        Device device = Device.choose("auto").device();
        Precision precision = Precision.choose("auto", device).precision();
        try (Pipeline<Denoiser> loaded = Models.open(model, device, precision)) {
            int classes = loaded.card().classes().size();
            Sampling.classGrid(loaded.network(), loaded.card(), precision, classes, 8)
                    .write(png, 2);
        }
    }

    /** Runs the lesson. */
    public static void main(String[] args) {
        draw(Path.of(args[0]), Path.of(args[1]));
        System.out.println("the samples lie in " + args[1]);
    }
}
