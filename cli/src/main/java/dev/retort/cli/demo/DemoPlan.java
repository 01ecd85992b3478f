package dev.retort.cli.demo;

import dev.retort.config.Configs;
import dev.retort.config.Require;
import dev.retort.io.AtomicWrite;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How long a demo is: chosen once, from the pace of the machine, and kept in the run's folder, so that a demo that was
 * stopped goes on to the same end however fast the machine is then.
 *
 * @param teacherImages images that the teacher sees
 * @param studentImages images that the student sees, and its network without a teacher
 * @param pace what it was chosen from
 */
public record DemoPlan(long teacherImages, long studentImages, Pace pace) {
    /** Its file in the run's folder. */
    public static final String FILE = "demo.yaml";

    private static final String KIND = "demo";

    /**
     * Images of teacher and student.
     *
     * @param teacher images that the teacher sees
     * @param student images that the student sees
     */
    public record Length(long teacher, long student) {}

    /**
     * What follows the training.
     *
     * @param drawn images that each of the four columns of the comparison draws in all
     * @param pictures images of teacher and of student in the two pictures
     * @param processes processes that are started to measure speed and memory
     */
    public record Rest(int drawn, int pictures, int processes) {}

    /** Validates. */
    public DemoPlan {
        Require.atLeast("teacherImages", teacherImages, 1);
        Require.atLeast("studentImages", studentImages, 1);
    }

    /**
     * The plan that takes the given time, in whole batches: at least {@code least}, which may take longer, at most
     * {@code full}, which may take less.
     */
    public static DemoPlan within(double seconds, Pace pace, Length least, Length full, Rest rest, int batch) {
        double shortest = new DemoPlan(least.teacher, least.student, pace).seconds(rest);
        double longest = new DemoPlan(full.teacher, full.student, pace).seconds(rest);
        double share = longest <= seconds ? 1 : Math.max(0, (seconds - shortest) / (longest - shortest));
        return new DemoPlan(
                between(least.teacher, full.teacher, share, batch),
                between(least.student, full.student, share, batch),
                pace);
    }

    private static long between(long least, long full, double share, int batch) {
        long more = (long) (share * (full - least)) / batch * batch;
        return share == 1 ? full : least + more;
    }

    /** The plan of a demo that was begun in this folder. */
    public static Optional<DemoPlan> read(Path run) {
        Path file = run.resolve(FILE);
        return Files.exists(file)
                ? Optional.of(Configs.load(DemoPlan.class, KIND, file.toString(), List.of()))
                : Optional.empty();
    }

    /** Keeps the plan in the run's folder. */
    public void write(Path run) {
        AtomicWrite.text(run.resolve(FILE), Configs.write(KIND, this));
    }

    /** Predicted seconds of the teacher's run. */
    public double teacherSeconds() {
        return pace.run() + teacherImages * pace.teacher();
    }

    /** Predicted seconds of the student's run. */
    public double studentSeconds() {
        return pace.run() + studentImages * pace.student();
    }

    /** Predicted seconds of the run without a teacher. */
    public double aloneSeconds() {
        return pace.run() + studentImages * pace.alone();
    }

    /** Predicted seconds of the comparison: three of its four columns cost what the student costs. */
    public double comparisonSeconds(Rest rest) {
        return rest.drawn * (pace.drawTeacher() + 3 * pace.drawStudent()) + rest.processes * pace.start();
    }

    /** Predicted seconds of the two pictures. */
    public double pictureSeconds(Rest rest) {
        return rest.pictures * (pace.drawTeacher() + pace.drawStudent());
    }

    /** Predicted seconds of everything. */
    public double seconds(Rest rest) {
        return teacherSeconds() + studentSeconds() + aloneSeconds() + comparisonSeconds(rest) + pictureSeconds(rest);
    }
}
