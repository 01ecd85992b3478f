package dev.retort.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LanesTest {
    @BeforeEach
    void several_threads() {
        assumeTrue(Natives.threads() > 1, "there is one thread only");
    }

    @Test
    void every_sample_is_computed_once_in_its_place_on_a_thread_that_shares_nothing_out() {
        Map<Thread, Integer> threads = new ConcurrentHashMap<>();
        int before = torch.get_num_threads();
        try (Scope scope = Scope.open()) {
            Tensor x = torch.randn(5, 3);
            Tensor y = torch.randn(5, 3);
            Tensor sum = Lanes.run(
                    in -> {
                        threads.put(Thread.currentThread(), torch.get_num_threads());
                        return in[0].add(in[1]);
                    },
                    x,
                    y);
            assertThat(Tensors.floats(sum)).containsExactly(Tensors.floats(x.add(y)));
        }
        assertThat(threads).hasSizeBetween(1, Math.min(5, Natives.threads()));
        assertThat(Set.copyOf(threads.values())).containsExactly(1);
        assertThat(torch.get_num_threads()).isEqualTo(before);
    }

    @Test
    void a_failure_reaches_the_caller_and_the_next_batch_is_computed() {
        try (Scope scope = Scope.open()) {
            Tensor x = torch.ones(4);
            assertThatThrownBy(() -> Lanes.run(
                            in -> {
                                throw new IllegalArgumentException("no");
                            },
                            x))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("no");
            assertThat(Tensors.floats(Lanes.run(in -> in[0].add(in[0]), x))).containsOnly(2);
        }
    }

    @Test
    void two_callers_at_once_both_get_theirs() throws Exception {
        Function<Tensor[], Tensor> slow = in -> {
            Tensor y = in[0];
            for (int i = 0; i < 200; i++) {
                y = Ops.add(y, 1);
            }
            return y;
        };
        Map<Integer, float[]> results = new ConcurrentHashMap<>();
        Thread[] callers = new Thread[2];
        for (int i = 0; i < callers.length; i++) {
            int index = i;
            callers[i] = new Thread(() -> {
                for (int round = 0; round < 20; round++) {
                    try (Scope scope = Scope.open();
                            NoGrad off = NoGrad.on()) {
                        results.put(index, Tensors.floats(Lanes.run(slow, Tensors.full(index, Device.CPU, 6))));
                    }
                }
            });
            callers[i].start();
        }
        for (Thread caller : callers) {
            caller.join();
        }
        assertThat(results.get(0)).hasSize(6).containsOnly(200);
        assertThat(results.get(1)).hasSize(6).containsOnly(201);
    }

    @Test
    void one_sample_is_not_worth_it_and_two_are() {
        try (Scope scope = Scope.open()) {
            Kernels before = Kernels.current();
            try {
                Kernels.use(Kernels.parse("linear=shared"), "a test");
                assertThat(Lanes.worth(torch.ones(1, 8))).isFalse();
                assertThat(Lanes.worth(torch.ones(2, 8))).isTrue();
            } finally {
                Kernels.use(before, "as before the test");
            }
        }
    }
}
