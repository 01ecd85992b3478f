package dev.retort.examples;

import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.SolverSpec;
import dev.retort.data.DataConfig;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Prediction;
import dev.retort.distill.Distillation;
import dev.retort.distill.LossConfig;
import dev.retort.distill.LossWeight;
import dev.retort.distill.Recipe;
import dev.retort.distill.StageConfig;
import dev.retort.distill.StepLoss;
import dev.retort.distill.StudentStart;
import dev.retort.distill.TeacherConfig;
import dev.retort.evaluate.Candidate;
import dev.retort.evaluate.Evaluation;
import dev.retort.evaluate.Evaluator;
import dev.retort.evaluate.FeatureCache;
import dev.retort.io.ImageGrid;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Denoiser;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.ModelColumn;
import dev.retort.report.Progress;
import dev.retort.sample.SampleJob;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.ComputeConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.Objective;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.RunConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * Lesson 15: a U-Net that somebody else published becomes a model of ours and teaches a student of 4 calls. It is a DDPM of digits or
 * of clothes by Brian Pulfer (MIT licence), told the time and no class; the network stands in {@link UNet28}, which
 * {@link UNet28Architecture} builds. Its pictures drift in brightness, and more so unless the picture it has in mind is cut to [-1, 1]
 * at every step: so as a model it says v of the picture cut, and the student first learns to say that at all, then progressive distillation halves
 * its steps. Arguments: the {@code .pt} file, folder of real images (IDX), folder of the results, images to learn from.
 */
public final class OpenPublishedUNet {
    static final ProcessSpec PROCESS = ProcessSpec.of("linear", Prediction.V, 1); // betas 1e-4 to 0.02 in 1000 steps
    private static final String PREFIX = "network."; // of its names in the file
    private static final int STEPS = 4;
    private static final int JUDGED = 1000;

    private OpenPublishedUNet() {}

    /** Writes the published numbers as a model folder, which every command opens. */
    public static Path open(Path file, Path folder) {
        UNet28Spec spec = new UNet28Spec(true);
        try (TensorFile published = TensorFiles.open(file);
                Scope scope = Scope.open();
                UNet28 network = new UNet28(spec, Init.blank(Device.CPU))) {
            Map<String, Tensor> values = new LinkedHashMap<>(network.state());
            values.replaceAll((name, own) -> name.equals("levels")
                    ? own // not in the file: it follows from the schedule
                    : Tensors.of(numbers(published, name), Device.CPU, Tensors.shape(own)));
            network.load(values);
            ModelCard card = ModelCard.of(
                    spec,
                    PROCESS,
                    SamplingSpec.of("ddim", 100, 1),
                    List.of(),
                    "published by Brian Pulfer",
                    0,
                    0,
                    "",
                    Map.of("file", file.getFileName().toString()));
            ModelFiles.save(folder, card, Weights.writer(network.state(), Dtype.F32));
        }
        return folder;
    }

    /** Of a transposed convolution the kernel turned around, its channels exchanged. */
    private static float[] numbers(TensorFile published, String name) {
        float[] values = published.floats(PREFIX + name);
        if (!name.matches("up.*weight")) {
            return values;
        }
        long[] shape = published.entry(PREFIX + name).shape(); // (in, out, k, k)
        int kernel = (int) (shape[2] * shape[3]);
        float[] turned = new float[values.length];
        for (int in = 0; in < shape[0]; in++) {
            for (int out = 0; out < shape[1]; out++) {
                for (int k = 0; k < kernel; k++) {
                    turned[(int) (out * shape[0] + in) * kernel + kernel - 1 - k] =
                            values[(int) (in * shape[1] + out) * kernel + k];
                }
            }
        }
        return turned;
    }

