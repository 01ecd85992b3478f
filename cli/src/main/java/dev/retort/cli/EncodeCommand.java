package dev.retort.cli;

import dev.retort.data.DataConfig;
import dev.retort.data.LatentManifest;
import dev.retort.report.Provenance;
import dev.retort.torch.Device;
import dev.retort.train.LatentEncoding;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes a latent cache, or goes on with one that was stopped. */
@Command(
        name = "encode",
        header = {
            "Encode pictures once, to train on latents. The same command resumes what was stopped.",
            "",
            "Examples:",
            "  retort encode photos --size 256 --vae sd-vae          a folder with config.json and weights",
            "  retort encode digits.tar.gz --size 64 --vae taesd/taesd --out latents/digits",
            "  retort train mine.yaml --set run.data.kind=latents --set run.data.path=latents/digits \\",
            "      --set run.data.size=0 --set objective.clamp=0",
            ""
        })
final class EncodeCommand implements Callable<Integer> {
    @Mixin
    private Output output;

    @Parameters(
            paramLabel = "DATA",
            description = "Pictures: a folder, an archive, shapes or captioned-shapes. Captions in NAME.txt,"
                    + " metadata.jsonl or metadata.csv are kept.")
    private String data;

    @Option(
            names = "--vae",
            paramLabel = "PLACE",
            required = true,
            description =
                    "Autoencoder: a diffusers folder, hf:OWNER/NAME, or the common beginning of two files *_encoder.safetensors"
                            + " and *_decoder.safetensors.")
    private String vae;

    @Option(
            names = "--size",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Rows and columns to bring the pictures to; by default as they are stored.")
    private Integer size;

    @Option(
            names = "--split",
            paramLabel = "NAME",
            defaultValue = "train",
            description = "Which part of the data; by default train.")
    private String split;

    @Option(
            names = "--images",
            paramLabel = "N",
            converter = Numbers.LongCount.class,
            description = "How many pictures, from the first on; by default all.")
    private Long images;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "16",
            converter = Numbers.Count.class,
            description = "Pictures at once; by default 16.")
    private int batch;

    @Option(
            names = "--shard",
            paramLabel = "N",
            defaultValue = "256",
            converter = Numbers.Count.class,
            description = "Pictures in a file; by default 256.")
    private int shard;

    @Mixin
    private DeviceOptions asked;

    @Option(
            names = "--out",
            paramLabel = "FOLDER",
            description = "Where the latents go; by default latents/NAME of the data.")
    private Path out;

    /** What is printed as JSON. */
    record Encoded(String out, long images, int files, int channels, int height, int width, double seconds) {}

    @Override
    public Integer call() {
        int stored = size == null ? 0 : size;
        DataConfig pictures = DataConfig.of(data, split, stored);
        Device.Choice where = asked.choose();
        output.say("Device " + where.device() + " (" + where.reason() + "), in fp32");
        Path folder = out == null ? Path.of("latents", name()) : out;
        LatentEncoding encoding = new LatentEncoding(
                pictures,
                images == null ? 0 : images,
                Path.of(ModelArgument.place(vae, output)),
                shard,
                batch,
                where.device());
        long start = System.nanoTime();
        LatentManifest manifest;
        try (Interrupt interrupt = Interrupt.listen(output.terminal());
                Bar bar = output.bar("encode", "images")) {
            manifest = encoding.run(folder, Provenance.here(output.command(), 0).texts(), output::say, bar, interrupt);
        }
        tell(folder, manifest, (System.nanoTime() - start) / 1e9);
        return 0;
    }

    private String name() {
        String name = Path.of(data).toAbsolutePath().normalize().getFileName().toString();
        String plain = name.replaceFirst("\\.(tar|tgz|tar\\.gz|bin|bin\\.gz)$", "");
        return split.equals("train") ? plain : plain + "-" + split;
    }

    private void tell(Path folder, LatentManifest manifest, double seconds) {
        if (output.json()) {
            output.terminal()
                    .json(new Encoded(
                            folder.toString(),
                            manifest.images(),
                            manifest.shards().count(),
                            manifest.autoencoder().latentChannels(),
                            manifest.height(),
                            manifest.width(),
                            seconds));
        } else {
            output.terminal().out().println(folder);
        }
        output.say(String.format(
                Locale.ROOT,
                "%d pictures and their mirror images as latents of %d x %d x %d in %s",
                manifest.images(),
                manifest.autoencoder().latentChannels(),
                manifest.height(),
                manifest.width(),
                Bar.duration(Math.round(seconds))));
        output.next("retort train PRESET --set run.data.kind=latents --set run.data.path=" + folder
                + " --set run.data.size=0 --set objective.clamp=0");
    }
}
