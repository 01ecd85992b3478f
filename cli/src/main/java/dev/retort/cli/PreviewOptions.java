package dev.retort.cli;

import dev.retort.card.ModelCard;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.pipeline.ImageCodec;
import dev.retort.sample.PreviewFile;
import dev.retort.sample.SampleJob;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Whether pictures are shown while they are drawn. */
final class PreviewOptions {
    @Option(
            names = "--preview",
            paramLabel = "K",
            converter = Numbers.Count.class,
            description = "Every K calls of the network, show what it predicts in NAME.preview.png beside --out.")
    private Integer every;

    @Option(
            names = "--preview-vae",
            paramLabel = "PLACE",
            description =
                    "Decoder of the previews of a model of latents, such as a TAESD folder; by default the model's own,"
                            + " which takes longer.")
    private String vae;

    /** What is shown, until it is closed. */
    record Shown(SampleJob.Watcher watcher, Runnable end) implements SampleJob.Watcher, AutoCloseable {
        @Override
        public void after(SampleJob.Step step) {
            watcher.after(step);
        }

        @Override
        public void close() {
            end.run();
        }
    }

    /** @param codec the model's own */
    Shown open(Path out, ModelCard card, ImageCodec codec, Output output) {
        if (every == null) {
            if (vae != null) {
                throw new RetortException(
                        Kind.USAGE,
                        "--preview-vae " + vae + " decodes previews, and none are asked for; add --preview K");
            }
            return new Shown(step -> {}, () -> {});
        }
        Path file =
                out.resolveSibling(out.getFileName().toString().replaceFirst("(?i)\\.(png|npz)$", "") + ".preview.png");
        output.say("Previews in " + file);
        if (vae == null) {
            return new Shown(new PreviewFile(file, every, codec), () -> {});
        }
        ImageCodec tiny = ImageCodec.preview(card, ModelArgument.place(vae, output), codec.device());
        return new Shown(new PreviewFile(file, every, tiny), tiny::close);
    }
}