    /** Distils and returns the student's folder. */
    public static Path distil(Path teacher, DataConfig data, Path runFolder, long images) {
        Recipe recipe = new Recipe(
                new TeacherConfig(teacher.toString(), "", 1),
                new UNet28Config(),
                new StudentStart.Cut(),
                new Objective.Ddpm(PROCESS, false, 0),
                List.of(
                        new StageConfig("v", images / 2, List.of(new LossConfig.Output(LossWeight.ONE, Prediction.V))),
                        stage("steps-8", images / 4, 2 * STEPS, 4, ""),
                        stage("steps-4", images / 4, STEPS, 2, "steps-8")),
                new RunConfig(
                        1,
                        32,
                        data,
                        new OptimizerConfig(1e-3, "cosine", 320, 0.9, 0.99, 1e-8, 0, 1),
                        new EmaConfig(List.of(0.99)),
                        new ComputeConfig(
                                "auto", "fp32", false, 0, 0,
                                1), // near pure noise x0 is 158 times an error of the noise
                        new LogConfig(320, 0, 1, images),
                        SamplingSpec.of("ddim", STEPS, 1)));
        return Distillation.run(
                recipe,
                runFolder,
                Map.of("command", "OpenPublishedUNet"),
                System.out::println,
                (done, total, text) -> {
                    if (done % 1024 == 0 || done == total) {
                        System.out.println(done + " of " + total + " images, " + text);
                    }
                },
                () -> false);
    }

    /** A step of the student lands where several of its teacher do. */
    private static StageConfig stage(String name, long images, int steps, int ratio, String teacher) {
        LossConfig loss = new StepLoss.Progressive(
                LossWeight.ONE, steps, ratio, new SolverSpec.Ddim(), StepLoss.ErrorWeight.TRUNCATED_SNR);
        return new StageConfig(name, images, List.of(loss), teacher, Optional.empty(), List.of());
    }

    /** Draws 64 pictures. */
    public static void draw(Path model, SamplingSpec sampling, Path png) {
        int count = 64;
        try (Pipeline<Denoiser> opened = Models.open(model, Device.CPU, Precision.FP32)) {
            ImageGrid grid = new ImageGrid(count, 8, 1, UNet28.SIDE, UNet28.SIDE, 2);
            new SampleJob(Sampling.sampler(opened.network(), opened.card(), sampling, Precision.FP32), 0, count)
                    .sample(new Prompts.Labels(new int[count]), Progress.NONE, (first, pixels, n) -> {
                        for (int i = 0; i < n; i++) {
                            grid.set(first + i, pixels, i * UNet28.SIDE * UNet28.SIDE);
                        }
                    });
            grid.write(png, 2);
        }
    }

    /** How far models' pictures are from real ones: Fréchet distances of features, which compare with each other alone. */
    public static List<Evaluation> judge(List<Candidate> models, DataConfig data, FeatureCache cache, int samples) {
        Evaluator.Settings settings = new Evaluator.Settings(samples, 0, 100, Device.CPU, Precision.FP32);
        try (Evaluator evaluator = Evaluator.of(data, List.of("auto", "random"), cache, settings)) {
            return models.stream()
                    .map(model -> evaluator.evaluate(model, Progress.NONE))
                    .toList();
        }
    }

    /** Runs the lesson. */
    public static void main(String[] args) {
        Path results = Path.of(args[2]);
        DataConfig data = new DataConfig.Auto(args[1], "train", 0, false);
        Path teacher = open(Path.of(args[0]), results.resolve("teacher"));
        Path student = distil(teacher, data, results.resolve("student"), Long.parseLong(args[3]));
        List<Candidate> models = List.of(
                new Candidate("teacher-ddim-100", teacher, SamplingSpec.of("ddim", 100, 1)),
                new Candidate("teacher-ddim-4", teacher, SamplingSpec.of("ddim", STEPS, 1)),
                new Candidate("student-ddim-4", student, SamplingSpec.of("ddim", STEPS, 1)));
        draw(teacher, SamplingSpec.of("ddpm", 250, 1), results.resolve("teacher-ddpm-250.png"));
        models.forEach(model -> draw(model.model(), model.sampling(), results.resolve(model.name() + ".png")));
        for (Evaluation judged : judge(models, data, new FeatureCache(results.resolve("features")), JUDGED)) {
            System.out.println(judged.candidate().name());
            judged.column(ModelColumn.Role.STUDENT, null)
                    .values()
                    .forEach((measure, value) -> System.out.println("  " + measure.name() + " " + value));
        }
    }
}
