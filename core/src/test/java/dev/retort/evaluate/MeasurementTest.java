package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.ProcessSpec;
import dev.retort.error.RetortException;
import dev.retort.report.Progress;
import dev.retort.torch.Precision;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MeasurementTest {
    @TempDir
    Path temp;

    @Test
    void each_model_is_measured_in_a_process_of_its_own() {
        Candidate large = TinyWorld.candidate(TinyWorld.model(temp.resolve("large"), 8, 256, ProcessSpec.flow()));
        Candidate small = TinyWorld.candidate(TinyWorld.model(temp.resolve("small"), 1, 16, ProcessSpec.flow()));
        Map<Candidate, Cost> costs =
                new Measurement(16, 3, 1, "cpu", Precision.FP32, 1).of(List.of(large, small), Progress.NONE);
        Cost dear = costs.get(large);
        Cost cheap = costs.get(small);
        assertThat(dear.speedUp()).isEqualTo(1);
        assertThat(cheap.speedUp()).isGreaterThan(2);
        assertThat(cheap.imagesPerSecond()).isGreaterThan(dear.imagesPerSecond());
        assertThat(cheap.networkCalls()).isEqualTo(12);
        assertThat(dear.parameters()).isGreaterThan(4_000_000);
        // the weights alone are 4 bytes each
        assertThat(dear.peakBytes()).isGreaterThan(4 * dear.parameters());
        // and none of them is in the other's figure, which is chance alone: some megabytes of what Java and libtorch
        // hold
        assertThat(dear.peakBytes() - cheap.peakBytes()).isGreaterThan(4 * dear.parameters());
    }

    @Test
    void a_process_that_dies_is_one_sentence_with_its_cause() throws Exception {
        Path model = TinyWorld.model(temp.resolve("broken"), 1, 16, ProcessSpec.flow());
        Candidate candidate = TinyWorld.candidate(model);
        Files.write(model.resolve("model.safetensors"), new byte[] {1, 2, 3});
        assertThatThrownBy(
                        () -> new Measurement(4, 1, 1, "cpu", Precision.FP32, 1).of(List.of(candidate), Progress.NONE))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("broken died")
                .hasMessageContaining("it is neither safetensors");
    }

    @Test
    void the_median_of_an_even_number_lies_between_the_middle_two() {
        assertThat(Measurement.median(new double[] {4, 1, 3, 2})).isEqualTo(2.5);
        assertThat(Measurement.median(new double[] {9, 1, 3})).isEqualTo(3);
    }
}
