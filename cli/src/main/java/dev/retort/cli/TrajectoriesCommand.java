package dev.retort.cli;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.data.Datasets;
import dev.retort.data.LatentFolder;
import dev.retort.data.PromptFile;
import dev.retort.data.TrajectoryManifest;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.pipeline.Models;
import dev.retort.report.ModelColumn;
import dev.retort.report.Provenance;
import dev.retort.sample.TrajectoryRecording;
import dev.retort.torch.Device;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes a cache of a teacher's trajectories, or goes on with one that was stopped. */
@Command(
        name = "trajectories",
        header = {
            "Keep a teacher's ways from noise to picture, once, for students to learn from. The same command resumes.",
            "",
            "Examples:",
            "  retort trajectories runs/teacher                    20000, of 16 steps, in trajectories/teacher",
            "  retort trajectories runs/teacher --count 1000 --out some",
            "  retort trajectories runs/teacher --guidance 2 --seed 1 --out trajectories/guided",
            "  retort trajectories MODEL --solver ddim --steps 32  any solver that adds no noise",
            "  retort trajectories runs/words --count 4000         under captions of its training pictures",
            "  retort trajectories runs/words --prompts texts.txt  under texts of your own, in turn",
            ""
        })
final class TrajectoriesCommand implements Callable<Integer> {
    private static final int STEPS = 16;

    @Mixin
    private Output output;

    @Mixin
    private DeviceOptions asked;

    @Mixin
    private SamplingOptions options;

    @Parameters(paramLabel = "TEACHER", description = ModelArgument.PLACES)
    private String teacher;

    @Option(
            names = "--count",
            paramLabel = "N",
            defaultValue = "20000",
            converter = Numbers.Count.class,
            description = "Trajectories in all, classes or texts in turn; by default 20000.")
    private int count;

    @Option(
            names = "--data",
            paramLabel = "PATH",
            description = "Pictures whose captions a text-to-image teacher is told: a folder, an archive or"
                    + " captioned-shapes, their training part; by default what it was trained on.")
    private String data;

    @Option(
            names = "--prompts",
            paramLabel = "FILE",
            description = "Texts that it is told instead, from a file: UTF-8, one in each line.")
    private Path file;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            converter = Numbers.Seed.class,
            description = "Seed of all noises, as of 'retort sample'; by default 0.")
    private long seed;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "32",
            converter = Numbers.Count.class,
            description = "Trajectories at once; by default 32.")
    private int batch;

    @Option(
            names = "--shard",
            paramLabel = "N",
            defaultValue = "256",
            converter = Numbers.Count.class,
            description = "Trajectories in a file; by default 256.")
    private int shard;

    @Option(
            names = "--out",
            paramLabel = "FOLDER",
            description = "Where the trajectories go; by default trajectories/NAME of the teacher.")
    private Path out;

    /** What is printed as JSON. */
    record Kept(
            String out,
            int count,
            int states,
            int files,
            int channels,
            int height,
            int width,
            long seed,
            String solver,
            int steps,
            double guidance,
            double seconds) {}

    @Override
    public Integer call() {
        Path model = ModelArgument.folder(teacher, output);
        ModelCard card = Models.card(model);
        SamplingSpec usual = card.sampling();
        boolean bound = usual.grid().steps().isPresent(); // a grid that lists its times has no other number of steps
        SamplingSpec sampling = options.of(bound ? usual : usual.withSteps(STEPS), card, teacher);
        Device.Choice where = asked.choose();
        output.say("Device " + where.device() + " (" + where.reason() + "), in fp32");
        Path folder = out == null ? Path.of("trajectories", ModelArgument.name(teacher)) : out;
        List<String> texts = texts(model, card);
        TrajectoryRecording recording =
                new TrajectoryRecording(model, teacher, sampling, seed, count, texts, shard, batch, where.device());
        long start = System.nanoTime();
        TrajectoryManifest manifest;
        try (Interrupt interrupt = Interrupt.listen(output.terminal());
                Bar bar = output.bar("trajectories", "kept")) {
            manifest = recording.run(
                    folder, Provenance.here(output.command(), seed).texts(), output::say, bar, interrupt);
        }
        tell(folder, manifest, texts, (System.nanoTime() - start) / 1e9);
        return 0;
    }

    /** What a text-to-image teacher is told; nothing for one that is told classes. */
    private List<String> texts(Path model, ModelCard card) {
        if (card.text() == null) {
            if (data != null || file != null) {
                throw new RetortException(
                        Kind.USAGE,
                        (data != null ? "--data " + data : "--prompts " + file) + " names texts, but " + teacher
                                + " is told classes; leave it out: all of them come in turn");
            }
            return List.of();
        }
        if (file != null) {
            if (data != null) {
                throw new RetortException(Kind.USAGE, "--data and --prompts both say what to show; give one of them");
            }
            return PromptFile.read(file);
        }
        int size = card.images().height();
        DataConfig pictures = data != null
                ? DataConfig.of(data, "train", LatentFolder.is(Path.of(data)) ? 0 : size)
                : RealImageOptions.trainedOn(model)
                        .or(() -> RealImageOptions.drawn(card.data(), "train", size))
                        .orElseThrow(() -> new RetortException(
                                Kind.USAGE,
                                teacher + " does not say where its pictures (" + card.data()
                                        + ") lie; give them as --data, or texts as --prompts"));
        return Datasets.captions(pictures.open(), count, seed);
    }

    private void tell(Path folder, TrajectoryManifest manifest, List<String> texts, double seconds) {
        SamplingSpec sampling = manifest.sampling();
        if (output.json()) {
            output.terminal()
                    .json(new Kept(
                            folder.toString(),
                            manifest.count(),
                            manifest.times().size(),
                            manifest.shards().count(),
                            manifest.channels(),
                            manifest.height(),
                            manifest.width(),
                            manifest.seed(),
                            sampling.solver().text(),
                            sampling.steps(),
                            sampling.guidanceScale(),
                            seconds));
        } else {
            output.terminal().out().println(folder);
        }
        output.say(String.format(
                Locale.ROOT,
                "%d trajectories of %d states of %d x %d x %d in %s: %s, %s, guidance %s, seed %d",
                manifest.count(),
                manifest.times().size(),
                manifest.channels(),
                manifest.height(),
                manifest.width(),
                Bar.duration(Math.round(seconds)),
                sampling.solver().text(),
                ModelColumn.steps(sampling.steps()),
                sampling.guidanceScale(),
                manifest.seed()));
        output.next(
                "retort sample " + teacher + " --solver " + sampling.solver().text() + " --steps " + sampling.steps()
                        + " --guidance " + sampling.guidanceScale() + " --seed " + manifest.seed()
                        + texts.stream()
                                .findFirst()
                                .map(text -> " --prompt " + CommandText.word(text))
                                .orElse(""));
    }
}
