package dev.retort.train;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.ModelCard;
import dev.retort.card.TextCard;
import dev.retort.data.ImageSource;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.hub.DownloadListener;
import dev.retort.model.Network;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.torch.Device;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The weights that a new run starts from.
 *
 * @param given whose they are: a model, run or checkpoint, or {@code hf:OWNER/NAME}; empty for random ones
 */
record InitialWeights(String given) {
    /** Where a model's card names them among its provenance. */
    static final String KEY = "initFrom";

    private static final int MOST_NAMED = 3;

    /** How that model is told texts, of whose tokens its embeddings are; empty where it is told none. */
    Optional<TextCard> text(Consumer<String> notes) {
        return given.isEmpty()
                ? Optional.empty()
                : Optional.ofNullable(Models.card(located(notes)).text());
    }

    private Path located(Consumer<String> notes) {
        return Models.locate(given, DownloadListener.saying(notes));
    }

    /** Takes them over into a network of the same shape, or of another height and width. */
    void take(Network network, Objective objective, ImageSource source, Device device, Consumer<String> notes) {
        if (given.isEmpty()) {
            return;
        }
        Path folder = located(line -> {}); // text(…) has said what is to be said
        try (Pipeline<Network> loaded = Models.load(folder, device)) {
            loaded.card().requireFloats(folder, "be trained");
            ModelCard card = loaded.card();
            requireSameSpace(card, source);
            Architectures.surgery(loaded.network().spec(), network.spec()).regrid(loaded.network(), network);
            notes.accept("starting from " + folder + ", trained at "
                    + card.network().height() + "x" + card.network().width() + " for " + card.imagesSeen() + " images");
            if (!card.process().equals(objective.process())) {
                notes.accept("it was trained on another process (" + card.process() + "), so expect a rough start");
            }
            List<String> classes = ClassNames.differences(card.classes(), source.classNames());
            if (!classes.isEmpty() && !ClassNames.unknown(card.classes())) {
                notes.accept("it was trained with other classes: " + FirstFew.of(classes, MOST_NAMED)
                        + "; each starts from what its number meant");
            }
        }
    }

    /** What a model's card says about where it was made, these weights included. */
    Map<String, String> into(Map<String, String> provenance) {
        Map<String, String> all = new LinkedHashMap<>(provenance);
        if (!given.isEmpty()) {
            all.put(KEY, given);
        }
        return all;
    }

    private static void requireSameSpace(ModelCard card, ImageSource source) {
        AutoencoderCard ofModel = card.autoencoder();
        AutoencoderCard ofData = source.autoencoder().orElse(null);
        boolean same = ofModel == null || ofData == null ? ofModel == ofData : ofModel.sameSpace(ofData);
        if (!same) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "the model to start from works on " + space(ofModel) + ", the data are " + space(ofData)
                            + "; use data of the same kind");
        }
    }

    private static String space(AutoencoderCard card) {
        return card == null ? "pixels" : "latents (" + card.space() + ")";
    }
}
