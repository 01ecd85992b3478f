package dev.retort.evaluate;

import dev.retort.card.AutoencoderCard;
import dev.retort.config.Require;
import dev.retort.io.AtomicWrite;
import dev.retort.model.Network;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.Chart;
import dev.retort.report.ComparisonReport;
import dev.retort.report.HtmlReport;
import dev.retort.report.Measure;
import dev.retort.report.ModelColumn;
import dev.retort.report.ModelColumn.Role;
import dev.retort.report.Progress;
import dev.retort.report.Provenance;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Teacher beside students: quality, cost, agreement, pictures, and the two honest zeros. The first zero is always there:
 * the teacher itself in so few steps that it costs no more than the student. The second, the student's network trained
 * without a teacher, has to be given.
 *
 * @param teacher the model that was distilled
 * @param students what came out of it, in as many ways of sampling as one likes ({@link ModelColumn#inSteps}); the teacher itself in fewer
 *     steps may be among them
 * @param scratch students' networks trained without a teacher
 */
public record Comparison(Candidate teacher, List<Candidate> students, List<Candidate> scratch) {
    /** Multiply-accumulates in about the time that a process takes to start; only the evenness of the bar depends on them. */
    private static final double START = 1e11;

    private record Column(Candidate candidate, Role role) {}

    /** Copies the lists; there must be a student. */
    public Comparison {
        students = List.copyOf(students);
        scratch = List.copyOf(scratch);
        Require.notEmpty("students", students);
    }

    /**
     * Draws, judges and measures all of them.
     *
     * @param evaluator extractor, real images, number of samples
     * @param measurement how speed and memory are measured; with 0 rounds they are not
     * @param commands the commands that lead here, for the report
     */
    public ComparisonReport report(
            Evaluator evaluator,
            Measurement measurement,
            List<String> commands,
            Provenance provenance,
            Progress progress) {
        List<String> notes = new ArrayList<>(evaluator.notes());
        List<Column> planned = planned(notes);
        List<Candidate> all = planned.stream().map(Column::candidate).toList();
        all.forEach(evaluator::requireImagesLike);
        Portions portions = new Portions(progress, work(all, evaluator, measurement));

        Map<String, Evaluation> evaluations = new LinkedHashMap<>();
        for (Candidate candidate : all) {
            Progress part = portions.next(
                    (double) evaluator.settings().samples() * candidate.macsPerImage(), "drawing " + candidate.name());
            evaluations.put(candidate.name(), evaluator.evaluate(candidate, part));
        }
        unlearned(evaluations.get(teacher.name())).ifPresent(notes::add);
        Map<Path, TimeBins> agreement = agreement(evaluator, planned);
        Map<Candidate, Cost> costs = measurement.of(all, portions.next(measurementWork(all, measurement), "measuring"));
        notes.addAll(measurement.notes());

        List<ModelColumn> columns = new ArrayList<>();
        for (Column column : planned) {
            columns.add(modelColumn(column, evaluations, agreement, costs));
        }
        columns.add(evaluator.floor());
        Map<String, SampleSet> samples = new LinkedHashMap<>();
        evaluations.forEach((name, evaluation) -> samples.put(name, evaluation.samples()));
        List<Chart> charts = new ArrayList<>(Curves.distances(columns));
        charts.addAll(List.of(Curves.agreement(named(agreement, all)), Curves.training(all)));
        charts.removeIf(chart -> chart.series().isEmpty());
        return new ComparisonReport(
                teacher.name() + " and "
                        + students.stream()
                                .map(Candidate::line)
                                .filter(line -> !line.equals(teacher.line()))
                                .distinct()
                                .collect(Collectors.joining(", ")),
                ComparisonSummary.of(columns),
                columns,
                List.of(Grids.of(
                        samples,
                        evaluations.get(teacher.name()).samples().asked(),
                        teacher.card().images().height(),
                        evaluator.settings().seed())),
                charts,
                notes,
                commands,
                provenance);
    }

    /** Writes {@code compare.json}, {@code compare.md} and {@code compare.html} into a folder and returns the page. */
    public static Path save(ComparisonReport report, Path folder) {
        AtomicWrite.text(folder.resolve("compare.json"), report.toJson() + "\n");
        AtomicWrite.text(folder.resolve("compare.md"), report.toMarkdown());
        Path page = folder.resolve("compare.html");
        AtomicWrite.text(page, HtmlReport.render(report));
        return page;
    }

    /** Teacher, students, the teacher at the cost of each student, students from scratch. */
    private List<Column> planned(List<String> notes) {
        List<Column> planned = new ArrayList<>();
        if (teacher.card().autoencoder() != null) {
            notes.add(
                    "The networks work on latents: parameters and MACs are theirs alone, speed and memory include the "
                            + "decoder.");
        }
        planned.add(new Column(teacher, Role.TEACHER));
        Set<String> lines = new HashSet<>();
        for (Candidate student : students) {
            boolean reduced = student.line().equals(teacher.line());
            planned.add(new Column(student, reduced ? Role.VARIANT : Role.STUDENT));
            if (!reduced && !student.sampling().equals(teacher.sampling()) && lines.add(student.line())) {
                notes.add("Not drawn alike: " + teacher.name() + " is " + teacher.description() + "; " + student.name()
                        + " is " + student.description()
                        + ". Give the solver, the steps and the guidance to compare at equal settings.");
            }
        }
        List<String> dear = new ArrayList<>();
        List<Integer> taken = new ArrayList<>();
        for (Candidate student : students) {
            if (student.line().equals(teacher.line())) {
                continue;
            }
            double calls =
                    (double) student.macsPerImage() / teacher.card().network().macs();
            OptionalInt steps = NetworkCalls.stepsWithin(teacher.card(), teacher.sampling(), calls);
            if (steps.isEmpty()) {
                dear.add(student.name());
            } else if (!taken.contains(steps.getAsInt())) {
                taken.add(steps.getAsInt());
                Candidate cheap = new Candidate(
                        ModelColumn.inSteps(teacher.line(), steps.getAsInt()),
                        teacher.model(),
                        teacher.sampling().withSteps(steps.getAsInt()),
                        teacher.autoencoder(),
                        teacher.card());
                if (planned.stream()
                        .noneMatch(column -> column.candidate().name().equals(cheap.name()))) {
                    planned.add(new Column(cheap, Role.TEACHER_AT_STUDENT_COST));
                }
                notes.add(cheap.name() + " is the teacher at the cost of " + student.name() + ": "
                        + cheap.networkCalls() + " network calls, " + millions(cheap.macsPerImage())
                        + " MACs an image, where " + student.name() + " takes " + student.networkCalls() + " and "
                        + millions(student.macsPerImage()) + ".");
            }
        }
        if (!dear.isEmpty()) {
            notes.add("There is no teacher at the cost of " + String.join(", ", dear)
                    + ": one step of it costs more, or all of them no more.");
        }
        for (Candidate one : scratch) {
            planned.add(new Column(one, Role.STUDENT_FROM_SCRATCH));
            notes.add(one.name() + " was trained without a teacher on "
                    + one.card().imagesSeen() + " images; "
                    + students.get(0).name() + " saw " + students.get(0).card().imagesSeen() + ".");
        }
        return planned;
    }

    /** A warning where the teacher's images are recognised little better than by guessing. */
    private static Optional<String> unlearned(Evaluation evaluation) {
        double accuracy = evaluation.classAccuracy().orElse(1);
        double guessing = 1.0 / evaluation.samples().classes().size();
        return accuracy >= 2 * guessing
                ? Optional.empty()
                : Optional.of(String.format(
                        Locale.ROOT,
                        "Mind: of %s's images %.0f %% are recognised as the class asked for, guessing gives %.0f %%. It has "
                                + "not learned its classes yet, so it says little how much of it a student keeps.",
                        evaluation.candidate().name(),
                        100 * accuracy,
                        100 * guessing));
    }

    /** By the folder of the weights: a line may have others in each number of steps. */
    private Map<Path, TimeBins> agreement(Evaluator evaluator, List<Column> planned) {
        Map<Path, TimeBins> agreement = new LinkedHashMap<>();
        String schedule = teacher.card().scheduleHash();
        if (teacher.card().network().folded()) {
            return agreement; // it cannot be asked at all times
        }
        try (Pipeline<Network> original = evaluator.load(teacher);
                ImageCodec codec = ImageCodec.of(
                        original.card(),
                        teacher.autoencoder(),
                        evaluator.settings().device())) {
            for (Column column : planned) {
                Candidate other = column.candidate();
                boolean known = other.model().equals(teacher.model()) || agreement.containsKey(other.model());
                boolean rounds = other.card().quantization() != null
                        && other.card().quantization().multipliesIntegers(); // in sampling alone
                boolean comparable = !rounds
                        && !other.card().network().folded()
                        && other.card().network().outputs() == 1
                        && teacher.card().network().outputs() == 1; // several speak of parts of a way, not of a time
                if (!known && comparable && other.card().scheduleHash().equals(schedule) && sameValues(other)) {
                    try (Pipeline<Network> network = evaluator.load(other)) {
                        agreement.put(other.model(), evaluator.agreement(original, network, codec));
                    }
                }
            }
        }
        return agreement;
    }

    /** Called as their line where it has these weights alone, and as the first of their columns where it has several. */
    private static Map<String, TimeBins> named(Map<Path, TimeBins> agreement, List<Candidate> all) {
        Map<String, TimeBins> named = new LinkedHashMap<>();
        agreement.forEach((model, bins) -> {
            Candidate first = all.stream()
                    .filter(one -> one.model().equals(model))
                    .findFirst()
                    .orElseThrow();
            boolean alone = all.stream()
                    .filter(one -> one.line().equals(first.line()))
                    .allMatch(one -> one.model().equals(model));
            named.put(alone ? first.line() : first.name(), bins);
        });
        return named;
    }

    /** Whether a network works on what the teacher's does: pixels or latents of one autoencoder, of one size. */
    private boolean sameValues(Candidate other) {
        AutoencoderCard theirs = teacher.card().autoencoder();
        AutoencoderCard ours = other.card().autoencoder();
        boolean alike = theirs == null || ours == null ? theirs == ours : theirs.sameLatents(ours);
        return alike && teacher.card().images().equals(other.card().images());
    }

    private ModelColumn modelColumn(
            Column column,
            Map<String, Evaluation> evaluations,
            Map<Path, TimeBins> agreement,
            Map<Candidate, Cost> costs) {
        Candidate candidate = column.candidate();
        Evaluation evaluation = evaluations.get(candidate.name());
        ModelColumn scored = evaluation.column(column.role(), costs.get(candidate));
        Map<Measure, Double> values = new LinkedHashMap<>(scored.values());
        if (column.role() != Role.TEACHER) {
            evaluation
                    .sameClassAs(evaluations.get(teacher.name()))
                    .ifPresent(share -> values.put(Measure.TEACHER_AGREEMENT, share));
            TimeBins bins = agreement.get(candidate.model());
            if (bins != null) {
                values.put(Measure.EPS_MSE, bins.meanOverTime());
            }
        }
        return new ModelColumn(scored.name(), scored.role(), scored.description(), values);
    }

    private static double work(List<Candidate> all, Evaluator evaluator, Measurement measurement) {
        return measurementWork(all, measurement)
                + all.stream()
                        .mapToDouble(one -> (double) evaluator.settings().samples() * one.macsPerImage())
                        .sum();
    }

    private static double measurementWork(List<Candidate> all, Measurement measurement) {
        return measurement.processes(all.size()) * START
                + all.stream()
                        .mapToDouble(one -> (double) measurement.images() * one.macsPerImage())
                        .sum();
    }

    private static String millions(long macs) {
        return String.format(Locale.ROOT, "%.1f M", macs / 1e6);
    }
}
