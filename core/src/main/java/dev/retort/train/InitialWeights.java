package dev.retort.train;

import dev.retort.data.ImageSource;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.hub.Watch;
import dev.retort.model.ModelCard;
import dev.retort.model.ModelFolder;
import dev.retort.model.dit.Dit;
import dev.retort.model.dit.Regrid;
import dev.retort.model.vae.AutoencoderCard;
import dev.retort.torch.Device;
import java.nio.file.Path;
import java.util.function.Consumer;

/** The weights that a new run starts from, where they are another model's. */
final class InitialWeights {
    private InitialWeights() {}

    /** Takes a model's weights over into a network of the same shape, or of another height and width. */
    static void take(
            String given, Dit network, Objective objective, ImageSource source, Device device, Consumer<String> notes) {
        Path folder = RunFolder.resolveModel(given, Watch.saying(notes));
        try (ModelFolder.Loaded loaded = ModelFolder.load(folder, device)) {
            ModelCard card = loaded.card();
            requireSameSpace(card, source);
            Regrid.copy((Dit) loaded.network(), network);
            notes.accept("starting from " + folder + ", trained at "
                    + card.network().height() + "x" + card.network().width() + " for " + card.imagesSeen() + " images");
            if (!card.process().equals(objective.process())) {
                notes.accept("it was trained on another process (" + card.process() + "), so expect a rough start");
            }
        }
    }

    private static void requireSameSpace(ModelCard card, ImageSource source) {
        AutoencoderCard theirs = card.autoencoder();
        AutoencoderCard ours = source.autoencoder().orElse(null);
        boolean same = theirs == null || ours == null ? theirs == ours : theirs.sameSpace(ours);
        if (!same) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "the model to start from works on " + space(theirs) + ", the data are " + space(ours)
                            + "; use data of the same kind");
        }
    }

    private static String space(AutoencoderCard card) {
        return card == null ? "pixels" : "latents (" + card.space() + ")";
    }
}
