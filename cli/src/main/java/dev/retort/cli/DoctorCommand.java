package dev.retort.cli;

import dev.retort.cli.doctor.Checkup;
import dev.retort.cli.doctor.Finding;
import dev.retort.cli.doctor.Finding.State;
import dev.retort.cli.doctor.Surroundings;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.FileNames;
import dev.retort.torch.Cuda;
import dev.retort.torch.Kernels;
import dev.retort.torch.Machine;
import dev.retort.torch.Mounts;
import dev.retort.torch.Natives;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Says what this machine can do and what to fix. */
@Command(
        name = "doctor",
        header = {
            "Check this machine: Java, CPU, memory, GPU, native libraries, fastest kernels. Ends within 10 seconds.",
            "",
            "Examples:",
            "  retort doctor                       one line for each thing, one fix for each finding",
            "  retort doctor --json                the same for a program or a bug report",
            "  retort doctor --probe               time the kernels anew, on an idle machine",
            ""
        })
final class DoctorCommand implements Callable<Integer> {
    private static final int NATIVE_PATIENCE_SECONDS = 4;
    private static final int PROBE_PATIENCE_SECONDS = 20;

    @Mixin
    private Talk talk;

    @Option(
            names = "--probe",
            description = "Time the kernels anew; the first start on a machine does it by itself, in two seconds.")
    private boolean probe;

    @Override
    public Integer call() {
        List<Finding> findings = examine();
        if (talk.json()) {
            record Line(String subject, String state, String found, String fix) {}
            talk.terminal()
                    .json(findings.stream()
                            .map(finding ->
                                    new Line(finding.subject(), finding.state().name(), finding.found(), finding.fix()))
                            .toList());
        } else {
            findings.forEach(this::print);
        }
        boolean bad = findings.stream().anyMatch(finding -> finding.state() == State.BAD);
        if (!bad) {
            talk.next("retort presets");
        }
        return bad ? Kind.ENVIRONMENT.exitCode() : 0;
    }

    private List<Finding> examine() {
        Machine machine = Machine.here();
        Surroundings around = new Surroundings(Path.of("/"), System.getenv());
        List<Finding> findings = new ArrayList<>();
        findings.add(Checkup.java(
                Runtime.version().feature(), System.getProperty("java.version"), System.getProperty("java.vendor")));
        findings.add(Checkup.platform(System.getProperty("os.name"), System.getProperty("os.arch")));
        findings.add(Checkup.fileNames(FileNames.charset(), FileNames.isUnicode()));
        findings.add(Checkup.cpu(machine));
        findings.add(Checkup.memory(machine.memoryBytes(), Machine.availableBytes(), around.memoryLimitBytes()));
        findings.add(Checkup.gpu(around.gpus(), around.driver(), around.hasLibcuda(), Cuda.isBuiltIn()));
        findings.add(Checkup.foreignLibtorch(around.foreignLibtorch(), around.forcedLibtorch()));
        Finding natives = inTime("Natives", NATIVE_PATIENCE_SECONDS, Natives::libraries);
        findings.add(cache(natives.state() == State.GOOD));
        boolean caused = findings.stream().anyMatch(finding -> finding.state() == State.BAD);
        findings.add(
                natives.state() == State.BAD && caused
                        ? new Finding(
                                natives.subject(),
                                State.BAD,
                                natives.found(),
                                "fix the findings above first, then run it again")
                        : natives);
        if (natives.state() == State.GOOD) {
            findings.add(inTime("BLAS", NATIVE_PATIENCE_SECONDS, () -> Checkup.blas(machine, Natives.blas())));
            findings.add(inTime("Kernels", PROBE_PATIENCE_SECONDS, this::kernels));
        }
        return findings;
    }

    private String kernels() {
        if (probe) {
            Kernels.probe();
        }
        StringBuilder all = new StringBuilder(Kernels.description());
        Kernels.figures().forEach((product, gflops) -> all.append(talk.json() ? "; " : "\n" + " ".repeat(17))
                .append(String.format(Locale.ROOT, "%6.1f GFLOP/s  %s", gflops, product)));
        return all.toString();
    }

    private static Finding cache(boolean loaded) {
        try {
            return Checkup.cache(Natives.cacheFolder(), Mounts.here(), loaded);
        } catch (RetortException e) {
            return new Finding("Cache", State.BAD, e.getMessage(), "make the folder writable and free 1 GB in it");
        }
    }

    /** Asks libtorch in a thread of its own: a broken installation must not hold the doctor up. */
    static Finding inTime(String subject, int seconds, Callable<String> description) {
        FutureTask<String> load = new FutureTask<>(description);
        Thread thread = new Thread(load, "natives");
        thread.setDaemon(true);
        thread.start();
        try {
            return new Finding(subject, State.GOOD, load.get(seconds, TimeUnit.SECONDS), "");
        } catch (TimeoutException e) {
            return new Finding(
                    subject,
                    State.WARNING,
                    "libtorch is still busy after " + seconds + " s",
                    "run it again: the first start unpacks " + (Cuda.isBuiltIn() ? "0.9 GB" : "0.5 GB"));
        } catch (ExecutionException e) {
            return new Finding(
                    subject,
                    State.BAD,
                    String.valueOf(e.getCause().getMessage()),
                    "do what the end of that sentence says, then run it again");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Finding(subject, State.WARNING, "interrupted", "run it again");
        }
    }

    private void print(Finding finding) {
        Terminal terminal = talk.terminal();
        State state = finding.state();
        terminal.out()
                .printf(
                        Locale.ROOT,
                        "%s %-14s %s%n",
                        terminal.styled(state.style(), state.mark()),
                        finding.subject(),
                        finding.found());
        if (!finding.fix().isEmpty()) {
            terminal.out().printf(Locale.ROOT, "  %-14s fix: %s%n", "", finding.fix());
        }
    }
}
