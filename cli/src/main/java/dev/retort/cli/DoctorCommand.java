package dev.retort.cli;

import dev.retort.cli.doctor.Check;
import dev.retort.cli.doctor.Check.State;
import dev.retort.cli.doctor.Checks;
import dev.retort.cli.doctor.HostEnvironment;
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
    private Output output;

    @Option(
            names = "--probe",
            description = "Time the kernels anew; the first start on a machine does it by itself, in two seconds.")
    private boolean probe;

    @Override
    public Integer call() {
        List<Check> checks = examine();
        if (output.json()) {
            record Line(String subject, String state, String found, String fix) {}
            output.terminal()
                    .json(checks.stream()
                            .map(check ->
                                    new Line(check.subject(), check.state().name(), check.found(), check.fix()))
                            .toList());
        } else {
            checks.forEach(this::print);
        }
        boolean bad = checks.stream().anyMatch(check -> check.state() == State.BAD);
        if (!bad) {
            output.next("retort presets");
        }
        return bad ? Kind.ENVIRONMENT.exitCode() : 0;
    }

    private List<Check> examine() {
        Machine machine = Machine.here();
        HostEnvironment around = new HostEnvironment(Path.of("/"), System.getenv());
        List<Check> checks = new ArrayList<>();
        checks.add(Checks.java(
                Runtime.version().feature(), System.getProperty("java.version"), System.getProperty("java.vendor")));
        checks.add(Checks.platform(System.getProperty("os.name"), System.getProperty("os.arch")));
        checks.add(Checks.fileNames(FileNames.charset(), FileNames.isUnicode()));
        checks.add(Checks.cpu(machine));
        checks.add(Checks.memory(machine.memoryBytes(), Machine.availableBytes(), around.memoryLimitBytes()));
        checks.add(Checks.gpu(around.gpus(), around.driver(), around.hasLibcuda(), Cuda.isBuiltIn()));
        checks.add(Checks.foreignLibtorch(around.foreignLibtorch(), around.forcedLibtorch()));
        Check natives = inTime("Natives", NATIVE_PATIENCE_SECONDS, Natives::libraries);
        checks.add(cache(natives.state() == State.GOOD));
        boolean caused = checks.stream().anyMatch(check -> check.state() == State.BAD);
        checks.add(
                natives.state() == State.BAD && caused
                        ? new Check(
                                natives.subject(),
                                State.BAD,
                                natives.found(),
                                "fix the findings above first, then run it again")
                        : natives);
        if (natives.state() == State.GOOD) {
            checks.add(inTime("BLAS", NATIVE_PATIENCE_SECONDS, () -> Checks.blas(machine, Natives.blas())));
            checks.add(inTime("Kernels", PROBE_PATIENCE_SECONDS, this::kernels));
        }
        return checks;
    }

    private String kernels() {
        if (probe) {
            Kernels.probe();
        }
        StringBuilder all = new StringBuilder(Kernels.description());
        Kernels.figures().forEach((product, gflops) -> all.append(output.json() ? "; " : "\n" + " ".repeat(17))
                .append(String.format(Locale.ROOT, "%6.1f GFLOP/s  %s", gflops, product)));
        return all.toString();
    }

    private static Check cache(boolean loaded) {
        try {
            return Checks.cache(Natives.cacheFolder(), Mounts.here(), loaded);
        } catch (RetortException e) {
            return new Check("Cache", State.BAD, e.getMessage(), "make the folder writable and free 1 GB in it");
        }
    }

    /** Asks libtorch in a thread of its own: a broken installation must not hold the doctor up. */
    static Check inTime(String subject, int seconds, Callable<String> description) {
        FutureTask<String> load = new FutureTask<>(description);
        Thread thread = new Thread(load, "natives");
        thread.setDaemon(true);
        thread.start();
        try {
            return new Check(subject, State.GOOD, load.get(seconds, TimeUnit.SECONDS), "");
        } catch (TimeoutException e) {
            return new Check(
                    subject,
                    State.WARNING,
                    "libtorch is still busy after " + seconds + " s",
                    "run it again: the first start unpacks " + (Cuda.isBuiltIn() ? "0.9 GB" : "0.5 GB"));
        } catch (ExecutionException e) {
            return new Check(
                    subject,
                    State.BAD,
                    String.valueOf(e.getCause().getMessage()),
                    "do what the end of that sentence says, then run it again");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Check(subject, State.WARNING, "interrupted", "run it again");
        }
    }

    private void print(Check check) {
        Terminal terminal = output.terminal();
        State state = check.state();
        terminal.out()
                .printf(
                        Locale.ROOT,
                        "%s %-14s %s%n",
                        terminal.styled(state.style(), state.mark()),
                        check.subject(),
                        check.found());
        if (!check.fix().isEmpty()) {
            terminal.out().printf(Locale.ROOT, "  %-14s fix: %s%n", "", check.fix());
        }
    }
}
