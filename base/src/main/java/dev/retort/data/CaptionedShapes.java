package dev.retort.data;

import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Drawn pictures for text-to-image models: one of the {@link Shapes} each, with captions that say its kind, colour, size and
 * place; without end, each picture a pure function of (split, index). The split {@code test} draws a fifth of all
 * combinations of attributes, {@code train} the others, so prompts of {@code test} ask for what was never shown.
 * {@link ShapeReader} reads the attributes from a picture.
 */
public final class CaptionedShapes implements ImageSource {
    static final List<String> SPLITS = List.of("train", "test");

    private static final long COMBINATIONS_SEED = 1;
    private static final long TRAIN_SEED = 1;
    private static final long TEST_SEED = 2;
    private static final int HELD_OUT_OF = 5;
    private static final double SMALL = 0.32;
    private static final double LARGE = 0.46;
    private static final double LARGER = 0.04;
    private static final double AWAY = 0.43;
    private static final double SHIFT = 0.08;

    private final Shapes shapes;
    private final String split;
    private final List<ShapeAttributes> prompts;
    private final long seed;

    /**
     * The pictures of a split.
     *
     * @param size rows and columns, 16 to 64
     * @param split {@code train} or {@code test}
     */
    public CaptionedShapes(int size, String split) {
        shapes = new Shapes(size, 0);
        this.split = split;
        prompts = prompts(split);
        seed = split.equals("train") ? TRAIN_SEED : TEST_SEED;
    }

    /** The combinations of attributes that a split draws, in a fixed order; no combination is in both. */
    public static List<ShapeAttributes> prompts(String split) {
        if (!SPLITS.contains(split)) {
            throw new IllegalArgumentException("split is " + split + ", expected train or test");
        }
        List<ShapeAttributes> all = ShapeAttributes.all();
        int[] order = Rng.at(COMBINATIONS_SEED, Purpose.DATA, 0, 0).permutation(all.size());
        int heldOut = all.size() / HELD_OUT_OF;
        int[] chosen = Arrays.copyOfRange(
                order, split.equals("test") ? 0 : heldOut, split.equals("test") ? heldOut : order.length);
        Arrays.sort(chosen);
        List<ShapeAttributes> prompts = new ArrayList<>();
        for (int i : chosen) {
            prompts.add(all.get(i));
        }
        return List.copyOf(prompts);
    }

    /** What picture {@code index} shows. */
    public ShapeAttributes attributes(long index) {
        return prompts.get(Rng.at(seed, Purpose.DATA, index, 0).nextInt(prompts.size()));
    }

    @Override
    public Note read(long index, float[] out, int offset) {
        draw(attributes(index), Rng.at(seed, Purpose.DATA, index, 1), out, offset);
        return note(index);
    }

    @Override
    public Note note(long index) {
        return new Note(0, attributes(index).captions());
    }

    @Override
    public int label(long index) {
        return 0;
    }

    /** Draws attributes, CHW in [-1, 1]; chance decides the background, the shade and the exact place and size. */
    void draw(ShapeAttributes attributes, Rng chance, float[] out, int offset) {
        double radius = (attributes.size().equals("small") ? SMALL : LARGE) + LARGER * chance.nextDouble();
        double x = across(attributes.place()) + SHIFT * (chance.nextDouble() - 0.5);
        double y = down(attributes.place()) + SHIFT * (chance.nextDouble() - 0.5);
        ShapesCondition condition = new ShapesCondition(
                ShapesCondition.SHAPES.indexOf(attributes.kind()),
                ShapesCondition.COLOURS.indexOf(attributes.colour()),
                x,
                y,
                radius,
                0);
        shapes.render(condition, chance.nextLong(), out, offset);
    }

    /** Where the middle of a place lies, -1 left edge to 1 right edge. */
    static double across(String place) {
        return place.endsWith("left") ? -AWAY : place.endsWith("right") ? AWAY : 0;
    }

    /** Where the middle of a place lies, -1 top edge to 1 bottom edge. */
    static double down(String place) {
        return place.startsWith("top") ? -AWAY : place.startsWith("bottom") ? AWAY : 0;
    }

    /** The radius of a size in the middle of its range, as a share of half the picture. */
    static double radius(String size) {
        return (size.equals("small") ? SMALL : LARGE) + LARGER / 2;
    }

    /** Every picture has some. */
    @Override
    public void requireCaptions() {}

    @Override
    public String name() {
        return "captioned-shapes/" + split;
    }

    @Override
    public int channels() {
        return 3;
    }

    @Override
    public int height() {
        return shapes.height();
    }

    @Override
    public int width() {
        return shapes.width();
    }

    /** One class for all: what differs stands in the captions. */
    @Override
    public List<String> classNames() {
        return List.of("shape");
    }

    @Override
    public long size() {
        return INFINITE;
    }
}
