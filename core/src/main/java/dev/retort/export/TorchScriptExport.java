package dev.retort.export;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Network;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.sample.Sampler;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Writes a model as a TorchScript archive with {@code forward} and {@code sample}; its card is the archive's extra file {@code model.json}. The
 * archive is opened and compared with the network before it gets its name.
 *
 * @param way how {@code sample} samples
 */
public record TorchScriptExport(SamplingSpec way) {
    /**
     * What was written.
     *
     * @param bytes its size
     * @param error the largest difference from the network, as a share of the largest value
     */
    public record Written(long bytes, double error) {}

    /**
     * Writes.
     *
     * @param folder a model folder
     * @param out the file; what was there is replaced once the new file is known to be right
     * @throws RetortException of kind CHECKPOINT where the model is folded or quantised, or has what cannot be written; {@code out} is untouched then
     */
    public Written write(Path folder, Path out) {
        ModelCard card = ModelFiles.card(folder);
        card.requireFloats(folder, "be written as TorchScript");
        if (card.network().folded()) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    folder + " is folded (" + card.network().name()
                            + ") and cannot be written as TorchScript; give the model that it was folded from");
        }
        try (Scope scope = Scope.open();
                Pipeline<Network> model = Models.load(folder, Device.CPU)) {
            Sampler sampler = Sampling.sampler(model.network(), card, way, Precision.FP32);
            double error = TorchScriptFile.write(
                    out,
                    Architectures.of(card.network()).graph(card.network()),
                    model.network().state(),
                    Optional.of(TorchScriptPlan.of(sampler)),
                    Map.of(ModelFiles.CARD, Files.readString(folder.resolve(ModelFiles.CARD))));
            return new Written(out.toFile().length(), error);
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new RetortException(Kind.CHECKPOINT, out + " was not written: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
