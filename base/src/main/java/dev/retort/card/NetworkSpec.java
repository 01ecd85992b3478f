package dev.retort.card;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;
import tools.jackson.databind.annotation.JsonTypeIdResolver;

/**
 * What a denoising network is, as far as training, sampling and measuring need to know it. In a card it says by {@code type}
 * which record it is: one of ours by a short name, as {@code dit}, a user's own by the name of its class.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.CUSTOM, property = "type")
@JsonTypeIdResolver(NetworkType.class)
public interface NetworkSpec {
    /** Short name such as {@code DiT-S/2}. */
    String name();

    /** Channels of the images or latents it denoises. */
    int channels();

    /** Height of its images or latents. */
    int height();

    /** Width of its images or latents. */
    int width();

    /** Shape of its images or latents. */
    default ImageShape shape() {
        return new ImageShape(channels(), height(), width());
    }

    /** What rows and columns need be multiples of {@link #withSize}: how many cells become one of its smallest maps. */
    default int sizeMultiple() {
        return 1;
    }

    /**
     * The same network, with the same weights, for images or latents of another size.
     *
     * @throws IllegalArgumentException where its weights are bound to their size
     */
    default NetworkSpec withSize(int height, int width) {
        if (height == height() && width == width()) {
            return this;
        }
        throw new IllegalArgumentException(
                name() + " works on " + height() + "x" + width() + " alone: its weights are bound to that size");
    }

    /** What it is conditioned on. */
    ConditionSpec condition();

    /** Numbers that it is told of each sample beside time and class. */
    default ScalarInputs scalars() {
        return ScalarInputs.NONE;
    }

    /**
     * The same network, told these numbers.
     *
     * @throws IllegalArgumentException where networks of its kind cannot be told them
     */
    default NetworkSpec with(ScalarInputs told) {
        if (told.equals(scalars())) {
            return this;
        }
        throw new IllegalArgumentException(
                name() + " cannot be told " + told.parts() + "; use a network that can, such as dit");
    }

    /** How many predictions it returns, one after another in the channels: a head for each part of the way from noise to image. */
    default int outputs() {
        return 1;
    }

    /**
     * The same network with so many heads.
     *
     * @throws IllegalArgumentException where networks of its kind have one
     */
    default NetworkSpec withOutputs(int heads) {
        if (heads == outputs()) {
            return this;
        }
        throw new IllegalArgumentException(
                name() + " cannot have " + heads + " outputs; use a network that can, such as dit");
    }

    /** Whether guidance means anything to it: it can be asked without a condition, or is told the scale. */
    default boolean guidable() {
        return hasNullClass() || scalars().guidance();
    }

    /**
     * Whether what it computes of time and condition alone is a table of a few of them ({@link FoldedDitSpec}): it is sampled at these, and
     * neither trained nor cut.
     */
    default boolean folded() {
        return false;
    }

    /** Number of classes, the null class not counted. */
    default int classes() {
        return condition().classes();
    }

    /** Whether the network was built to be asked without a condition. */
    default boolean hasNullClass() {
        return condition().hasNone();
    }

    /** Whether the output carries variance channels behind the prediction. */
    boolean learnSigma();

    /** Number of trained values. */
    long parameters();

    /** Multiply-accumulates of one forward pass for one image. */
    long macs();

    /** What it is built of, in words such as {@code 12 blocks of width 384, 6 heads}; empty where the name says it. */
    default String parts() {
        return "";
    }

    /** The outputs of its blocks, in order: the intermediates that networks of different shapes are compared by. */
    List<TapPoint> taps();

    /** What the names of the layers inside these blocks begin with, block by block. */
    default List<String> blocks() {
        return taps().stream().map(TapPoint::name).toList();
    }
}
