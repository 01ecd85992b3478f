package dev.retort.layout;

import dev.retort.card.ModelCard;
import dev.retort.io.TensorFile;
import java.util.List;

/** A network as another program saved it, opened: what it is, how it is sampled, and its weights under our names. */
public interface Checkpoint extends AutoCloseable {
    /** How the file names its tensors. */
    WeightLayout<?> layout();

    /** Whose program trained it, in a word. */
    String trainedBy();

    /** The card of the model that it makes, with the autoencoder of the pipeline it lies in. */
    ModelCard card();

    /** The same without the autoencoder, which is not looked at and so may be damaged. */
    ModelCard networkCard();

    /** What was taken off or changed in reading, a sentence each. */
    List<String> notes();

    /** The tensors as they are stored, without what was wrapped around them. */
    TensorFile weights();

    /**
     * The network's parameters under its own names, in the order of its state: rows of stored tensors, and what is computed
     * where the file does not hold it or means it otherwise. Good as long as this is open.
     */
    TensorFile parameters();

    /**
     * What {@link #parameters} computes in fp32 though the file holds another type or nothing, and so is rounded where it is
     * written in another: a sentence each.
     *
     * @param to the layout that it is written in, by name; another than any program's for our own
     * @param type the type, as users call it
     */
    List<String> rounded(String to, String type);

    @Override
    void close();
}
