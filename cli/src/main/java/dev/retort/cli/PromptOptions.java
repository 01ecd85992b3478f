package dev.retort.cli;

import dev.retort.card.ClassChoice;
import dev.retort.card.ModelCard;
import dev.retort.card.PictureCard;
import dev.retort.card.TextCard;
import dev.retort.data.PromptFile;
import dev.retort.data.Prompts;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.sample.Sampler;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** What pictures are to show: classes, or texts where a model is told texts. */
final class PromptOptions {
    private static final int EACH = 8;
    private static final int MOST = 16;

    @Option(
            names = "--classes",
            paramLabel = "LIST",
            description =
                    "Numbers, ranges, names: 0-4,7,Bag; by default all. Where all names are numbers, a number is a name.")
    private String classes;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description =
                    "What a text-to-image model is to show; may be given again. By default the examples of its card.")
    private List<String> given = List.of();

    @Option(names = "--prompts", paramLabel = "FILE", description = "The same from a file: UTF-8, one in each line.")
    private Path file;

    @Option(
            names = "--negative",
            paramLabel = "TEXT",
            description = "What guidance leads away from in a text-to-image model; by default the empty text.")
    private String negative;

    @Option(
            names = "--count",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description =
                    "Images in all, classes or texts in turn; by default 8 of each, of the first 16 classes or of up"
                            + " to 16 texts, and one of each of more texts.")
    private Integer count;

    /**
     * What is asked for.
     *
     * @param prompts of each picture
     * @param choices how many come in turn
     * @param text the same for the pictures' files, with the negative prompt; null for a model of classes
     * @param negated whether the negative prompt was asked for here
     */
    record Asked(Prompts prompts, int choices, PictureCard.Text text, boolean negated) {
        /** A sampler that is told the negative prompt; one that was asked for and would change nothing is refused. */
        Sampler told(Sampler sampler) {
            if (text == null || text.negative().isEmpty()) {
                return sampler;
            }
            if (negated && !sampler.asksTwice()) {
                throw new RetortException(
                        Kind.USAGE,
                        "--negative \"" + text.negative() + "\" would change nothing without guidance by a second"
                                + " call; add --guidance above 1, or leave it out");
            }
            return sampler.with(sampler.conditioner().withNegative(text.negative()));
        }

        List<Integer> labels() {
            return text == null ? Arrays.stream(prompts.labels()).boxed().toList() : List.of();
        }

        /** Names of the classes; a model that knows none is told a label without a name. */
        List<String> names(ModelCard card) {
            return labels().stream()
                    .map(label -> card.classes().isEmpty() ? "" : card.classes().get(label))
                    .toList();
        }
    }

    /**
     * What is asked of a model, else what a picture shows, else what its card names.
     *
     * @throws RetortException of kind USAGE where texts are given to a model of classes, or classes to one of texts
     */
    Asked of(ModelCard card, Optional<PictureCard> shown, SamplingForce force, String model, Output output) {
        if (card.text() == null) {
            return classes(card, shown, force, model, output);
        }
        if (classes != null) {
            throw new RetortException(
                    Kind.USAGE,
                    "--classes " + classes + " names classes, but " + model + " is told texts; give --prompt TEXT");
        }
        Optional<PictureCard.Text> like = shown.map(PictureCard::text);
        boolean own = !given.isEmpty() || file != null;
        Prompts all;
        int choices;
        if (own || like.isPresent()) {
            List<String> texts = own ? given() : like.get().prompts();
            choices = (int) texts.stream().distinct().count();
            int number = count != null ? count : own ? number(texts.size()) : texts.size();
            all = new Prompts.Texts(IntStream.range(0, number)
                    .mapToObj(i -> texts.get(i % texts.size()))
                    .toList());
        } else {
            choices = Math.max(1, card.text().prompts().size());
            all = Prompts.inTurn(card, 0, count != null ? count : number(choices));
        }
        String against = negative != null
                ? negative
                : like.map(PictureCard.Text::negative).orElse("");
        warn(card.text(), Stream.concat(all.texts().stream(), Stream.of(against)), output);
        return new Asked(all, choices, new PictureCard.Text(all.texts(), against), negative != null);
    }

    private List<String> given() {
        List<String> texts = new ArrayList<>(given);
        if (file != null) {
            texts.addAll(PromptFile.read(file));
        }
        return texts;
    }

    private static int number(int texts) {
        return texts <= MOST ? EACH * texts : texts;
    }

    private static void warn(TextCard card, Stream<String> texts, Output output) {
        texts.distinct().forEach(text -> card.tokenizers().stream()
                .map(tokenizer -> tokenizer.cut(text))
                .filter(cut -> !cut.isEmpty())
                .findFirst()
                .ifPresent(cut -> output.say("Warning: the model reads no more than the beginning of \"" + text
                        + "\"; cut off is: " + cut)));
    }

    private Asked classes(
            ModelCard card, Optional<PictureCard> shown, SamplingForce force, String model, Output output) {
        String text = !given.isEmpty()
                ? "--prompt \"" + given.get(0) + "\" is a text"
                : file != null
                        ? "--prompts " + file + " holds texts"
                        : negative != null ? "--negative \"" + negative + "\" is a text" : null;
        if (text != null) {
            throw new RetortException(
                    Kind.USAGE, text + ", but " + model + " is told classes; give --classes LIST, or nothing for all");
        }
        ClassChoice choice = choice(card);
        force.allow(choice, card, model, output);
        int choices = Math.max(1, choice.labels().size());
        int number = count != null ? count : EACH * Math.min(MOST, choices);
        List<Integer> like = classes == null && count == null
                ? shown.map(PictureCard::labels).orElse(List.of())
                : List.of();
        Prompts all = !like.isEmpty()
                ? new Prompts.Labels(like.stream().mapToInt(Integer::intValue).toArray())
                : classes == null ? Prompts.inTurn(card, 0, number) : new Prompts.Labels(choice.inTurn(number));
        return new Asked(all, choices, null, false);
    }

    private ClassChoice choice(ModelCard card) {
        try {
            return classes == null ? new ClassChoice(card.labels()) : ClassChoice.parse(classes, card.classes());
        } catch (RetortException e) {
            throw new RetortException(e.kind(), "--" + e.getMessage(), e);
        }
    }
}
