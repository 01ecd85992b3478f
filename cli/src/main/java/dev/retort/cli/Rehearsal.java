package dev.retort.cli;

import java.io.OutputStream;
import java.io.PrintStream;

/**
 * Usual commands, run in one process while the JVM notes which classes they load: the launcher has it write those into an
 * archive, from which later processes start faster (class-data sharing).
 */
final class Rehearsal {
    private Rehearsal() {}

    /**
     * Runs the commands and says nothing; one that fails leaves its classes out of the archive, no more.
     *
     * @param args a model's folder, and a folder for what the commands write
     */
    public static void main(String[] args) {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        Terminal silent = new Terminal(DataStream.on(OutputStream.nullOutputStream()), nowhere, false, false);
        Main.run(silent);
        Main.run(silent, "inspect", args[0]);
        Main.run(silent, "sample", args[0], "--count", "1", "--device", "cpu", "--out", args[1] + "/samples.png");
        Main.run(silent, "train", "shapes-teacher", "--dry-run", "--device", "cpu");
    }
}
