package dev.retort.diffusion;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** The solvers with their usual options by name. For others make the record yourself: {@code new DpmSolver(2, ...)}. */
public final class Solvers {
    private static final List<Solver> ALL = List.of(
            new Ddpm(),
            new Ddim(),
            new Pndm(),
            new Euler(),
            new EulerAncestral(),
            new Heun(),
            new DpmSolver(2),
            new DpmSolver(3),
            new DpmSolver(2, DpmSolver.Form.DATA_SDE, DpmSolver.Rule.MIDPOINT, true, false),
            new UniPc(),
            new Lcm(),
            new Tcd(),
            new FlowEuler(),
            new FlowHeun(),
            new FlowMap(),
            new ParallelEuler());

    private Solvers() {}

    /** Every name, in a stable order. */
    public static List<String> names() {
        return ALL.stream().map(Solver::name).toList();
    }

    /**
     * The solver of a name, in letters of either case.
     *
     * @throws IllegalArgumentException naming the closest name and all others, if there is none
     */
    public static Solver named(String name) {
        String wanted = plain(name);
        return ALL.stream()
                .filter(solver -> solver.name().equals(wanted))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no solver \"" + name + "\"; did you mean \""
                        + closest(wanted) + "\"? Known: " + String.join(", ", names())));
    }

    private static String plain(String name) {
        return name.strip().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String closest(String wanted) {
        return names().stream()
                .min(Comparator.comparingInt(name -> EditDistance.of(wanted, name)))
                .orElseThrow();
    }
}
