package dev.retort.evaluate;

import dev.retort.error.RetortException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Mean and covariance of features, the latter with n-1 as {@code numpy.cov} has it; what a Fréchet distance needs.
 *
 * @param space extractor, weights and preprocessing
 * @param dataset the images they are of
 * @param n number of images
 * @param mean (d)
 * @param covariance (d, d), row-major, symmetric
 */
public record FeatureStatistics(FeatureSpace space, String dataset, long n, double[] mean, double[] covariance) {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String FORMAT = "retort-feature-statistics-1";

    /** Checks that the arrays have the dimension of the space. */
    public FeatureStatistics {
        int d = space.dimension();
        if (n < 2 || mean.length != d || covariance.length != d * d) {
            throw new IllegalArgumentException("statistics of " + dataset + ": n " + n + ", mean " + mean.length
                    + ", covariance " + covariance.length + ", expected n of at least 2, " + d + " and " + d * d);
        }
    }

    /**
     * Takes features in as they are extracted, so that they need not be kept. Mean and products of deviations are updated
     * row by row (Welford 1962): features far from zero lose no digits, as they do in sums of x x^T, and how the rows are
     * divided into batches does not change a bit.
     */
    public static final class Accumulator {
        private final FeatureSpace space;
        private final String dataset;
        private final double[] mean;
        private final double[] products; // sum of (x - mean) (x - mean)^T, the upper half
        private long n;

        /** Nothing yet. */
        public Accumulator(FeatureSpace space, String dataset) {
            this.space = space;
            this.dataset = dataset;
            this.mean = new double[space.dimension()];
            this.products = new double[Math.multiplyExact(space.dimension(), space.dimension())];
        }

        /** Adds the features of a batch. */
        public void add(FeatureMatrix features) {
            int d = mean.length;
            if (features.dimension() != d) {
                throw new IllegalArgumentException(
                        "features: " + features.dimension() + " values a row, expected " + d);
            }
            double[] delta = new double[d];
            for (int r = 0; r < features.rows(); r++) {
                n++;
                for (int i = 0; i < d; i++) {
                    delta[i] = features.at(r, i) - mean[i];
                    mean[i] += delta[i] / n;
                }
                addProducts(delta, (n - 1.0) / n);
            }
        }

        private void addProducts(double[] x, double weight) {
            int d = x.length;
            for (int i = 0; i < d; i++) {
                double xi = weight * x[i];
                int at = i * d;
                for (int j = i; j < d; j++) { // finish() mirrors it
                    products[at + j] += xi * x[j];
                }
            }
        }

        /** The mean, and the covariance by n - 1. */
        public FeatureStatistics finish() {
            int d = mean.length;
            if (n < 2) {
                throw new RetortException(
                        RetortException.Kind.DATA,
                        dataset + ": " + n + " images, a covariance needs at least 2; give more images.");
            }
            double[] covariance = new double[d * d];
            for (int i = 0; i < d; i++) {
                for (int j = i; j < d; j++) {
                    double value = products[i * d + j] / (n - 1);
                    covariance[i * d + j] = value;
                    covariance[j * d + i] = value;
                }
            }
            return new FeatureStatistics(space, dataset, n, mean.clone(), covariance);
        }
    }

    /** Sum of the variances. */
    double trace() {
        double trace = 0;
        for (int i = 0; i < mean.length; i++) {
            trace += covariance[i * mean.length + i];
        }
        return trace;
    }

    /** Writes a JSON file whose arrays are little-endian doubles in base64, so that nothing is rounded. */
    public void save(Path file) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", FORMAT);
        json.put("extractor", space.extractor());
        json.put("weightsSha256", space.weightsSha256());
        json.put("preprocessing", space.preprocessing());
        json.put("dimension", space.dimension());
        json.put("dataset", dataset);
        json.put("n", n);
        json.put("mean", encode(mean));
        json.put("covariance", encode(covariance));
        Path unfinished = file.resolveSibling(file.getFileName() + ".tmp");
        try {
            Files.writeString(unfinished, JSON.writeValueAsString(json));
            Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new RetortException(
                    RetortException.Kind.WRITE,
                    file + ": the reference statistics cannot be written (" + e.getMessage() + "); free space there.",
                    e);
        }
    }

    /** Reads what {@link #save} wrote. */
    public static FeatureStatistics load(Path file) {
        try {
            JsonNode json = JSON.readTree(Files.readString(file));
            if (!FORMAT.equals(json.path("format").asString(""))) {
                throw damaged(file, "it has no format \"" + FORMAT + "\"", null);
            }
            FeatureSpace space = new FeatureSpace(
                    json.required("extractor").asString(),
                    json.required("weightsSha256").asString(),
                    json.required("preprocessing").asString(),
                    json.required("dimension").asInt());
            return new FeatureStatistics(
                    space,
                    json.required("dataset").asString(),
                    json.required("n").asLong(),
                    decode(json.required("mean").asString()),
                    decode(json.required("covariance").asString()));
        } catch (IOException | JacksonException | IllegalArgumentException e) {
            throw damaged(file, e.getMessage(), e);
        }
    }

    private static RetortException damaged(Path file, String why, Exception cause) {
        return new RetortException(
                RetortException.Kind.DATA,
                file + ": not readable as reference statistics (" + why + "); make it anew from the images.",
                cause);
    }

    private static String encode(double[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asDoubleBuffer().put(values);
        return Base64.getEncoder().encodeToString(bytes.array());
    }

    private static double[] decode(String text) {
        byte[] bytes = Base64.getDecoder().decode(text);
        double[] values = new double[bytes.length / Double.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer().get(values);
        return values;
    }
}
