package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class MetricNameTest {
    private static final String INCEPTION = "6726825d" + "0".repeat(56);

    @Test
    void a_name_says_extractor_and_number_of_images() {
        FeatureSpace ours = new FeatureSpace("R20cifar", "12fca82f" + "0".repeat(56), "imagenet", 64);
        assertThat(MetricName.frechet(ours, 10_000)).hasToString("FD-R20cifar@10k");
        assertThat(MetricName.frechet(ours, 1000)).hasToString("FD-R20cifar@1000");
        assertThat(MetricName.kernel(ours, 12_345)).hasToString("KD-R20cifar@12345");
        assertThat(MetricName.classifierScore(ours, 50_000)).hasToString("CS-R20cifar@50k");
    }

    @Test
    void fid_is_printed_for_the_fid_weights_and_for_no_others() {
        FeatureSpace inception = new FeatureSpace("inception-2015-12-05", INCEPTION, "tf1 bilinear 299", 2048);
        assertThat(MetricName.frechet(inception, 50_000)).hasToString("FID@50k");
        assertThat(MetricName.kernel(inception, 50_000)).hasToString("KID@50k");
        FeatureSpace pretender = new FeatureSpace("inception-2015-12-05", "ab".repeat(32), "tf1 bilinear 299", 2048);
        assertThatThrownBy(() -> MetricName.frechet(pretender, 50_000)).hasMessageContaining("6726825d");
        FeatureSpace trick = new FeatureSpace("FID", "ab".repeat(32), "none", 64);
        assertThatThrownBy(() -> MetricName.frechet(trick, 50_000)).hasMessageContaining("FID");
        FeatureSpace otherLayer = new FeatureSpace("Inception64", INCEPTION, "tf1 bilinear 299", 64);
        assertThatThrownBy(() -> MetricName.frechet(otherLayer, 50_000)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_space_without_a_hash_is_refused() {
        assertThatThrownBy(() -> new FeatureSpace("x", "", "none", 4)).hasMessageContaining("weightsSha256");
        assertThatThrownBy(() -> new FeatureSpace("a b", "ab".repeat(32), "none", 4))
                .hasMessageContaining("a b");
    }
}
