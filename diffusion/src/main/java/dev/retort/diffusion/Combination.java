package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A linear combination of what a sampler has seen: states x, raw network outputs, and predicted clean samples, each of the current step (lag 0) or
 * of an earlier one (lag 1 is the step before). All are in the coordinates of the plan's states.
 *
 * @param terms at most one per source and lag, none with coefficient 0
 */
public record Combination(List<Term> terms) {
    /** Nothing. */
    public static final Combination ZERO = new Combination(List.of());

    /** What a term refers to. */
    public enum Source {
        /** The state at the start of a step, refined if the step refines it. */
        STATE,
        /** What the network returned (its first half, where the second half is a variance). */
        OUTPUT,
        /** The predicted clean sample, clamped. */
        X0
    }

    /**
     * coefficient times one remembered tensor.
     *
     * @param source which kind
     * @param lag how many steps ago, 0 being the current step
     * @param coefficient the factor, finite
     */
    public record Term(Source source, int lag, double coefficient) {
        public Term {
            if (lag < 0) {
                throw new IllegalArgumentException("lag is " + lag + ", expected at least 0");
            }
            if (!Double.isFinite(coefficient)) {
                throw new IllegalArgumentException("the coefficient of " + source + " at lag " + lag + " is "
                        + coefficient + "; expected a finite number, so choose another time grid, end or prediction");
            }
        }
    }

    public Combination {
        terms = List.copyOf(terms);
    }

    /** The state of {@code lag} steps ago. */
    public static Combination state(int lag) {
        return of(Source.STATE, lag);
    }

    /** The network output of {@code lag} steps ago. */
    public static Combination output(int lag) {
        return of(Source.OUTPUT, lag);
    }

    /** The predicted clean sample of {@code lag} steps ago. */
    public static Combination x0(int lag) {
        return of(Source.X0, lag);
    }

    private static Combination of(Source source, int lag) {
        return new Combination(List.of(new Term(source, lag, 1)));
    }

    /** This times a number. */
    public Combination times(double factor) {
        List<Term> scaled = new ArrayList<>();
        for (Term term : terms) {
            if (factor != 0) {
                scaled.add(new Term(term.source(), term.lag(), term.coefficient() * factor));
            }
        }
        return new Combination(scaled);
    }

    /** This plus another. */
    public Combination plus(Combination other) {
        List<Term> sum = new ArrayList<>(terms);
        for (Term term : other.terms) {
            add(sum, term);
        }
        return new Combination(sum);
    }

    /** This minus another. */
    public Combination minus(Combination other) {
        return plus(other.times(-1));
    }

    /** The same combination as it was {@code steps} steps ago: every lag grows by that. */
    public Combination before(int steps) {
        return new Combination(terms.stream()
                .map(t -> new Term(t.source(), t.lag() + steps, t.coefficient()))
                .collect(Collectors.toList()));
    }

    /** The coefficient of a source at a lag, 0 if it does not occur. */
    public double coefficient(Source source, int lag) {
        return terms.stream()
                .filter(t -> t.source() == source && t.lag() == lag)
                .mapToDouble(Term::coefficient)
                .sum();
    }

    /** The largest lag at which a source occurs, -1 if it does not. */
    public int deepest(Source source) {
        int deepest = -1; // a plain loop, as batches may have a plan for each sample
        for (Term term : terms) {
            if (term.source() == source) {
                deepest = Math.max(deepest, term.lag());
            }
        }
        return deepest;
    }

    private static void add(List<Term> sum, Term term) {
        for (int i = 0; i < sum.size(); i++) {
            Term old = sum.get(i);
            if (old.source() == term.source() && old.lag() == term.lag()) {
                double coefficient = old.coefficient() + term.coefficient();
                if (coefficient == 0) {
                    sum.remove(i);
                } else {
                    sum.set(i, new Term(old.source(), old.lag(), coefficient));
                }
                return;
            }
        }
        if (term.coefficient() != 0) {
            sum.add(term);
        }
    }
}
