package dev.retort.runtime;

import dev.retort.runtime.StudentException.Kind;
import java.util.ArrayList;
import java.util.List;

/** Makes of a request what is drawn, or says what is wrong with it. */
final class RequestCheck {
    private RequestCheck() {}

    /**
     * A job.
     *
     * @param model retained for it
     * @param maxImages most pictures
     */
    static Job job(Request request, LoadedModel model, int maxImages, ProgressListener progress) {
        StudentFile file = model.file();
        List<Integer> classes = classes(request, file);
        long count = (long) classes.size() * request.count();
        if (count > maxImages) {
            throw new StudentException(
                    Kind.TOO_LARGE,
                    "the request is for " + count + " pictures (" + classes.size() + " classes, " + request.count()
                            + " of each), maxImages allows " + maxImages + "; ask in parts, or allow more");
        }
        int[] labels = new int[(int) count];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = classes.get(i % classes.size());
        }
        return new Job(model, labels, request.seed(), steps(request, file), progress);
    }

    private static List<Integer> classes(Request request, StudentFile file) {
        List<Integer> labels = new ArrayList<>(request.labels());
        for (String name : request.classes()) {
            labels.add(ClassNames.label(name, file.classes()));
        }
        for (int label : labels) {
            if (!file.labels().contains(label)) {
                throw new StudentException(
                        Kind.BAD_REQUEST,
                        "class " + label + " is none that the student draws; it draws " + file.labels() + " of "
                                + ClassNames.described(file.classes()));
            }
        }
        return labels.isEmpty() ? file.labels() : labels;
    }

    private static int steps(Request request, StudentFile file) {
        if (request.steps() == 0) {
            return file.steps().get(0);
        }
        if (!file.steps().contains(request.steps())) {
            throw new StudentException(
                    Kind.BAD_REQUEST,
                    "steps is " + request.steps() + ", the file is for " + file.steps()
                            + "; use one of these, or export it for others");
        }
        return request.steps();
    }
}
