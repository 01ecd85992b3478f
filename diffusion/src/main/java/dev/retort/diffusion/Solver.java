package dev.retort.diffusion;

/** A way from noise to data (or back), written as a {@link Plan}. A record whose components are its options. */
public interface Solver {
    /** The name under which {@link Solvers} knows it. */
    String name();

    /**
     * The plan for a network on a grid.
     *
     * @throws IllegalArgumentException if the combination has no finite coefficients, or the solver cannot use it
     */
    Plan plan(Process process, TimeGrid grid);
}
