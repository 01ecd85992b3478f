package dev.retort.bench;

import dev.retort.error.RetortException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Measures whole steps of the paper's networks and sets them beside plain PyTorch where a Python with torch is given. */
public final class BenchMain {
    private static final String USAGE = """
            usage: java -jar bench/target/retort-bench.jar [options]
              --peer-python PATH   a Python that has torch; without it only our side is measured
              --peer-script PATH   default bench/peer/dit_peer.py
              --cases LIST         MODEL:BATCH:train|sample:fp32|bf16,…; default S/2 and B/2 at 8, XL/2 at 2, both kinds, both precisions;
                                   another network is spelt out: 8x256x4/4@1x28:32:train:fp32 is fashion-teacher's
              --before JAR         this benchmark as another commit built it, measured in turn with ours (bench/turns.sh)
              --seconds N          measuring time of a case, default 30
              --device NAME        cpu, cuda or cuda:N, for both sides; default cpu
              --no-compile         leave torch.compile out
              --only-cases         leave out the overhead and the 500 steps of memory
              --json FILE          write every figure there
              --methods SIZE       nothing but what a step of each method of few steps costs, of a student such as 3x192x3/4
              --load URL           nothing but what the server of lesson ImageServer there does under load: at 80 % of its most for --seconds, then at twice that
              --command LINE       nothing but the wall clock of ./retort LINE, as in --command "inspect FILE\"""";

    private static final List<String> MODELS = List.of("S/2:8", "B/2:8", "XL/2:2");
    private static final int METHOD_ROUNDS = 3;
    private static final BenchCase MEMORY_CASE = new BenchCase("S/8", 8, true, true);

    private final List<BenchCase> cases = new ArrayList<>();
    private Path python;
    private Path before;
    private Path script = Path.of("bench", "peer", "dit_peer.py");
    private Path json;
    private String command;
    private String methods;
    private String load;
    private String device = "cpu";
    private double seconds = 30;
    private boolean compile = true;
    private boolean alone = true;

    private BenchMain() {}

    /** See {@code --help}. Exit codes are those of the other commands. */
    public static void main(String[] args) throws IOException {
        BenchMain bench = new BenchMain();
        try {
            if (!bench.parse(args)) {
                System.out.println(USAGE);
                return;
            }
            if (bench.methods != null) {
                System.out.print(MethodCosts.table(bench.methods, METHOD_ROUNDS));
            } else if (bench.load != null) {
                System.out.print(ServerLoad.measure(bench.load, bench.seconds));
            } else if (bench.command != null) {
                System.out.println(CommandTime.of(Path.of("retort"), bench.command));
            } else {
                bench.run();
            }
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage() + "\n" + USAGE);
            System.exit(RetortException.Kind.USAGE.exitCode());
        } catch (RetortException e) {
            System.err.println(e.getMessage());
            System.exit(e.kind().exitCode());
        }
    }

    private boolean parse(String[] args) {
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--no-compile" -> compile = false;
                case "--only-cases" -> alone = false;
                case "--help", "-h" -> {
                    return false;
                }
                default -> option(args[i], i + 1 < args.length ? args[++i] : null);
            }
        }
        if (cases.isEmpty()) {
            for (String model : MODELS) {
                for (String kind : List.of(":train", ":sample")) {
                    Stream.of(":fp32", ":bf16")
                            .map(precision -> BenchCase.parse(model + kind + precision))
                            .forEach(cases::add);
                }
            }
        }
        return true;
    }

    private void option(String name, String value) {
        if (value == null) {
            throw new IllegalArgumentException(name + " needs a value");
        }
        switch (name) {
            case "--peer-python" -> python = Path.of(value);
            case "--peer-script" -> script = Path.of(value);
            case "--before" -> before = Path.of(value);
            case "--device" -> device = value;
            case "--command" -> command = value;
            case "--load" -> load = value;
            case "--methods" -> methods = value;
            case "--json" -> json = Path.of(value);
            case "--seconds" -> seconds = Double.parseDouble(value);
            case "--cases" ->
                Arrays.stream(value.split(",")).map(BenchCase::parse).forEach(cases::add);
            default -> throw new IllegalArgumentException(name + " is unknown");
        }
    }

    private void run() throws IOException {
        List<Contest.Entrant> entrants = new ArrayList<>();
        entrants.add(new Contest.Entrant("ours", () -> Worker.ours(device), false));
        if (before != null) {
            entrants.add(new Contest.Entrant("before", () -> Worker.before(before, device), false));
        }
        if (python != null) {
            entrants.add(new Contest.Entrant("eager", this::peer, false));
            if (compile) {
                entrants.add(new Contest.Entrant("compiled", this::peer, true));
            }
        }
        BenchReport report = new BenchReport(entrants);
        for (String precision :
                cases.stream().map(BenchCase::precision).distinct().toList()) {
            say("matrix product peak, " + precision);
            report.peak(precision, Alone.peak(precision.equals("bf16"), device));
        }
        for (BenchCase what : cases) {
            say(what.toString());
            Contest.Result result = Contest.run(what, entrants, seconds);
            report.add(result);
            if (alone) {
                report.overhead(
                        what,
                        Alone.skeletonSeconds(what, device)
                                / result.times().get("ours").median());
            }
        }
        if (alone) {
            say("memory over 500 steps");
            report.flatness(Alone.flatness(MEMORY_CASE, device));
        }
        System.out.print(report.table());
        if (json != null) {
            Files.writeString(json, report.json());
        }
    }

    private Worker peer() {
        return Worker.peer(python, script, device);
    }

    private static void say(String what) {
        System.err.println("measuring " + what);
    }
}
