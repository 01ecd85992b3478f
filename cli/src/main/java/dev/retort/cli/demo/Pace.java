package dev.retort.cli.demo;

import dev.retort.config.Require;

/**
 * How fast the parts of the demo are on this machine, in seconds.
 *
 * @param teacher for the teacher to learn from an image
 * @param student for the student to learn an image from its teacher
 * @param alone for the student's network to learn from an image without a teacher
 * @param drawTeacher for the teacher to draw an image
 * @param drawStudent for the student to draw one
 * @param run for a training run to open and to save its model
 * @param start for a process to start
 */
public record Pace(
        double teacher,
        double student,
        double alone,
        double drawTeacher,
        double drawStudent,
        double run,
        double start) {
    /** Validates. */
    public Pace {
        Require.positive("teacher", teacher);
        Require.positive("student", student);
        Require.positive("alone", alone);
        Require.positive("drawTeacher", drawTeacher);
        Require.positive("drawStudent", drawStudent);
        Require.atLeast("run", run, 0);
        Require.atLeast("start", start, 0);
    }
}
