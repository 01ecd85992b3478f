package dev.retort.distill;

import dev.retort.card.ClassChoice;
import dev.retort.card.ModelCard;
import dev.retort.config.Require;
import dev.retort.data.DomainImages;
import dev.retort.data.ImageSource;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.train.ClassNames;
import java.util.Arrays;
import java.util.List;

/**
 * For which of the teacher's classes a student is distilled, and knows nothing of the others. The data are the teacher's own, or pictures
 * of the user, whose class folders have names of these classes; where they have but one folder or none, and the domain is one class, all
 * of them are of it.
 *
 * @param classes numbers, ranges and names of the teacher's classes, as {@code retort sample --classes} takes them
 */
public record DomainConfig(List<String> classes) {
    private static final int MOST_NAMED = 5;

    /** Validates. */
    public DomainConfig {
        Require.notEmpty("classes", classes);
    }

    /** The labels of its classes, rising. */
    List<Integer> labels(ModelCard teacher) {
        try {
            return ClassChoice.parse(String.join(",", classes), teacher.classes()).labels().stream()
                    .distinct()
                    .sorted()
                    .toList();
        } catch (RetortException e) {
            throw new RetortException(Kind.CONFIG, "domain." + e.getMessage(), e);
        }
    }

    /** Those of some pictures that are of its classes, as the teacher would be told them. */
    ImageSource of(ImageSource images, ModelCard teacher) {
        List<Integer> labels = labels(teacher);
        List<String> theirs = teacher.classes();
        int[] labelOf = labelOf(images.classNames(), theirs);
        if (labelOf.length == 1 && labelOf[0] < 0 && labels.size() == 1) {
            labelOf[0] = labels.get(0);
        }
        for (int i = 0; i < labelOf.length; i++) {
            labelOf[i] = labels.contains(labelOf[i]) ? labelOf[i] : -1;
        }
        if (Arrays.stream(labelOf).allMatch(label -> label < 0)) {
            throw without(labels, images, theirs);
        }
        boolean grey = teacher.autoencoder() == null && teacher.network().channels() == 1;
        DomainImages of = new DomainImages(images, theirs, grey, labelOf);
        List<Integer> missing =
                labels.stream().filter(label -> !of.labels().contains(label)).toList();
        if (!missing.isEmpty()) {
            throw without(missing, images, theirs);
        }
        return of;
    }

    /** What the teacher would call each class of the data; below 0 where it knows none such. */
    private static int[] labelOf(List<String> ours, List<String> theirs) {
        int[] labelOf = new int[ours.size()];
        boolean byPlace = ours.size() == theirs.size()
                && (ours.equals(theirs) || ClassNames.unknown(ours) || ClassNames.unknown(theirs));
        Arrays.setAll(
                labelOf, i -> byPlace ? i : ClassChoice.one(ours.get(i), theirs).orElse(-1));
        return labelOf;
    }

    private static RetortException without(List<Integer> labels, ImageSource images, List<String> names) {
        return new RetortException(
                Kind.CONFIG,
                "domain.classes asks for "
                        + FirstFew.of(labels.stream().map(names::get).toList(), MOST_NAMED) + ", of which "
                        + images.name() + " has no picture; its classes are "
                        + FirstFew.of(images.classNames(), MOST_NAMED)
                        + ": name its folders as the teacher's classes are, or leave these out of the domain");
    }
}
