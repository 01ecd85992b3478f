package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.DitSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.evaluate.BenchmarkRow.Speed;
import dev.retort.export.OnnxExport;
import dev.retort.io.Dtype;
import dev.retort.onnx.OnnxWriter;
import dev.retort.report.Progress;
import dev.retort.torch.Precision;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelBenchmarkTest {
    @TempDir
    Path temp;

    private Variant torch;
    private Variant onnx;

    @BeforeEach
    void forms() {
        DitSpec spec = new DitSpec(8, 8, 3, 2, 16, 1, 2, 2, 2, 0.1, false, false);
        Candidate candidate = TinyWorld.candidate(TinyWorld.model(temp.resolve("model"), spec, ProcessSpec.flow()));
        Path file = temp.resolve("model.onnx");
        new OnnxExport(List.of(candidate.sampling()), false, Dtype.F32, OnnxWriter.MOST_INSIDE)
                .write(candidate.model(), file);
        torch = new Variant("fp32", Engine.LIBTORCH, candidate, Precision.FP32, candidate.model(), 0);
        onnx = new Variant("fp32", Engine.ONNX_RUNTIME, candidate, Precision.FP32, file, 0);
    }

    private static byte[] images(Variant variant) {
        Candidate candidate = variant.candidate();
        SampleSet samples =
                SampleSet.of(candidate.card().classes(), 5, candidate.card().images());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ImageGenerator generator = variant.open(3, 2)) {
            generator.draw(samples, Progress.NONE).forEachBatch(batch -> bytes.writeBytes(batch.pixels()));
        }
        return bytes.toByteArray();
    }

    @Test
    void both_engines_draw_the_same_images_channel_by_channel() {
        byte[] expected = images(torch);
        byte[] found = images(onnx);
        assertThat(found).hasSize(5 * 3 * 64).hasSameSizeAs(expected);
        for (int i = 0; i < found.length; i++) {
            assertThat(found[i] & 0xFF).isCloseTo(expected[i] & 0xFF, within(1));
        }
    }

    @Test
    void both_engines_are_measured_in_processes_of_their_own_that_do_not_load_each_other() {
        List<Measurement.Found> found = new Measurement(2, 2, 1, "cpu", Precision.FP32, 1)
                .inTurn(List.of("a", "b"), List.of(torch.request(2, 1), onnx.request(2, 1)), Progress.NONE);
        for (Measurement.Found one : found) {
            assertThat(one.secondsPerImage()).hasSize(2);
            assertThat(one.median()).isPositive();
        }
        assertThat(found.get(1).peakBytes()).isBetween(1L << 20, found.get(0).peakBytes());
    }

    @Test
    void the_error_of_pixels_is_relative_to_the_others_and_psnr_to_255() {
        byte[] others = {0, (byte) 255};
        PixelAgreement agreement = PixelAgreement.between(new byte[] {0, (byte) 250}, others);
        assertThat(agreement.error()).isCloseTo(5 / (127.5 * Math.sqrt(2)), within(1e-12));
        assertThat(agreement.psnr()).isCloseTo(37.162, within(1e-3)); // 10 log10(65025 / 12.5)
        assertThat(PixelAgreement.between(others, others).psnr()).isInfinite();
    }

    private static BenchmarkRow row(String name, double seconds, double distance, double error) {
        Speed speed = new Speed(1, seconds, 1, 1, 1);
        Map<String, Double> distances = Double.isNaN(distance) ? Map.of() : Map.of("FD-a@10", distance);
        return new BenchmarkRow(name, Engine.LIBTORCH, 1, speed, distances, error, null, name.startsWith("int8"), null);
    }

    private static final BenchmarkRow FAILED =
            new BenchmarkRow("w4", Engine.ONNX_RUNTIME, 0, null, Map.of(), null, null, false, "no such file");

    @Test
    void the_fastest_is_the_one_whose_distances_grow_by_no_more_than_the_budget() {
        List<BenchmarkRow> rows =
                List.of(row("fp32", 3, 10, 0), row("bf16", 2, 10.2, 0.5), row("int8-static", 1, 10.3, 0.01), FAILED);
        assertThat(ModelBenchmark.fastest(rows, 0.02).orElseThrow().name()).isEqualTo("bf16");
        assertThat(ModelBenchmark.fastest(rows, 0.03).orElseThrow().name()).isEqualTo("int8-static");
        assertThat(ModelBenchmark.fastest(rows, 0).orElseThrow().name()).isEqualTo("fp32");
    }

    @Test
    void without_distances_the_error_of_pixels_is_held_against_the_budget() {
        List<BenchmarkRow> rows = List.of(
                row("fp32", 3, Double.NaN, 0), row("bf16", 2, Double.NaN, 0.01), row("w4", 1, Double.NaN, 0.1), FAILED);
        assertThat(ModelBenchmark.fastest(rows, 0.02).orElseThrow().text()).isEqualTo("bf16 in libtorch");
    }

    @Test
    void eight_bits_that_are_slower_than_fp32_are_said_to_be() {
        assertThat(ModelBenchmark.slower(List.of(row("fp32", 0.002, 1, 0), row("int8-static", 0.003, 1, 0), FAILED)))
                .containsExactly("int8-static in libtorch is slower here than fp32: 3.00 ms an image, fp32 2.00 ms");
        assertThat(ModelBenchmark.slower(List.of(row("fp32", 3, 1, 0), row("int8-static", 2, 1, 0), FAILED)))
                .isEmpty();
    }
}
