package dev.retort.evaluate;

/** What a classifier sees in samples: the class that was asked for, and the class it sees in the teacher's sample. */
public final class ClassAgreement {
    private ClassAgreement() {}

    /** The class of each image: the index of the largest logit, the first of equals. */
    public static int[] classes(FeatureMatrix logits) {
        int[] classes = new int[logits.rows()];
        for (int i = 0; i < classes.length; i++) {
            for (int c = 1; c < logits.dimension(); c++) {
                if (logits.at(i, c) > logits.at(i, classes[i])) {
                    classes[i] = c;
                }
            }
        }
        return classes;
    }

    /** Share of images whose classes are equal: seen against asked (class accuracy), or student against teacher. */
    public static double share(int[] seen, int[] expected) {
        if (seen.length != expected.length || seen.length == 0) {
            throw new IllegalArgumentException("classes: " + seen.length + " seen and " + expected.length
                    + " expected; they must be as many, not 0");
        }
        int equal = 0;
        for (int i = 0; i < seen.length; i++) {
            equal += seen[i] == expected[i] ? 1 : 0;
        }
        return (double) equal / seen.length;
    }
}
