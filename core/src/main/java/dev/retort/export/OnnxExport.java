package dev.retort.export;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.Dtype;
import dev.retort.onnx.OnnxModel;
import dev.retort.onnx.OnnxWriter;
import dev.retort.pipeline.Models;
import dev.retort.sample.Folding;
import dev.retort.sample.Sampling;
import dev.retort.torch.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Writes a model as an ONNX file: one call of its network, or all steps of a plan. A student of few steps is folded on the way. The file is opened by ONNX
 * Runtime and compared with the network before it gets its name.
 *
 * @param ways how it may be sampled, the default first, each in another number of steps
 * @param unrolled whether all steps of the first way are in the graph; else one call
 * @param matrices type of matrices in the file, F32 or F16; arithmetic is fp32
 * @param mostInside with more bytes of weights these lie in a file beside it
 */
public record OnnxExport(List<SamplingSpec> ways, boolean unrolled, Dtype matrices, long mostInside) {
    /**
     * What was written.
     *
     * @param file the file
     * @param bytes its size, and that of its weights where these lie beside it
     * @param form {@code network} or {@code unrolled}
     * @param folded whether its modulations are a table
     * @param error how far its output is from the network's, as a share of {@code unit}
     * @param unit the largest value; of a quantised network the root mean square of all values
     * @param metadata what the file says of itself
     */
    public record Written(
            Path file,
            long bytes,
            String form,
            boolean folded,
            double error,
            String unit,
            Map<String, String> metadata) {}

    /** How a model is sampled as its card says: in each number of steps that it was trained for, the card's own first. */
    public static List<SamplingSpec> ways(ModelCard card) {
        List<SamplingSpec> ways = new ArrayList<>(List.of(card.sampling()));
        Sampling.ways(card).stream()
                .filter(way -> way.steps() != card.sampling().steps())
                .forEach(ways::add);
        return ways;
    }

    /**
     * Writes.
     *
     * @param folder a model folder
     * @param out the file; what was there is replaced once the new file is known to be right
     * @throws RetortException of kind CHECKPOINT where ONNX Runtime refuses the file or computes something else, naming the first layer that
     *     differs; {@code out} is untouched then
     */
    public Written write(Path folder, Path out) {
        ModelCard card = Models.card(folder);
        if (unrolled && card.autoencoder() != null) {
            throw new RetortException(
                    Kind.USAGE,
                    folder
                            + " is a model of latents: its steps would end in latents, not in pixels; leave the unrolling out");
        }
        return AtomicWrite.scratch(out, scratch -> {
            Path source = folder;
            if (Folding.allowed(card)) {
                source = scratch.resolve("folded");
                Folding.fold(folder, source, dev.retort.torch.Dtype.F32);
            }
            try (OpenedModel model = OpenedModel.open(source)) {
                return write(model, scratch.resolve(out.getFileName()), out);
            }
        });
    }

    /** The same of a model that is open, by way of a file beside which others may be written. */
    Written write(OpenedModel model, Path file, Path out) {
        List<Way> all = ways.stream().map(spec -> way(model, spec)).toList();
        List<Way> kept = unrolled ? all.subList(0, 1) : all;
        String form = unrolled ? FileMetadata.UNROLLED : FileMetadata.NETWORK;
        Map<String, String> metadata = FileMetadata.of(form, model, kept, matrices);
        OnnxModel onnx = unrolled
                ? UnrolledForm.of(model, kept.get(0), matrices, metadata)
                : NetworkForm.of(model, matrices, metadata);
        OnnxWriter.write(file, onnx, mostInside);
        Tolerance tolerance = Tolerance.of(model.card(), matrices);
        double error = compared(model, kept.get(0), tolerance, file, out);
        Path beside = OnnxWriter.outside(file);
        long bytes = file.toFile().length() + beside.toFile().length();
        boolean outside = Files.exists(beside);
        if (outside) {
            AtomicWrite.place(beside, OnnxWriter.outside(out));
        }
        AtomicWrite.place(file, out);
        if (!outside) {
            dropStale(OnnxWriter.outside(out));
        }
        return new Written(out, bytes, form, model.folded() != null, error, tolerance.unit(), metadata);
    }

    /** Weights of the file that was there before. */
    private static void dropStale(Path weights) {
        try {
            Files.deleteIfExists(weights);
        } catch (IOException e) {
            throw new RetortException(
                    Kind.WRITE,
                    weights + " belongs to the file that was replaced and cannot be deleted: " + AtomicWrite.reason(e)
                            + "; delete it",
                    e);
        }
    }

    private static Way way(OpenedModel model, SamplingSpec spec) {
        Way way = new Way(spec.steps(), Sampling.sampler(model.network(), model.card(), spec, Precision.FP32));
        if (model.folded() != null
                && way.sampler().asksTwice()
                && !model.folded().labels().contains(model.folded().classes())) {
            throw new RetortException(
                    Kind.USAGE,
                    "guidance is " + spec.guidanceScale() + ", but the table of "
                            + model.folded().name()
                            + " has no row without a label; ask for 1, or export the model that it was folded from");
        }
        return way;
    }

    private double compared(OpenedModel model, Way way, Tolerance tolerance, Path file, Path out) {
        OutputCheck check = new OutputCheck(model, way);
        List<OutputCheck.Case> cases = unrolled ? check.samples() : check.calls();
        double error;
        try (OnnxSession session = OnnxSession.open(file)) {
            error = OutputCheck.error(session, cases, tolerance);
        }
        if (!(error <= tolerance.most())) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    out + " was not written: what ONNX Runtime computes differs from the network by " + error
                            + " of the " + tolerance.unit() + ", at most " + tolerance.most() + " was expected; "
                            + FirstDifference.of(
                                    model,
                                    check.calls().get(0).inputs(),
                                    way.moments().get(way.some(1).get(0)).time(),
                                    matrices,
                                    tolerance,
                                    file.resolveSibling("probe.onnx")));
        }
        return error;
    }
}
