package dev.retort.data;

import dev.retort.card.AutoencoderCard;
import dev.retort.diffusion.Rng;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The pictures of a source as a network with classes of its own knows them: those of some classes, in their order, under its labels, and
 * grey where it is. Of a source without end, picture {@code i} is the first of these classes from picture {@code 64 i} on.
 */
public final class DomainImages implements ImageSource {
    /** So far that two pictures are hardly ever one and the same. */
    private static final long APART = 64;

    private static final float[] COLOURS = {0.299f, 0.587f, 0.114f};

    private final ImageSource images;
    private final List<String> classNames;
    private final boolean grey;
    private final int[] labelOf;
    private final boolean endless;
    private final long[] places;

    /**
     * @param images the source
     * @param classNames what the new labels mean
     * @param grey whether RGB becomes one channel, weighted as ITU-R 601 has it
     * @param labelOf the new label of each class of the source; below 0 for those that are left out, which not all may be
     */
    public DomainImages(ImageSource images, List<String> classNames, boolean grey, int... labelOf) {
        this(
                images,
                classNames,
                grey,
                labelOf,
                images.size() == INFINITE
                        ? new long[0]
                        : LongStream.range(0, images.size())
                                .filter(index -> labelOf[images.label(index)] >= 0)
                                .toArray());
    }

    private DomainImages(ImageSource images, List<String> classNames, boolean grey, int[] labelOf, long[] places) {
        if (IntStream.of(labelOf).allMatch(label -> label < 0)) {
            throw new IllegalArgumentException("all classes of " + images.name() + " are left out");
        }
        this.images = images;
        this.classNames = List.copyOf(classNames);
        this.grey = grey && images.channels() == COLOURS.length;
        this.labelOf = labelOf.clone();
        this.endless = images.size() == INFINITE;
        this.places = places;
    }

    /** The new labels of which there is a picture, rising. */
    public List<Integer> labels() {
        IntStream all = endless
                ? IntStream.of(labelOf).filter(label -> label >= 0)
                : LongStream.of(places).mapToInt(place -> labelOf[images.label(place)]);
        return all.distinct().sorted().boxed().toList();
    }

    /** The same choice among pictures with the source's classes, such as those of another split; empty where there is none. */
    public Optional<ImageSource> among(ImageSource others) {
        return Optional.of(others)
                .filter(same -> same.classNames().equals(images.classNames()))
                .<ImageSource>map(same -> new DomainImages(same, classNames, grey, labelOf))
                .filter(some -> some.size() > 0);
    }

    private long place(long index) {
        if (!endless) {
            return places[Math.toIntExact(index)];
        }
        long place = index * APART;
        while (labelOf[images.label(place)] < 0) {
            place++;
        }
        return place;
    }

    private interface Reading {
        Note into(float[] values, int at);
    }

    private Note seen(Reading reading, float[] out, int offset) {
        if (!grey) {
            return relabelled(reading.into(out, offset));
        }
        float[] colours = new float[images.pixels()];
        Note note = reading.into(colours, 0);
        int size = pixels();
        for (int i = 0; i < size; i++) {
            float sum = 0;
            for (int colour = 0; colour < COLOURS.length; colour++) {
                sum += COLOURS[colour] * colours[colour * size + i];
            }
            out[offset + i] = sum;
        }
        return relabelled(note);
    }

    private Note relabelled(Note note) {
        return note.relabelled(labelOf[note.label()]);
    }

    @Override
    public Note read(long index, float[] out, int offset) {
        return seen((values, at) -> images.read(place(index), values, at), out, offset);
    }

    @Override
    public Note readAugmented(long index, boolean mirrored, Rng chance, float[] out, int offset) {
        return seen((values, at) -> images.readAugmented(place(index), mirrored, chance, values, at), out, offset);
    }

    @Override
    public Note note(long index) {
        return relabelled(images.note(place(index)));
    }

    @Override
    public int label(long index) {
        return labelOf[images.label(place(index))];
    }

    /** The same pictures at the other size. */
    @Override
    public Optional<ImageSource> paired() {
        return images.paired().map(other -> new DomainImages(other, classNames, grey, labelOf, places));
    }

    @Override
    public void requireCaptions() {
        images.requireCaptions();
    }

    @Override
    public String name() {
        return images.name();
    }

    @Override
    public int channels() {
        return grey ? 1 : images.channels();
    }

    @Override
    public int height() {
        return images.height();
    }

    @Override
    public int width() {
        return images.width();
    }

    @Override
    public List<String> classNames() {
        return classNames;
    }

    @Override
    public long size() {
        return endless ? INFINITE : places.length;
    }

    @Override
    public boolean hasTestSplit() {
        return images.hasTestSplit();
    }

    @Override
    public List<String> notes() {
        return images.notes();
    }

    @Override
    public Optional<AutoencoderCard> autoencoder() {
        return images.autoencoder();
    }
}
