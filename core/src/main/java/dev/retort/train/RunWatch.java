package dev.retort.train;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.report.TrainingMetric;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Looks at what a run logs and shows. What is not as it should be it says in one sentence with what to change, once in a stage
 * for each thing, and writes it into the log.
 */
final class RunWatch {
    /** A critic that is right so often that its loss, 1.39 for one that guesses, stays below this has nothing to teach. */
    private static final double CRITIC_WON = 0.2;

    private static final int CRITIC_LINES = 5; // in a row

    /** In standard deviations of the data. Five grids of one sound run on Fashion-MNIST lay within 0.05. */
    private static final double BRIGHTNESS = 0.25;

    /** Factor between standard deviations, either way; the same grids within 1.05. */
    private static final double CONTRAST = 1.33;

    /** Share of the distance between two real pictures of a class; the same grids 0.74 or more. */
    private static final double COLLAPSED = 0.4;

    private final RunLog log;
    private final boolean stopOutside;
    private final List<Band> pending = new ArrayList<>();
    private final Set<String> said = new HashSet<>();
    private final Map<String, Integer> won = new HashMap<>();
    private Optional<String> verdict = Optional.empty();
    private Consumer<String> notes = sentence -> {};

    /** @param before what the log holds already, of a run that goes on */
    RunWatch(RunLog log, LogConfig config, List<RunEvents.Entry> before) {
        this.log = log;
        stopOutside = config.stopOutside();
        pending.addAll(config.expect());
        for (RunEvents.Entry entry : before) {
            if (entry.event() instanceof RunEvent.Line line) {
                pending.removeIf(band -> due(band, line.imagesSeen(), line.values()));
            } else if (entry.event() instanceof RunEvent.Warning warning) {
                said.add(warning.about());
            } else if (entry.event() instanceof RunEvent.StageBegan) {
                said.clear();
            }
        }
    }

    private static boolean due(Band band, long imagesSeen, Map<String, Object> values) {
        return imagesSeen >= band.images() && values.containsKey(band.of());
    }

    /** Tells whom to say it to. */
    void announce(Consumer<String> to) {
        notes = to;
    }

    /** A stage begins. */
    void began(long imagesSeen, String stage) {
        log.began(imagesSeen, stage);
        said.clear();
        won.clear();
    }

    /**
     * A line of the log, which is written.
     *
     * @param macs multiply-accumulates of a forward pass for one image; 0 where nobody counted
     */
    void line(long imagesSeen, Map<String, Object> values, long macs) {
        log.write(imagesSeen, values, macs);
        look(imagesSeen, values);
    }

    /** Losses on images that are not learned, which are written where there are any. */
    void heldOut(long imagesSeen, Map<String, Object> values) {
        if (!values.isEmpty()) {
            log.heldOut(imagesSeen, values);
            look(imagesSeen, values);
        }
    }

    private void look(long imagesSeen, Map<String, Object> values) {
        for (Band band : List.copyOf(pending)) {
            if (due(band, imagesSeen, values) && values.get(band.of()) instanceof Number number) {
                pending.remove(band);
                double value = number.doubleValue();
                if (!band.holds(value)) {
                    String sentence = band.sentence(value, imagesSeen);
                    say(imagesSeen, "band of " + band.of() + " at " + band.images(), sentence);
                    verdict = stopOutside ? Optional.of(sentence) : verdict;
                }
            }
        }
        values.forEach((name, value) -> {
            if (TrainingMetric.isLoss(name) && value instanceof Number number) {
                term(imagesSeen, name, number.doubleValue());
            }
        });
    }

    private void term(long imagesSeen, String name, double value) {
        if (!Double.isFinite(value)) {
            say(
                    imagesSeen,
                    "not finite",
                    name + " was not finite at some step before " + imagesSeen + " images, which was not taken; if more"
                            + " follow, use run.compute.precision fp32 or lower run.optimizer.lr");
        }
        if (name.startsWith(TrainingMetric.loss(TrainingMetric.CRITIC))) {
            int lines = value < CRITIC_WON ? won.merge(name, 1, Integer::sum) : 0;
            won.put(name, lines);
            if (lines >= CRITIC_LINES) {
                say(
                        imagesSeen,
                        name,
                        String.format(
                                Locale.ROOT,
                                "the critic has won: %s has been below %s for %d lines of the log, so it hardly teaches; lower the rate of"
                                        + " its own optimizer, set its penalty higher, or show it noisier images (noiseFrom,"
                                        + " noiseTo)",
                                name,
                                CRITIC_WON,
                                lines));
            }
        }
    }

    /** A look at the result so far, whose pictures are written. */
    void picture(long imagesSeen, Preview.Look look) {
        log.picture(imagesSeen, look.grid());
        PictureStatistics made = look.made();
        PictureStatistics real = look.real();
        if (Math.abs(made.mean() - real.mean()) > BRIGHTNESS * real.std()) {
            say(
                    imagesSeen,
                    "brightness",
                    compared(made.mean() > real.mean() ? "brighter" : "darker", "mean", made.mean(), real.mean())
                            + "; a result so far from the data wants more images or a lower run.optimizer.lr, a guided one"
                            + " less guidance");
        }
        if (made.std() > CONTRAST * real.std()) {
            say(
                    imagesSeen,
                    "contrast",
                    compared("richer in contrast", "standard deviation", made.std(), real.std())
                            + "; lower the guidance (run.sampling.guidanceScale, teacher.guidance) or the weight of an"
                            + " adversarial loss");
        } else if (made.std() * CONTRAST < real.std()) {
            say(
                    imagesSeen,
                    "contrast",
                    compared("poorer in contrast", "standard deviation", made.std(), real.std())
                            + "; the network still blurs: give it more images, or more steps in run.sampling");
        }
        if (made.distance() < COLLAPSED * real.distance()) {
            say(
                    imagesSeen,
                    "diversity",
                    String.format(
                            Locale.ROOT,
                            "two seeds give nearly one picture: those of a class differ by %.3f, real ones by %.3f; lower the"
                                    + " guidance or the weight of an adversarial loss, or begin the stage from an earlier"
                                    + " checkpoint with a lower run.optimizer.lr",
                            made.distance(),
                            real.distance()));
        }
    }

    private static String compared(String how, String what, double made, double real) {
        return String.format(
                Locale.ROOT,
                "the sampled pictures are %s than the data (%s %.3f, the data's %.3f)",
                how,
                what,
                made,
                real);
    }

    /** The result is there; what was expected of values that nobody logged is said. */
    void finished(long imagesSeen, Path result) {
        List<String> unseen = pending.stream()
                .filter(band -> band.images() <= imagesSeen)
                .map(band -> band.of() + " at " + band.images())
                .toList();
        if (!unseen.isEmpty()) {
            say(
                    imagesSeen,
                    "bands",
                    "expected in run.log.expect but never logged: " + FirstFew.of(unseen, 3)
                            + "; see log.jsonl for the names of what is");
        }
        log.finished(imagesSeen, result);
    }

    /**
     * Ends a run that is outside a band, where that was asked for.
     *
     * @param save saves the run and says where
     * @throws RetortException of kind DIVERGED
     */
    void requireInside(Supplier<Path> save) {
        if (verdict.isPresent()) {
            throw new RetortException(
                    Kind.DIVERGED,
                    verdict.get() + "; saved to " + save.get()
                            + " and stopped, as run.log.stopOutside asks: the same command goes on all the same");
        }
    }

    private void say(long imagesSeen, String about, String sentence) {
        if (said.add(about)) {
            log.warned(imagesSeen, about, sentence);
            notes.accept(sentence);
        }
    }
}
