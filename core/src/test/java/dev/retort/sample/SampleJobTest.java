package dev.retort.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.retort.card.DitSpec;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Prediction;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.Condition;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Network;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SampleJobTest {
    private static final ProcessSpec PROCESS = ProcessSpec.of("linear", Prediction.EPSILON, 0);

    /** A network that does what a test wants it to. */
    private static final class Scripted extends Network {
        private final UnaryOperator<Tensor> output;

        Scripted(UnaryOperator<Tensor> output) {
            this.output = output;
            try (Scope scope = Scope.open()) {
                buffer("where", Tensors.zeros(Device.CPU, 1)); // tells the device
            }
        }

        @Override
        public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
            return output.apply(x);
        }

        @Override
        public NetworkSpec spec() {
            return new DitSpec(8, 8, 1, 2, 16, 1, 2, 2, 3, 0.1, false, false);
        }

        @Override
        public void recompute(boolean on) {}
    }

    private static void refused(UnaryOperator<Tensor> network, int images, int batch, Kind kind, String... words) {
        SamplingSpec spec = SamplingSpec.of("ddim", 2, 1);
        try (Scripted scripted = new Scripted(network)) {
            Sampler sampler = new Sampler(
                    scripted,
                    new LabelConditioner(scripted.spec().condition()),
                    SamplingPlan.of(PROCESS.process(), spec, false),
                    spec.guidance(999),
                    Precision.FP32);
            assertThatThrownBy(() -> new SampleJob(sampler, 0, batch)
                            .sample(
                                    new Prompts.Labels(new int[images]),
                                    (done, total, text) -> {},
                                    (first, pixels, n) -> fail("nothing may be drawn")))
                    .isInstanceOfSatisfying(
                            RetortException.class, e -> assertThat(e.kind()).isEqualTo(kind))
                    .hasMessageContainingAll(words);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
    void values_that_are_no_numbers_are_refused_and_not_drawn_as_black(double value) {
        refused(x -> Ops.add(Ops.mul(x, 0), value), 3, 2, Kind.CHECKPOINT, "image 0 has the value", "statistics");
    }

    @Test
    void a_native_allocation_that_fails_is_exhausted_memory() {
        refused(
                x -> {
                    throw new RuntimeException(
                            "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't"
                                    + " allocate memory: you tried to allocate 614400000 bytes.\nframe #0: c10::Throw");
                },
                1,
                1,
                Kind.MEMORY,
                "memory ran out while drawing 1 images at once");
    }

    @Test
    void a_batch_larger_than_any_array_is_refused_before_it_is_begun() {
        int images = Integer.MAX_VALUE / 64 + 1;
        refused(x -> fail("nothing may be computed"), images, images, Kind.MEMORY, "a batch of " + images, "at once");
    }
}
