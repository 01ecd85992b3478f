package dev.retort.evaluate;

import java.io.IOException;
import java.io.InputStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reference values made in float64 by numpy and scipy, and the synthetic features they are of. */
final class Golden {
    static final FeatureSpace SPACE = new FeatureSpace("Synthetic", "ab".repeat(32), "none", 16);

    private Golden() {}

    /** The number at a JSON pointer. */
    static double at(String pointer) {
        try (InputStream in = Golden.class.getResourceAsStream("metrics-golden.json")) {
            JsonNode node = JsonMapper.builder().build().readTree(in).at(pointer);
            if (!node.isNumber()) {
                throw new AssertionError("no number at " + pointer);
            }
            return node.asDouble();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** 64 x 16, u - 0.5, seed 12345. */
    static FeatureMatrix a() {
        return lcg(64, 16, 12345, 1, 0);
    }

    /** 64 x 16, 1.1 (u - 0.5) + 0.1, seed 67890. */
    static FeatureMatrix b() {
        return lcg(64, 16, 67890, 1.1, 0.1);
    }

    static FeatureMatrix lcg(int rows, int columns, long seed, double scale, double shift) {
        double[][] values = new double[rows][columns];
        long state = seed;
        for (double[] row : values) {
            for (int k = 0; k < columns; k++) {
                state = (state * 1664525 + 1013904223) & 0xFFFFFFFFL;
                row[k] = scale * (state / 4294967296.0 - 0.5) + shift;
            }
        }
        return FeatureMatrix.of(values);
    }

    static FeatureSet set(FeatureMatrix features) {
        return new FeatureSet(SPACE, "synthetic", features);
    }
}
