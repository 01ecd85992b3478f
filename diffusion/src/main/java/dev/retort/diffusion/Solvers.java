package dev.retort.diffusion;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** The solvers by name, with their default options. For other options make the record yourself: {@code new Ddim(0.5)}. */
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
            new FlowHeun());

    private Solvers() {}

    /** Every name, in a stable order. */
    public static List<String> names() {
        return ALL.stream().map(Solver::name).toList();
    }

    /**
     * The solver of a name.
     *
     * @throws IllegalArgumentException naming the closest name and all others, if there is none
     */
    public static Solver named(String name) {
        String wanted = name.strip().toLowerCase(Locale.ROOT).replace('_', '-');
        return ALL.stream()
                .filter(solver -> solver.name().equals(wanted))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no solver \"" + name + "\"; did you mean \""
                        + closest(wanted) + "\"? Known: " + String.join(", ", names())));
    }

    private static String closest(String wanted) {
        return names().stream()
                .min(Comparator.comparingInt(name -> distance(wanted, name)))
                .orElseThrow();
    }

    /** The number of letters to insert, delete or replace. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
