package dev.retort.diffusion;

/**
 * How a network's output becomes a sample: skip * state + out * f(in * state), for a state x = x0 + sigma eps, or of any schedule where {@code in} is 1. A
 * consistency function must leave a state without noise as it is: skip is 1 and out 0 there.
 *
 * @param skip the factor before the state
 * @param out the factor before what the network (or, for {@link #ofTime}, its x0) says
 * @param in the factor before the network's input
 */
public record BoundaryScaling(double skip, double out, double in) {
    /** The sample is what the network says: x0 of V and FLOW, which needs no form to be right at the boundary. */
    public static final BoundaryScaling NONE = new BoundaryScaling(0, 1, 1);

    private static final double DATA = 0.5;

    /** The preconditioning of Karras et al. 2022, table 1. */
    public static BoundaryScaling edm(double sigma, double sigmaData) {
        double total = sigma * sigma + sigmaData * sigmaData;
        return new BoundaryScaling(
                sigmaData * sigmaData / total, sigma * sigmaData / Math.sqrt(total), 1 / Math.sqrt(total));
    }

    /** The same moved so that the boundary lies at sigmaMin (Song et al. 2023, appendix C). */
    public static BoundaryScaling consistency(double sigma, double sigmaMin, double sigmaData) {
        double above = sigma - sigmaMin;
        double total = sigma * sigma + sigmaData * sigmaData;
        return new BoundaryScaling(
                sigmaData * sigmaData / (above * above + sigmaData * sigmaData),
                above * sigmaData / Math.sqrt(total),
                1 / Math.sqrt(total));
    }

    /**
     * The form of latent consistency models (Luo et al. 2023, appendix D), between the state and its x0: d^2/((s t)^2 + d^2) and s t/sqrt((s t)^2 + d^2) with d = 0.5.
     *
     * @param time the time that the network is told, 0..T-1
     * @param timeScaling s, 10 for published models
     */
    public static BoundaryScaling ofTime(double time, double timeScaling) {
        double scaled = timeScaling * time;
        double total = scaled * scaled + DATA * DATA;
        return new BoundaryScaling(DATA * DATA / total, scaled / Math.sqrt(total), 1);
    }
}
