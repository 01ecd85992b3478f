package dev.retort.cli;

import dev.retort.card.ModelCard;
import dev.retort.card.PictureCard;
import dev.retort.card.SamplingSpec;
import dev.retort.data.Prompts;
import dev.retort.layout.WeightedLora;
import dev.retort.model.Denoiser;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.ModelColumn;
import dev.retort.sample.Randomness;
import dev.retort.sample.SampleJob;
import dev.retort.sample.Sampler;
import dev.retort.sample.Sampling;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Draws images from a checkpoint. */
@Command(
        name = "sample",
        header = {
            "Draw images from a checkpoint: a grid, a folder of PNG files, or npz for other tools.",
            "",
            "Examples:",
            "  retort sample runs/teacher                            eight of each class in samples.png",
            "  retort sample runs/teacher --classes 3,7-9 --seed 1   some classes, another seed",
            "  retort sample MODEL --prompt 'a red circle' --prompt 'a blue star' --count 16   by words, in turn",
            "  retort sample MODEL --prompts texts.txt --negative 'small' --guidance 4 --out drawn",
            "  retort sample runs/teacher --steps 4 --out few.png    fewer steps",
            "  retort sample MODEL --solver ddim:eta=0.5 --grid leading:offset=1 --steps 50",
            "  retort sample MODEL --solver dpmpp-3m --grid karras --clamp dynamic:quantile=0.99,max=2",
            "  retort sample runs/student --count 10000 --out s.npz  for evaluation elsewhere (ADM layout)",
            "  retort sample MODEL --init-image photo.png --strength 0.6 --classes Bag  from a picture",
            "  retort sample MODEL --init-image photo.png --mask white-is-redrawn.png   only a part of it",
            "  retort sample --like samples/000007-class3.png        the same picture once more",
            "  retort sample MODEL --lora style.safetensors:0.8      with an adapter ('retort lora --help')",
            "  retort sample hf:OWNER/NAME                           a model of the hub ('retort pull --help')",
            ""
        })
final class SampleCommand implements Callable<Integer> {
    private static final int MOST_COLUMNS = 16;
    private static final int USUAL_COLUMNS = 10;

    @Mixin
    private Output output;

    @Mixin
    private ComputeOptions compute;

    @Mixin
    private SamplingOptions options;

    @Mixin
    private SamplingForce force;

    @Mixin
    private PromptOptions prompts;

    @Mixin
    private LikeOptions like;

    @Mixin
    private StartOptions start;

    @Mixin
    private PreviewOptions preview;

    @Mixin
    private LoraOptions loras;

