package dev.retort.diffusion;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The solvers by name. For options beyond {@link Options} make the record yourself: {@code new DpmSolver(2, ...)}. */
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

    /**
     * What a caller who knows a solver only by its name may ask for.
     *
     * @param eta the amount of noise of ddim, euler-ancestral or tcd (its gamma); NaN for the solver's own default
     * @param learnsVariance whether the network has variance channels, which ddpm then uses
     */
    public record Options(double eta, boolean learnsVariance) {
        /** The solver's defaults, no variance channels. */
        public static final Options DEFAULT = new Options(Double.NaN, false);
    }

    private Solvers() {}

    /** Every name, in a stable order. */
    public static List<String> names() {
        return ALL.stream().map(Solver::name).toList();
    }

    /** The solver of a name, in letters of either case; empty if there is none. */
    public static Optional<Solver> find(String name) {
        String wanted = plain(name);
        return ALL.stream().filter(solver -> solver.name().equals(wanted)).findFirst();
    }

    /**
     * The solver of a name.
     *
     * @throws IllegalArgumentException naming the closest name and all others, if there is none
     */
    public static Solver named(String name) {
        return find(name)
                .orElseThrow(() -> new IllegalArgumentException("there is no solver \"" + name + "\"; did you mean \""
                        + closest(plain(name)) + "\"? Known: " + String.join(", ", names())));
    }

    /**
     * The solver of a name with options.
     *
     * @throws IllegalArgumentException if there is none of that name, or eta is given to one that has none
     */
    public static Solver named(String name, Options options) {
        Solver solver = named(name);
        if (solver instanceof Ddpm && options.learnsVariance()) {
            solver = new Ddpm(Ddpm.Variance.LEARNED_RANGE);
        }
        if (Double.isNaN(options.eta())) {
            return solver;
        }
        if (solver instanceof Ddim) {
            return new Ddim(options.eta());
        }
        if (solver instanceof EulerAncestral) {
            return new EulerAncestral(options.eta());
        }
        if (solver instanceof Tcd) {
            return new Tcd(options.eta());
        }
        throw new IllegalArgumentException("eta is " + options.eta() + ", but the solver " + solver.name()
                + " has none; leave it out, or use ddim, euler-ancestral or tcd");
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
