package dev.retort.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TorchPackageTest {
    @Test
    void values_cross_and_come_back() {
        try (Scope scope = Scope.open()) {
            Tensor tensor = Tensors.of(new float[] {1, 2, 3, 4, 5, 6}, Device.CPU, 2, 3);
            assertThat(Tensors.floats(tensor.t())).containsExactly(1, 4, 2, 5, 3, 6);
            assertThat(Tensors.shape(tensor)).containsExactly(2, 3);
        }
    }

    @Test
    void a_scope_frees_its_tensors_but_those_kept_or_escaped() {
        Tensor kept;
        Tensor escaped;
        Tensor lost;
        try (Scope outer = Scope.open()) {
            try (Scope inner = Scope.open()) {
                lost = Tensors.full(1, Device.CPU, 3);
                kept = inner.keep(Tensors.full(2, Device.CPU, 3));
                escaped = inner.escape(Tensors.full(3, Device.CPU, 3));
            }
            assertThat(lost.isNull()).isTrue();
            assertThat(Tensors.floats(escaped)).containsExactly(3, 3, 3);
        }
        assertThat(escaped.isNull()).isTrue();
        assertThat(Tensors.floats(kept)).containsExactly(2, 2, 2);
        kept.close();
        assertThat(kept.isNull()).isTrue();
    }

    @Test
    void boxed_calls_reach_ops_the_presets_do_not_map() {
        try (Scope scope = Scope.open()) {
            Tensor a = Tensors.full(1, Device.CPU, 2);
            Tensor b = Tensors.full(3, Device.CPU, 2);
            Boxed.call("aten::_foreach_lerp_", "Scalar", List.of(a), List.of(b), 0.25);
            assertThat(Tensors.floats(a)).containsExactly(1.5f, 1.5f);
            Tensor[] sum = Boxed.call("aten::add", "Tensor", a, b, 2.0);
            assertThat(Tensors.floats(sum[0])).containsExactly(7.5f, 7.5f);
            assertThat(Ops.norm(List.of(b, b))).isCloseTo(6.0, org.assertj.core.data.Offset.offset(1e-5));
        }
    }

    @Test
    void grad_mode_and_autocast_are_restored() {
        try (Scope scope = Scope.open()) {
            try (NoGrad off = NoGrad.on();
                    Autocast bf16 = Autocast.to(Precision.BF16, Device.CPU)) {
                assertThat(Autocast.isOn(Device.CPU)).isTrue();
                Tensor product = Ops.matmul(Tensors.zeros(Device.CPU, 2, 2), Tensors.zeros(Device.CPU, 2, 2));
                assertThat(Dtype.of(product)).isEqualTo(Dtype.BF16);
            }
            assertThat(Autocast.isOn(Device.CPU)).isFalse();
            assertThat(org.bytedeco.pytorch.GradMode.is_enabled()).isTrue();
        }
    }

    @Test
    void autocast_does_not_use_weights_from_before_an_update() {
        try (Scope scope = Scope.open()) {
            Tensor w = Tensors.full(1, Device.CPU, 1, 1).set_requires_grad(true);
            Tensor x = Tensors.full(1, Device.CPU, 1, 1);
            float[] seen = new float[2];
            for (int i = 0; i < 2; i++) {
                try (Autocast bf16 = Autocast.to(Precision.BF16, Device.CPU)) {
                    seen[i] = Tensors.floats(Ops.linear(x, w, null))[0];
                }
                try (NoGrad off = NoGrad.on()) {
                    Ops.fill(w, 5);
                }
            }
            assertThat(seen).containsExactly(1, 5);
        }
    }

    @Test
    void checkpointed_gradients_equal_plain_ones() {
        try (Scope scope = Scope.open()) {
            Tensor w = Tensors.of(new float[] {0.3f, -0.2f, 0.5f, 0.7f}, Device.CPU, 2, 2)
                    .set_requires_grad(true);
            Tensor x =
                    Tensors.of(new float[] {1, 2, -1, 0.5f}, Device.CPU, 2, 2).set_requires_grad(true);
            Tensor c = Tensors.of(new float[] {0.1f, 0.9f}, Device.CPU, 2).set_requires_grad(true);
            java.util.function.Function<Tensor[], Tensor[]> block = in -> {
                Tensor h = Ops.silu(Ops.linear(in[0], w, null)).add(in[1]);
                return new Tensor[] {Ops.silu(Ops.linear(h, w, null)), h.mul(h)};
            };
            float[][] gradients = new float[2][];
            for (int i = 0; i < 2; i++) {
                Tensor[] out = i == 0 ? block.apply(new Tensor[] {x, c}) : Checkpointing.run(Device.CPU, block, x, c);
                Tensor loss = out[0].mul(x).sum().add(Ops.mul(out[1].sum(), 0.3));
                loss.backward();
                gradients[i] = Tensors.floats(Ops.cat(
                        0, w.grad().flatten(), x.grad().flatten(), c.grad().flatten()));
                w.mutable_grad().zero_();
                x.mutable_grad().zero_();
                c.mutable_grad().zero_();
            }
            assertThat(gradients[0]).hasSize(10).doesNotContain(0f);
            assertThat(gradients[1]).containsExactly(gradients[0]);
        }
    }

    @Test
    void checkpointing_reaches_parameters_when_no_input_wants_a_gradient() {
        try (Scope scope = Scope.open()) {
            Tensor w = Tensors.of(new float[] {2}, Device.CPU, 1).set_requires_grad(true);
            Tensor x = Tensors.of(new float[] {3}, Device.CPU, 1);
            Tensor[] out = Checkpointing.run(Device.CPU, in -> new Tensor[] {in[0].mul(w)}, x);
            out[0].sum().backward();
            assertThat(Tensors.floats(w.grad())).containsExactly(3);
        }
    }

    @Test
    void a_native_failure_becomes_one_line_without_frames() {
        try (Scope scope = Scope.open()) {
            assertThatThrownBy(() -> Ops.matmul(Tensors.zeros(Device.CPU, 2, 3), Tensors.zeros(Device.CPU, 2, 3)))
                    .isInstanceOf(RuntimeException.class)
                    .satisfies(e -> assertThat(TorchError.translate((RuntimeException) e, "multiplying", "")
                                    .getMessage())
                            .contains("multiplying", "shapes cannot be multiplied")
                            .doesNotContain("\n", "frame"));
        }
    }

    @Test
    void a_wrong_shape_is_a_fault_of_ours_and_none_of_the_machine() {
        try (Scope scope = Scope.open()) {
            assertThatThrownBy(() -> Ops.matmul(Tensors.zeros(Device.CPU, 4, 5), Tensors.zeros(Device.CPU, 4, 5)))
                    .satisfies(e -> assertThat(TorchError.translate((RuntimeException) e, "multiplying", ""))
                            .isNotInstanceOf(RetortException.class));
        }
        IllegalStateException ours = new IllegalStateException("tap x did not fire");
        assertThat(TorchError.translate(ours, "multiplying", "")).isSameAs(ours);
    }

    @Test
    void an_allocation_that_fails_is_told_as_such() {
        try (Scope scope = Scope.open()) {
            for (long[] shape : new long[][] {{1L << 45}, {1L << 40, 1L << 40}}) {
                assertThatThrownBy(() -> Tensors.zeros(Device.CPU, shape))
                        .satisfies(e -> assertThat(TorchError.translate((RuntimeException) e, "filling", "take fewer"))
                                .isInstanceOfSatisfying(RetortException.class, known -> assertThat(known.kind())
                                        .isEqualTo(Kind.MEMORY))
                                .hasMessage("memory ran out while filling; take fewer"));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "std::bad_alloc",
                "CUDA out of memory. Tried to allocate 2.00 GiB",
                "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to"
                        + " allocate 8 bytes. Error code 12 (Cannot allocate memory)",
                "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
                "CUDA error: out of memory"
            })
    void every_way_to_say_that_memory_ran_out_is_understood(String message) {
        RuntimeException wrapped = new IllegalStateException("loading failed", new RuntimeException(message));
        assertThat(TorchError.translate(wrapped, "loading", "take fewer"))
                .isInstanceOfSatisfying(
                        RetortException.class, known -> assertThat(known.kind()).isEqualTo(Kind.MEMORY));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CUDA error: no kernel image is available for execution on the device",
                "Found no NVIDIA driver on your system",
                "mkldnn_bf16_gemm: needs the cpu support avx512bw"
            })
    void what_the_machine_lacks_is_told_as_such(String message) {
        assertThat(TorchError.translate(new RuntimeException(message), "training", ""))
                .isInstanceOfSatisfying(
                        RetortException.class, known -> assertThat(known.kind()).isEqualTo(Kind.ENVIRONMENT));
    }

    @Test
    void devices_and_precisions_explain_their_choice_and_refuse_the_unknown() {
        assertThat(Device.choose("cpu").device()).isEqualTo(Device.CPU);
        assertThatThrownBy(() -> Device.choose("tpu")).hasMessageContaining("device tpu is unknown");
        assertThat(Precision.choose("auto", Device.CPU).reason()).isNotBlank();
        assertThatThrownBy(() -> Precision.choose("fp8", Device.CPU)).hasMessageContaining("fp8");
        if (!torch.cuda_is_available()) {
            assertThatThrownBy(() -> Device.choose("cuda:0")).hasMessageContaining("retort doctor");
        }
    }
}