    @Parameters(paramLabel = "CHECKPOINT", arity = "0..1", description = ModelArgument.PLACES)
    private String checkpoint;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "32",
            converter = Numbers.Count.class,
            description =
                    "Images at once; by default 32. Changes none of them on 1 or 2 threads; on more, values may differ"
                            + " in their last digits.")
    private int batch;

    @Option(
            names = "--vae",
            paramLabel = "PLACE",
            description = "Autoencoder that decodes a model of latents, a path or hf:OWNER/NAME; by default the one it"
                    + " was trained with.")
    private String vae;

    @Option(
            names = "--out",
            paramLabel = "PATH",
            defaultValue = "samples.png",
            description = "NAME.png (one grid), NAME.npz (ADM layout) or a folder; by default samples.png.")
    private Path out;

    /** What is printed as JSON. */
    record Drawn(
            String out,
            int count,
            long seed,
            String solver,
            int steps,
            double guidance,
            double seconds,
            double imagesPerSecond) {}

    @Override
    public Integer call() {
        Optional<PictureCard> shown = like.shown();
        checkpoint = LikeOptions.model(checkpoint, shown);
        Integer steps = options.steps() != null
                ? options.steps()
                : shown.map(picture -> picture.sampling().steps()).orElse(null);
        Path folder = ModelArgument.folder(checkpoint, steps, output);
        ModelCard own = Models.card(folder);
        String sha256 = Models.sha256(folder);
        SamplingSpec sampling = options.of(shown.map(PictureCard::sampling).orElse(own.sampling()), own, checkpoint);
        Optional<PictureCard.Source> source = start.source(shown.flatMap(PictureCard::start));
        ModelCard card = force.allowing(sampling, own, checkpoint, output);
        PromptOptions.Asked asked = prompts.of(card, shown, force, checkpoint, output);
        long first = like.first(shown);
        long seed = like.seed(shown);
        Randomness noise = like.randomness(shown);
        ImageWriter.requireUsable(out);
        ComputeOptions.Chosen chosen = compute.choose(output);
        String precision = chosen.precision().name().toLowerCase(Locale.ROOT);
        List<WeightedLora> adapters = loras.adapters(output);
        List<PictureCard.Lora> told = LoraOptions.told(adapters);
        shown.ifPresent(picture -> {
            like.compare(picture, sha256, precision, output);
            like.requireLoras(picture, told, output);
        });
        try (Pipeline<Denoiser> model = Models.open(folder, adapters, chosen.device(), chosen.precision());
                ImageCodec codec = ImageCodec.of(card, ModelArgument.place(vae, output), chosen.device())) {
            model.notes().forEach(output::say);
            Sampler sampler = asked.told(Sampling.sampler(
                            model.network(),
                            card,
                            sampling,
                            chosen.precision(),
                            source.map(picture -> StartOptions.start(picture, codec, output)))
                    .with(noise));
            ImageWriter writer = ImageWriter.at(out, codec.shape(), columns(asked.choices()));
            PictureCard says = new PictureCard(
                    PictureCard.FORMAT,
                    checkpoint,
                    sha256,
                    asked.labels(),
                    asked.names(card),
                    asked.text(),
                    seed,
                    first,
                    noise.name().toLowerCase(Locale.ROOT),
                    precision,
                    codec.shape().width(),
                    codec.shape().height(),
                    sampling,
                    source,
                    told);
            double seconds;
            try (PreviewOptions.Shown view = preview.open(out, card, codec, output)) {
                seconds =
                        sample(writer, new SampleJob(sampler, codec, seed, batch, first, view), asked.prompts(), says);
            }
            tell(new Drawn(
                    out.toString(),
                    asked.prompts().size(),
                    seed,
                    sampling.solver().text(),
                    sampling.steps(),
                    sampling.guidanceScale(),
                    seconds,
                    asked.prompts().size() / seconds));
        }
        return 0;
    }

    /** A column for each class or text where that makes a sheet of reasonable width. */
    private static int columns(int choices) {
        return choices > 1 && choices <= MOST_COLUMNS ? choices : USUAL_COLUMNS;
    }

    private double sample(ImageWriter writer, SampleJob job, Prompts told, PictureCard card) {
        long start = System.nanoTime();
        try (Bar bar = output.bar("sample", "")) {
            writer.write(watched(job, bar), told, card);
        }
        return (System.nanoTime() - start) / 1e9;
    }

    /** A bar that every step moves, of one picture too. */
    private static SampleJob watched(SampleJob job, Bar bar) {
        SampleJob.Watcher other = job.watcher();
        return new SampleJob(job.sampler(), job.codec(), job.seed(), job.batch(), job.first(), step -> {
            other.after(step);
            int drawn = step.first() + (step.index() == step.calls() - 1 ? step.n() : 0);
            bar.update(
                    (long) step.first() * step.calls() + (long) step.n() * (step.index() + 1),
                    (long) step.images() * step.calls(),
                    drawn + "/" + step.images() + " images");
        });
    }

    private void tell(Drawn drawn) {
        if (output.json()) {
            output.terminal().json(drawn);
            return;
        }
        output.terminal().out().println(drawn.out());
        output.say(String.format(
                Locale.ROOT,
                "%d images in %s (%.1f/s): %s, %s, guidance %s, seed %d",
                drawn.count(),
                Bar.duration(Math.round(drawn.seconds())),
                drawn.imagesPerSecond(),
                drawn.solver(),
                ModelColumn.steps(drawn.steps()),
                drawn.guidance(),
                drawn.seed()));
        output.next("retort sample " + checkpoint + " --seed " + (drawn.seed() + 1));
    }
}
