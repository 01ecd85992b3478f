package dev.retort.data;

import dev.retort.card.ModelCard;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/** What pictures are to show, one entry for each: a person's words or classes, or what a data set says of its pictures. */
public sealed interface Prompts {
    /** Number of pictures. */
    int size();

    /** Those of {@code count} pictures from {@code first} on. */
    Prompts slice(int first, int count);

    /**
     * The class of each picture.
     *
     * @throws RetortException of kind CONFIG where only texts are given
     */
    int[] labels();

    /**
     * The text of each picture.
     *
     * @throws RetortException of kind CONFIG where only classes are given
     */
    List<String> texts();

    /** What a data set says of its pictures: classes, and captions where any picture has one. */
    static Prompts of(List<Note> notes) {
        Labels labels = new Labels(notes.stream().mapToInt(Note::label).toArray());
        List<String> captions = notes.stream().map(Note::caption).toList();
        return captions.stream().allMatch(String::isEmpty) ? labels : new Captioned(labels, new Texts(captions));
    }

    /**
     * What a model may be told, one after another: each label that it is sampled for, or each example text of its card. One that knows
     * no labels is told 0, one whose card has no texts the empty one.
     *
     * @param first how many to pass over
     */
    static Prompts inTurn(ModelCard card, long first, int count) {
        return of(card, LongStream.range(first, first + count));
    }

    /** The first few of what {@link #inTurn} says, each so many times before the next. */
    static Prompts rows(ModelCard card, int rows, int each) {
        return of(card, LongStream.range(0, (long) rows * each).map(i -> i / each));
    }

    private static Prompts of(ModelCard card, LongStream turns) {
        if (card.text() == null) {
            List<Integer> labels = card.labels().isEmpty() ? List.of(0) : card.labels();
            return named(
                    turns.mapToInt(i -> labels.get((int) (i % labels.size()))).toArray(),
                    card.classes().isEmpty() ? List.of("") : card.classes());
        }
        List<String> texts =
                card.text().prompts().isEmpty() ? List.of("") : card.text().prompts();
        return new Texts(
                turns.mapToObj(i -> texts.get((int) (i % texts.size()))).toList());
    }

    /** Classes, with their names as texts for networks that are told by text. */
    static Prompts named(int[] labels, List<String> classNames) {
        return new Captioned(
                new Labels(labels),
                new Texts(Arrays.stream(labels).mapToObj(classNames::get).toList()));
    }

    /**
     * Classes.
     *
     * @param labels class of each picture; not copied
     */
    record Labels(int[] labels) implements Prompts {
        @Override
        public int size() {
            return labels.length;
        }

        @Override
        public Labels slice(int first, int count) {
            return new Labels(Arrays.copyOfRange(labels, first, first + count));
        }

        @Override
        public List<String> texts() {
            throw new RetortException(
                    Kind.CONFIG,
                    "this network takes texts, and only classes are given; give texts, or pictures with captions");
        }
    }

    /**
     * Texts.
     *
     * @param texts of each picture
     */
    record Texts(List<String> texts) implements Prompts {
        /** Copies. */
        public Texts {
            texts = List.copyOf(texts);
        }

        @Override
        public int size() {
            return texts.size();
        }

        @Override
        public Texts slice(int first, int count) {
            return new Texts(texts.subList(first, first + count));
        }

        @Override
        public int[] labels() {
            throw new RetortException(
                    Kind.CONFIG, "this network takes classes, and only texts are given; give classes");
        }
    }

    /**
     * A class and a caption for each picture of a data set.
     *
     * @param classes its class
     * @param captions its caption, empty where it has none
     */
    record Captioned(Labels classes, Texts captions) implements Prompts {
        /** Validates. */
        public Captioned {
            if (classes.size() != captions.size()) {
                throw new IllegalArgumentException(
                        classes.size() + " classes and " + captions.size() + " captions, expected one each");
            }
        }

        @Override
        public int size() {
            return classes.size();
        }

        @Override
        public Captioned slice(int first, int count) {
            return new Captioned(classes.slice(first, count), captions.slice(first, count));
        }

        @Override
        public int[] labels() {
            return classes.labels();
        }

        @Override
        public List<String> texts() {
            return captions.texts();
        }
    }
}
