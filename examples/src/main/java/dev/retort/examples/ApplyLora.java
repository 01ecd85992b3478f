package dev.retort.examples;

import dev.retort.layout.WeightedLora;
import dev.retort.model.Denoiser;
import dev.retort.pipeline.Loras;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.nio.file.Path;
import java.util.List;

/**
 * Lesson 14: adapters (LoRA). What training changed in a model is taken as an adapter, a file a fraction of its size; the model is then opened
 * with as much of it as wanted, without a copy on disk or in memory. An adapter of any other program serves as well. Arguments:
 * model, the same trained on, adapter file, weight, PNG file.
 */
public final class ApplyLora {
    private ApplyLora() {}

    /** Takes the adapter between two models; returns the share of what training changed that it holds. */
    public static double extract(Path base, Path tuned, int rank, Path adapter) {
        return Loras.extract(base, tuned, rank, adapter).kept().get(rank - 1);
    }

    /** Draws a sheet of samples from a model with an adapter. */
    public static void draw(Path model, Path adapter, double weight, Path png) {
        Device device = Device.choose("auto").device();
        Precision precision = Precision.choose("auto", device).precision();
        List<WeightedLora> adapters = List.of(new WeightedLora(adapter, weight)); // several would be added up
        try (Pipeline<Denoiser> loaded = Models.open(model, adapters, device, precision)) {
            loaded.notes()
                    .forEach(System.out::println); // how many of its modules were applied: all, or nothing is opened
            int classes = loaded.card().classes().size();
            Sampling.classGrid(loaded.network(), loaded.card(), precision, classes, 8)
                    .write(png, 2);
        }
    }

    /** Runs the lesson. */
    public static void main(String[] args) {
        Path adapter = Path.of(args[2]);
        double kept = extract(Path.of(args[0]), Path.of(args[1]), 8, adapter);
        System.out.println(Math.round(100 * kept) + " % of what training changed lie in " + adapter);
        draw(Path.of(args[0]), adapter, Double.parseDouble(args[3]), Path.of(args[4]));
        System.out.println("the samples lie in " + args[4]);
    }
}
