package dev.retort.cli;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.ClampSpec;
import dev.retort.card.ClipTextSpec;
import dev.retort.card.GridSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScheduleSpec;
import dev.retort.card.SolverSpec;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.TrainedFor;
import dev.retort.error.FirstFew;
import dev.retort.report.ModelColumn;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a model or an autoencoder is, in lines of a label and a text: all that decides what a sample looks like. */
final class CardText {
    private static final int MOST_NAMED = 10;
    private static final int MOST_PROMPTS = 3;
    private static final String NOT_BUILT = "(not built here)";

    private CardText() {}

    /** Of a model whose file has keys of that layout. */
    static Map<String, String> of(ModelCard card, String layout) {
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("Network", card.network().name() + " (" + layout + " keys)");
        lines.put("Shape", shape(card.network()));
        text(card, lines);
        lines.put("Process", process(card.process()));
        lines.put("Sampling", sampling(card.sampling()));
        if (!card.trainedFor().ofClasses(List.of()).equals(TrainedFor.ANY)) {
            lines.put("Trained", "for " + card.trainedFor().text());
        }
        if (!card.trainedFor().classes().isEmpty()) {
            lines.put(
                    "Domain",
                    FirstFew.of(card.labels().stream().map(card.classes()::get).toList(), MOST_NAMED) + " alone");
        }
        String average = card.provenance().get(ModelCard.AVERAGE);
        if (average != null) {
            lines.put("Weights", "moving average of decay " + average);
        }
        if (card.quantization() != null) {
            int layers = card.quantization().layers().size();
            lines.put("Bits", card.quantization().text() + ", in " + layers + (layers == 1 ? " layer" : " layers"));
        }
        if (card.autoencoder() != null) {
            lines.put(
                    "Latents",
                    "of the " + autoencoder(card.autoencoder()) + ") in "
                            + card.autoencoder().path());
        }
        return lines;
    }

    /** Of an autoencoder alone. */
    static Map<String, String> of(AutoencoderCard card) {
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("Network", autoencoder(card) + ", pictures of " + card.imageChannels() + " channels)");
        lines.put("Hash", "sha256 " + card.sha256());
        return lines;
    }

    private static void text(ModelCard card, Map<String, String> lines) {
        if (card.text() == null || !(card.network() instanceof TextToImageSpec network)) {
            return;
        }
        List<String> encoders = new ArrayList<>();
        for (ClipTextSpec encoder : network.encoders()) {
            encoders.add("CLIP of width " + encoder.width() + " and " + encoder.layers()
                    + (encoder.layers() == 1 ? " layer" : " layers") + ", " + encoder.vocabulary()
                    + " tokens, at most " + (encoder.length() - 2) + " in a text");
        }
        lines.put("Text", String.join("; ", encoders));
        if (!card.text().prompts().isEmpty()) {
            lines.put("Prompts", FirstFew.of(card.text().prompts(), MOST_PROMPTS));
        }
    }

    private static String autoencoder(AutoencoderCard card) {
        return "autoencoder " + card.kind() + " (" + card.space();
    }

    private static String shape(NetworkSpec network) {
        return String.format(
                Locale.ROOT,
                "%dx%dx%d%s%s%s%s%s%s%s",
                network.channels(),
                network.height(),
                network.width(),
                network.parts().isEmpty() ? "" : ", " + network.parts(),
                network.classes() == 0 ? "" : ", " + network.classes() + " classes",
                network.classes() > 0 && network.hasNullClass() ? " and none" : "",
                network.learnSigma() ? ", variance learned" : "",
                network.scalars().guidance() ? ", told its guidance" : "",
                network.scalars().hasEndTime() ? ", told where a step ends" : "",
                network.outputs() > 1 ? ", " + network.outputs() + " outputs" : "");
    }

    private static String process(ProcessSpec process) {
        StringBuilder text = new StringBuilder(process.schedule().name());
        if (process.schedule() instanceof ScheduleSpec.Betas betas) {
            text.append(" betas ")
                    .append(plain(betas.betaStart()))
                    .append(" to ")
                    .append(plain(betas.betaEnd()));
        }
        if (process.schedule() instanceof ScheduleSpec.Table table) {
            text.append(", ").append(table.steps()).append(" levels");
        } else if (process.schedule() instanceof ScheduleSpec.Flow flow) {
            text.append(", times 0 to ").append(flow.steps());
        }
        if (process.zeroTerminalSnr()) {
            text.append(", rescaled to end in pure noise");
        }
        text.append(", predicts ").append(process.prediction().name().toLowerCase(Locale.ROOT));
        return text.append(
                        process.clamp() > 0
                                ? ", predicted sample cut to ±" + process.clamp()
                                : ", predicted sample not cut")
                .toString();
    }

    /** 0.0001, not 1.0E-4. */
    private static String plain(double value) {
        return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
    }

    private static String sampling(SamplingSpec sampling) {
        String text = (sampling.solver() instanceof SolverSpec.Foreign
                        ? NOT_BUILT
                        : sampling.solver().text()) + ", " + ModelColumn.steps(sampling.steps());
        if (!(sampling.grid() instanceof GridSpec.Default)) {
            text += " of the grid "
                    + (sampling.grid() instanceof GridSpec.Foreign
                            ? NOT_BUILT
                            : sampling.grid().text());
        }
        text += ", guidance " + sampling.guidanceScale();
        if (sampling.guidanceChannels() > 0) {
            text += " on " + sampling.guidanceChannels() + " channels";
        }
        if (sampling.guidanceRescale() > 0) {
            text += " rescaled by " + sampling.guidanceRescale();
        }
        if (sampling.guidanceFrom() > 0 || sampling.guidanceTo() < 1) {
            text += " from " + sampling.guidanceFrom() + " to " + sampling.guidanceTo() + " of the noisiest time";
        }
        if (!(sampling.clamp() instanceof ClampSpec.Default)) {
            text += ", predicted sample clamped by " + sampling.clamp().text();
        }
        if (sampling.temperature() != 1) {
            text += ", noise at temperature " + sampling.temperature();
        }
        return text;
    }
}
