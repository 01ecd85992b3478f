package dev.retort.report;

/** Names of what is measured in training, as they stand in {@code log.jsonl} and in TensorBoard. */
public final class TrainingMetric {
    /** The loss on the data alone, as a term of a loss. */
    public static final String DIFFUSION = "diffusion";
    /** Images that the training goes through in a second. */
    public static final String IMAGES_PER_SECOND = "images-per-second";
    /** The same, had each step to encode its images. */
    public static final String IMAGES_PER_SECOND_WITHOUT_CACHE = "images-per-second-without-cache";
    /** Seconds that encoding an image takes. */
    public static final String SECONDS_PER_IMAGE = "seconds-per-image";
    /** Share of the machine's peak that the multiply-accumulates of the network reach. */
    public static final String UTILISATION = "mfu";
    /** Stage of a line, a word. */
    public static final String STAGE = "stage";

    /** Calls of frozen networks for an image of the training, the two of guidance both counted. */
    public static final String TEACHER_CALLS = "teacher-calls";

    /** What a critic that learns to tell real images from made ones minimises, as a term of a loss. */
    public static final String CRITIC = "critic";

    private static final String LOSS = "loss/";

    private TrainingMetric() {}

    /** A term of the loss: its mean over the samples. */
    public static String loss(String term) {
        return LOSS + term;
    }

    /** Whether a name is that of a term of the loss. */
    public static boolean isLoss(String name) {
        return name.startsWith(LOSS);
    }

    /** The same term on images that are not learned. */
    public static String heldOut(String term) {
        return "held-out/" + term;
    }

    /** The first of a stage's terms on images that are not learned, in a quarter of time. */
    public static String heldOutByTime(int quarter) {
        return "held-out-by-time/" + quarter;
    }

    /** Distance of samples in a number of steps from images of the data, without a network. */
    public static String slicedWasserstein(int steps) {
        return "sliced-wasserstein/" + steps;
    }

    /** The loss in a tenth of time. */
    public static String lossByTime(int bin) {
        return "loss-by-time/" + bin;
    }
}
