package dev.retort.runtime;

import dev.retort.runtime.StudentException.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Makes of a request what is drawn, or says what is wrong with it. */
final class RequestCheck {
    /** More than any encoder reads; to make tokens of a text without end would hold up the caller. */
    private static final int MOST_LETTERS = 10_000;

    private final Request request;
    private final LoadedModel model;
    private final StudentFile file;

    private RequestCheck(Request request, LoadedModel model) {
        this.request = request;
        this.model = model;
        file = model.file();
    }

    /**
     * A job.
     *
     * @param model retained for it
     * @param maxImages most pictures
     * @param meter is told what of a prompt is left out
     */
    static Job job(Request request, LoadedModel model, int maxImages, ProgressListener progress, Meter meter) {
        RequestCheck check = new RequestCheck(request, model);
        int steps = check.steps();
        int count = check.count(maxImages);
        List<Subject> subjects = check.subjects();
        Subject none = check.none(steps);
        check.tellCuts(meter);
        Subject[] shown = new Subject[count];
        for (int i = 0; i < count; i++) {
            shown[i] = subjects.get(i % subjects.size());
        }
        return new Job(model, shown, none, request.seed(), steps, progress);
    }

    /** Of all pictures, before tokens are made of any text. */
    private int count(int maxImages) {
        boolean texts = file.texts().taken();
        int each = texts ? prompts().size() : classes().size();
        long count = (long) each * request.count();
        if (count > maxImages) {
            throw new StudentException(
                    Kind.TOO_LARGE,
                    "the request is for " + count + " pictures (" + each + (texts ? " prompts, " : " classes, ")
                            + request.count() + " of each), maxImages allows " + maxImages
                            + "; ask in parts, or allow more");
        }
        return (int) count;
    }

    /** What is drawn first where nothing is asked for, and what it is told where guidance asks for nothing. */
    static Subject[] first(LoadedModel model) {
        RequestCheck check = new RequestCheck(Request.of(), model);
        return new Subject[] {check.subjects().get(0), check.none(check.steps())};
    }

    private List<Subject> subjects() {
        List<Subject> subjects = new ArrayList<>();
        if (file.texts().taken()) {
            prompts().forEach(text -> subjects.add(file.texts().subject(text)));
        } else {
            classes().forEach(label -> subjects.add(Subject.of(label)));
        }
        return subjects;
    }

    private List<String> prompts() {
        if (!request.labels().isEmpty() || !request.classes().isEmpty()) {
            throw refused("classes are asked for, and the student draws what texts say; give it prompts");
        }
        request.prompts().forEach(text -> requireShort("a prompt", text));
        List<String> examples = file.texts().examples();
        return !request.prompts().isEmpty()
                ? request.prompts()
                : examples.isEmpty() ? Collections.singletonList("") : examples;
    }

    private static void requireShort(String what, String text) {
        if (text.length() > MOST_LETTERS) {
            throw new StudentException(
                    Kind.TOO_LARGE,
                    what + " has " + text.length() + " letters; expected at most " + MOST_LETTERS
                            + ", and its encoder reads far fewer");
        }
    }

    private List<Integer> classes() {
        if (!request.prompts().isEmpty()) {
            throw refused("prompts are asked for, and the student draws "
                    + (file.classes().isEmpty()
                            ? "pictures of one kind; leave them out"
                            : "classes; name these, it has " + ClassNames.described(file.classes())));
        }
        if (file.classes().isEmpty()) {
            if (!request.labels().isEmpty() || !request.classes().isEmpty()) {
                throw refused("classes are asked for, and the student draws pictures of one kind; name no classes");
            }
            return Collections.singletonList(0);
        }
        List<Integer> labels = new ArrayList<>(request.labels());
        for (String name : request.classes()) {
            labels.add(ClassNames.label(name, file.classes()));
        }
        for (int label : labels) {
            if (!file.labels().contains(label)) {
                throw refused("class " + label + " is none that the student draws; it draws " + file.labels() + " of "
                        + ClassNames.described(file.classes()));
            }
        }
        return labels.isEmpty() ? file.labels() : labels;
    }

    private Subject none(int steps) {
        String negative = request.negative();
        if (!negative.isEmpty()) {
            requireShort("the negative prompt", negative);
            if (!file.texts().taken() || !model.asksTwice(steps)) {
                throw refused("negative is '" + negative + "', and "
                        + (file.texts().taken()
                                ? "the student's guidance asks for no other text, so it would change nothing"
                                : "the student is told no texts")
                        + "; leave it out");
            }
        }
        return file.texts().taken() ? file.texts().subject(negative) : Subject.of(file.noClass());
    }

    private void tellCuts(Meter meter) {
        List<String> texts = new ArrayList<>(request.prompts());
        texts.add(request.negative());
        for (String text : texts) {
            String cut = file.texts().cut(text);
            if (!cut.isEmpty()) {
                meter.warning("a prompt is longer than the student reads; left out of it: " + cut);
            }
        }
    }

    private int steps() {
        if (request.steps() == 0) {
            return file.steps().get(0);
        }
        if (!file.steps().contains(request.steps())) {
            throw refused("steps is " + request.steps() + ", the file is for " + file.steps()
                    + "; use one of these, or export it for others");
        }
        return request.steps();
    }

    private static StudentException refused(String message) {
        return new StudentException(Kind.BAD_REQUEST, message);
    }
}
