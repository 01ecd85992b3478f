package dev.retort.diffusion;

import java.util.Arrays;

/**
 * A data distribution whose perfect network is known: sum_k w_k N(m_k, s_k^2 I). Noised to x = alpha x0 + sigma eps, component k has mean alpha m_k and variance
 * v_k = alpha^2 s_k^2 + sigma^2, hence E[x0 | x] = sum_k p_k (m_k + alpha s_k^2 / v_k (x - alpha m_k)) with p_k its share at x. Solvers, losses and metrics
 * are tested against it.
 */
public final class GaussianMixture {
    private final double[] weights;
    private final double[][] means;
    private final double[] deviations;

    /**
     * A mixture of round Gaussians.
     *
     * @param weights above 0, any sum
     * @param means one row of D numbers per component
     * @param deviations the standard deviation of each component, at least 0
     */
    public GaussianMixture(double[] weights, double[][] means, double[] deviations) {
        if (weights.length == 0 || means.length != weights.length || deviations.length != weights.length) {
            throw new IllegalArgumentException("a mixture has " + weights.length + " weights, " + means.length
                    + " means and " + deviations.length + " deviations; expected as many of each, at least 1");
        }
        for (int k = 0; k < weights.length; k++) {
            if (!(weights[k] > 0) || !(deviations[k] >= 0) || means[k].length != means[0].length) {
                throw new IllegalArgumentException(
                        "component " + k + " of a mixture has weight " + weights[k] + ", deviation "
                                + deviations[k] + " and " + means[k].length
                                + " dimensions; expected a weight above 0, a deviation of at"
                                + " least 0 and " + means[0].length + " dimensions");
            }
        }
        double sum = Arrays.stream(weights).sum();
        this.weights = Arrays.stream(weights).map(w -> w / sum).toArray();
        this.means = Arrays.stream(means).map(double[]::clone).toArray(double[][]::new);
        this.deviations = deviations.clone();
    }

    /** Equal components on a circle in the plane, the usual toy. */
    public static GaussianMixture ring(int components, double radius, double deviation) {
        double[] weights = new double[components];
        double[][] means = new double[components][];
        double[] deviations = new double[components];
        for (int k = 0; k < components; k++) {
            double angle = 2 * Math.PI * k / components;
            weights[k] = 1;
            means[k] = new double[] {radius * StrictMath.cos(angle), radius * StrictMath.sin(angle)};
            deviations[k] = deviation;
        }
        return new GaussianMixture(weights, means, deviations);
    }

    /** The number of dimensions D. */
    public int dimensions() {
        return means[0].length;
    }

    /** The number of components. */
    public int components() {
        return weights.length;
    }

    /** The share of a component; the shares sum to 1. */
    public double weight(int component) {
        return weights[component];
    }

    /** The mean of a component, a copy. */
    public double[] mean(int component) {
        return means[component].clone();
    }

    /** The standard deviation of a component. */
    public double deviation(int component) {
        return deviations[component];
    }

    /** E[x0 | x], what a perfect network predicts at x. */
    public double[] x0(double[] x, double alpha, double sigma) {
        double[] shares = shares(x, alpha, sigma);
        double[] x0 = new double[x.length];
        for (int k = 0; k < weights.length; k++) {
            double data = deviations[k] * deviations[k];
            double pull = alpha * data / variance(k, alpha, sigma);
            for (int d = 0; d < x.length; d++) {
                x0[d] += shares[k] * (means[k][d] + pull * (x[d] - alpha * means[k][d]));
            }
        }
        return x0;
    }

    /** What a perfect network of a prediction returns at x. Not at sigma = 0, unless the prediction is X0. */
    public double[] output(Prediction prediction, double[] x, double alpha, double sigma) {
        double[] x0 = x0(x, alpha, sigma);
        double fromState = prediction.fromState(Prediction.X0, alpha, sigma);
        double fromX0 = prediction.fromOutput(Prediction.X0, alpha, sigma);
        double[] output = new double[x.length];
        for (int d = 0; d < x.length; d++) {
            output[d] = fromState * x[d] + fromX0 * x0[d];
        }
        return output;
    }

    /** The perfect network for {@link ArrayExecutor}, of whatever prediction a plan asks for. */
    public ArrayExecutor.Network network() {
        return (input, call) -> output(call.prediction(), input, call.alpha(), call.sigma());
    }

    /** ln of the density of the noised samples at x. */
    public double logDensity(double[] x, double alpha, double sigma) {
        double[] logs = logs(x, alpha, sigma);
        double most = max(logs);
        double sum = 0;
        for (double log : logs) {
            sum += Math.exp(log - most);
        }
        return most + Math.log(sum);
    }

    /** The share of each component in the density of the noised samples at x. */
    public double[] shares(double[] x, double alpha, double sigma) {
        double[] shares = logs(x, alpha, sigma);
        double most = max(shares);
        double sum = 0;
        for (int k = 0; k < shares.length; k++) {
            shares[k] = Math.exp(shares[k] - most);
            sum += shares[k];
        }
        for (int k = 0; k < shares.length; k++) {
            shares[k] /= sum;
        }
        return shares;
    }

    /** A clean sample. */
    public double[] sample(Rng rng) {
        double u = rng.nextDouble();
        int k = 0;
        while (k < weights.length - 1 && u >= weights[k]) {
            u -= weights[k++];
        }
        double[] x = means[k].clone();
        for (int d = 0; d < x.length; d++) {
            x[d] += deviations[k] * rng.nextGaussian();
        }
        return x;
    }

    private double variance(int component, double alpha, double sigma) {
        double data = alpha * deviations[component];
        return data * data + sigma * sigma;
    }

    private double[] logs(double[] x, double alpha, double sigma) {
        double[] logs = new double[weights.length];
        for (int k = 0; k < weights.length; k++) {
            double variance = variance(k, alpha, sigma);
            double squares = 0;
            for (int d = 0; d < x.length; d++) {
                double distance = x[d] - alpha * means[k][d];
                squares += distance * distance;
            }
            logs[k] =
                    Math.log(weights[k]) - squares / (2 * variance) - x.length / 2. * Math.log(2 * Math.PI * variance);
        }
        return logs;
    }

    private static double max(double[] values) {
        double most = Double.NEGATIVE_INFINITY;
        for (double value : values) {
            most = Math.max(most, value);
        }
        return most;
    }
}
