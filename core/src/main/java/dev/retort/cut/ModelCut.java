package dev.retort.cut;

import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.UNetLayout;
import dev.retort.card.UNetSizes;
import dev.retort.card.UNetSpec;
import dev.retort.config.Require;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Denoiser;
import dev.retort.model.Network;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.quantize.CalibrationConfig;
import dev.retort.quantize.StepTime;
import dev.retort.report.Progress;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Cuts a part out of a model with a U-Net: what {@code retort cut} does, as a call. The part has the weights of what is left, untrained; text
 * encoders, tokenizers and all else of the model stay.
 *
 * @param model folder of the model, or another program's
 * @param layout which blocks of a U-Net are kept
 * @param channels share of the channels that is kept, such as 0.5
 * @param layers how many layers of transformers are left out beside: those that change the output least
 * @param calibration at the states of which samples these are measured
 * @param progress of the layers that are measured
 */
public record ModelCut(
        Path model, Layout layout, double channels, int layers, CalibrationConfig calibration, Progress progress) {
    /** Which blocks of a U-Net are kept. */
    @FunctionalInterface
    public interface Layout {
        /** The blocks of this one. */
        UNetLayout of(UNetSpec teacher);
    }

    /** Validates. */
    public ModelCut {
        Require.atLeast("layers", layers, 0);
    }

    /**
     * Says what would be left, and writes nothing.
     *
     * @throws RetortException of kind CONFIG, by field, where the model has not what is to be left out, or nothing would be; CHECKPOINT for
     *     a model without a U-Net
     */
    public CutReport plan() {
        ModelCard card = card();
        if (layers == 0) {
            return report(card, LayerChoice.NONE);
        }
        try (Pipeline<Network> teacher = Models.load(model, Device.CPU)) {
            return report(card, choice(teacher));
        }
    }

    /**
     * Writes the part as a model folder; one that holds more than a model is refused.
     *
     * @throws RetortException as {@link #plan}
     */
    public CutReport run(Path out) {
        ModelFiles.requireReplaceable(out);
        ModelCard card = card();
        report(card, LayerChoice.NONE); // before anything is loaded
        try (Scope scope = Scope.open();
                Pipeline<Network> teacher = Models.load(model, Device.CPU)) {
            CutReport report = report(card, choice(teacher));
            try (Network student = Architectures.build(report.student(), Init.blank(Device.CPU))) {
                Architectures.surgery(report.teacher(), report.student())
                        .cut(teacher.network(), student, report.layout());
                ModelFiles.save(
                        out,
                        card.cut(report.student(), Models.sha256(model)),
                        Weights.writer(student.state(), Dtype.F32));
                return new CutReport(
                        report.teacher(),
                        report.student(),
                        report.layout(),
                        report.layers(),
                        report.leftOut(),
                        times(card, teacher.network(), student));
            }
        }
    }

    private ModelCard card() {
        ModelCard card = Models.card(model);
        card.requireFloats(model, "be cut");
        return card;
    }

    private LayerChoice choice(Pipeline<Network> teacher) {
        if (layers == 0) {
            return LayerChoice.NONE;
        }
        UNetSpec unet = unet(teacher.card().network());
        String prefix = teacher.card().network() instanceof TextToImageSpec ? "unet." : "";
        return LayerChoice.of(
                teacher.network(),
                teacher.card(),
                prefix,
                layout.of(unet),
                unet.levels().size(),
                layers,
                calibration,
                progress);
    }

    private CutReport report(ModelCard card, LayerChoice choice) {
        UNetSpec whole = unet(card.network());
        UNetLayout kept =
                layout.of(whole).without(choice.chosen(), whole.levels().size());
        NetworkSpec student = TextToImageSpec.with(card.network(), part(whole, kept));
        Require.that(
                layers > 0 || !student.equals(card.network()),
                "layout",
                "whole",
                "base, small, tiny or a file, or fewer channels or layers: as it is, nothing would be left out");
        return new CutReport(card.network(), student, kept, choice.changes(), choice.chosen(), Map.of());
    }

    private UNetSpec part(UNetSpec unet, UNetLayout kept) {
        try {
            return UNetSizes.narrowed(kept.of(unet), channels);
        } catch (IllegalArgumentException e) {
            throw new RetortException(Kind.CONFIG, e.getMessage(), e);
        }
    }

    private UNetSpec unet(NetworkSpec network) {
        return TextToImageSpec.unet(network)
                .orElseThrow(() -> new RetortException(
                        Kind.CHECKPOINT,
                        model + " is of another architecture (" + network.name()
                                + ") and is not cut by blocks of a U-Net; a smaller student of it starts with init=cut in a"
                                + " recipe ('retort presets distill')"));
    }

    private static Map<String, Double> times(ModelCard card, Network teacher, Network student) {
        Map<String, StepTime.Contender> contenders = new LinkedHashMap<>();
        try (Denoiser before = Architectures.pack(teacher, Precision.FP32);
                Denoiser after = Architectures.pack(student, Precision.FP32)) {
            contenders.put(CutReport.TEACHER, new StepTime.Contender(before, Precision.FP32));
            contenders.put(CutReport.STUDENT, new StepTime.Contender(after, Precision.FP32));
            return StepTime.of(card, contenders);
        }
    }
}
