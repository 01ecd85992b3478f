package dev.retort.export;

import dev.retort.card.FoldedDitSpec;
import dev.retort.card.ImageShape;
import dev.retort.card.ModelCard;
import dev.retort.card.Part;
import dev.retort.config.CardFile;
import dev.retort.diffusion.PlanText;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.Dtype;
import dev.retort.text.ClipTokenizer;
import dev.retort.text.TokenizerText;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What an exported file says of itself: all that whoever samples it needs (docs/export.md). */
final class FileMetadata {
    /** One call of the network. */
    static final String NETWORK = "network";
    /** All steps of a plan. */
    static final String UNROLLED = "unrolled";

    private static final String FORMAT = "1";

    private FileMetadata() {}

    /** The keys of a file of this form for these ways of sampling, the default first. */
    static Map<String, String> of(String form, OpenedModel model, List<Way> ways, Dtype matrices) {
        ModelCard card = model.card();
        ImageShape values = card.network().shape();
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("retort.format", FORMAT);
        metadata.put("retort.form", form);
        metadata.put("retort.values", values.channels() + " " + values.height() + " " + values.width());
        if (card.network().condition().parts().containsKey(Part.LABEL)) {
            metadata.put("retort.classes", String.join("\n", card.classes()));
            metadata.put("retort.labels", spaced(card.labels()));
        }
        if (card.text() != null) {
            metadata.put("retort.prompts", lines(card.text().prompts()));
            List<ClipTokenizer> tokenizers = card.text().tokenizers();
            for (int i = 0; i < tokenizers.size(); i++) {
                metadata.put("retort.tokenizer." + i, text(i, tokenizers.get(i)));
            }
        }
        metadata.put("retort.steps", spaced(ways.stream().map(Way::steps).toList()));
        for (Way way : ways) {
            metadata.put("retort.plan." + way.steps(), PlanText.of(way.sampler().plan()));
            metadata.put(
                    "retort.guidance." + way.steps(),
                    spaced(way.scales()) + " / " + way.sampler().guidance().channels());
        }
        if (model.folded() != null && form.equals(NETWORK)) {
            metadata.put("retort.rows", rows(model.folded()));
        }
        metadata.putAll(Quantization.of(card.quantization(), matrices));
        metadata.put("retort.card", CardFile.text(card));
        return metadata;
    }

    /** A line of times, where calls at these land if they are told it, and labels. */
    private static String rows(FoldedDitSpec spec) {
        String ends = spec.ends().isEmpty() ? "" : "ends " + spaced(spec.ends()) + "\n";
        return "times " + spaced(spec.times()) + "\n" + ends + "labels " + spaced(spec.labels()) + "\n";
    }

    private static String text(int encoder, ClipTokenizer tokenizer) {
        try {
            return TokenizerText.of(tokenizer);
        } catch (IllegalArgumentException e) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "the tokenizer of text encoder " + encoder + " cannot be written into a file's metadata: "
                            + e.getMessage(),
                    e);
        }
    }

    /** Each on a line of its own; white space within a text means the same whatever it is. */
    private static String lines(List<String> texts) {
        return texts.stream().map(text -> text.strip().replaceAll("\\s+", " ")).collect(Collectors.joining("\n"));
    }

    private static String spaced(Collection<?> values) {
        return values.stream().map(String::valueOf).collect(Collectors.joining(" "));
    }
}
