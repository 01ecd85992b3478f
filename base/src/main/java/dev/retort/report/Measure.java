package dev.retort.report;

/**
 * A row of the comparison: something measured of every model.
 *
 * @param name what people call it, with extractor and number of images where they matter: {@code FD-R20cifar@10k}
 * @param group the heading it stands under
 * @param unit how it is printed
 * @param better which way is better
 * @param meaning one short sentence for the reader who does not know the name
 */
public record Measure(String name, String group, Unit unit, Better better, String meaning) {
    /** Heading of what a model costs. */
    public static final String COST = "Size and speed";
    /** Heading of how good its pictures are. */
    public static final String QUALITY = "Quality";
    /** Heading of how close it is to the teacher. */
    public static final String AGREEMENT = "Agreement with the teacher";

    /** Trainable values of the network. */
    public static final Measure PARAMETERS =
            new Measure("Parameters", COST, Unit.COUNT, Better.LOWER, "values in the network");
    /** Multiply-accumulates of one forward pass for one image. */
    public static final Measure MACS = new Measure(
            "MACs per call", COST, Unit.COUNT, Better.LOWER, "multiply-accumulates of one network call for one image");
    /** Network calls for one image, guidance counted. */
    public static final Measure NETWORK_CALLS =
            new Measure("Network calls", COST, Unit.COUNT, Better.LOWER, "calls for one image, guidance counted");
    /** Training images that a model has seen. */
    public static final Measure IMAGES_SEEN = new Measure(
            "Images seen", COST, Unit.COUNT, Better.NEITHER, "training images, one seen twice counted twice");
    /** Wall-clock seconds for one image, in the batch it was sampled with. */
    public static final Measure SECONDS_PER_IMAGE =
            new Measure("Time per image", COST, Unit.SECONDS, Better.LOWER, "wall clock, from noise to pixels");
    /** Images a second. */
    public static final Measure IMAGES_PER_SECOND = new Measure(
            "Images per second", COST, Unit.PER_SECOND, Better.HIGHER, "the inverse of the time of one image");
    /** Peak resident memory above that of the empty process. */
    public static final Measure PEAK_MEMORY = new Measure(
            "Peak memory",
            COST,
            Unit.BYTES,
            Better.LOWER,
            "resident, above a process that draws with a minimal network");
    /** Share of samples in which the classifier sees the class that was asked for. */
    public static final Measure CLASS_ACCURACY = new Measure(
            "Class accuracy",
            QUALITY,
            Unit.PERCENT,
            Better.HIGHER,
            "samples recognised as the class that was asked for");
    /** Share of pictures that show what a text asked for. */
    public static final Measure PROMPTS_RIGHT = new Measure(
            "Prompts right",
            QUALITY,
            Unit.PERCENT,
            Better.HIGHER,
            "pictures that show all that a held-out text asks for");
    /** Share of samples that are suspiciously near to a training image. */
    public static final Measure NEAR_COPIES = new Measure(
            "Near copies",
            QUALITY,
            Unit.PERCENT,
            Better.LOWER,
            "samples nearer to a training image than 99 % of the real images that no model was trained on");
    /** Share of samples whose nearest class agrees with the teacher's sample on the same noise. */
    public static final Measure TEACHER_AGREEMENT = new Measure(
            "Same class as teacher",
            AGREEMENT,
            Unit.PERCENT,
            Better.HIGHER,
            "samples on the same noise that the classifier puts into the same class");
    /** Mean squared difference of the predicted noise between student and teacher on the same inputs. */
    public static final Measure EPS_MSE = new Measure(
            "ε-MSE to teacher", AGREEMENT, Unit.SCORE, Better.LOWER, "mean over time of the squared difference in ε");

    /** Which way is better. */
    public enum Better {
        /** Smaller is better. */
        LOWER,
        /** Larger is better. */
        HIGHER,
        /** Neither: a fact. */
        NEITHER
    }

    /** Share of pictures that show one attribute of what a text asked for. */
    public static Measure promptRight(String attribute) {
        return new Measure(
                "Prompts right: " + attribute,
                QUALITY,
                Unit.PERCENT,
                Better.HIGHER,
                "pictures that show the " + attribute + " that a held-out text asks for");
    }

    /** A score of picture quality, such as a Fréchet distance under its full name. */
    public static Measure quality(String name, Better better, String meaning) {
        return new Measure(name, QUALITY, Unit.SCORE, better, meaning);
    }
}
