package dev.retort.diffusion.step;

/** The networks in closed form of the reference numbers, element by element. */
final class ClosedForms {
    private ClosedForms() {}

    /** p0 a p1^2 x/(a^2 p1^2 + s^2) + p2 tanh(p3 x) cos(p4 t) + p5 cond, an x0 at alpha a and sigma s. */
    static Dual x0(Dual[] p, Dual x, Dual t, Dual alpha, Dual sigma, double cond) {
        Dual data = p[1].squared();
        Dual pull = p[0].times(alpha)
                .times(data)
                .times(x)
                .over(alpha.squared().times(data).plus(sigma.squared()));
        Dual rest = p[2].times(p[3].times(x).tanh()).times(p[4].times(t).cos());
        return pull.plus(rest).plus(p[5].times(cond));
    }

    /** The same with parameters and state free, at a time of EDM ({@code flow} false: sigma = t) or of a flow. */
    static Dual x0(Dual[] p, Dual x, double t, boolean flow, double cond) {
        return x0(p, x, Dual.of(t), Dual.of(flow ? 1 - t : 1), Dual.of(t), cond);
    }

    /** A whole sample, without derivatives. */
    static double[] x0(double[] p, double[] x, double t, boolean flow, double cond) {
        Dual[] fixed = Dual.constants(p);
        double[] x0 = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            x0[i] = x0(fixed, Dual.of(x[i]), t, flow, cond).value;
        }
        return x0;
    }

    /** p0 x + p1 sin(p2 x) cos(p3 t) + p4 (t - r) tanh(x) + p5 cond, a mean velocity. */
    static Dual velocity(Dual[] p, Dual x, Dual t, double r, double cond) {
        return p[0].times(x)
                .plus(p[1].times(p[2].times(x).sin()).times(p[3].times(t).cos()))
                .plus(p[4].times(t.plus(-r)).times(x.tanh()))
                .plus(p[5].times(cond));
    }
}
