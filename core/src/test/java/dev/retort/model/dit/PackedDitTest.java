package dev.retort.model.dit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Conditions;
import dev.retort.card.DitSpec;
import dev.retort.model.Condition;
import dev.retort.model.Moment;
import dev.retort.model.Request;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.pipeline.Architectures;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("kernels")
class PackedDitTest {
    private static final int BATCH = 3;
    private static final double[] TIMES = {0, 12.5, 499, 999};

    private static DitSpec spec(boolean modern) {
        return new DitSpec(8, 12, 3, 2, 48, 3, 4, 4, 5, 0.1, true, modern);
    }

    /** A network whose zero-initialised layers are filled too, so that every path counts. */
    private static Dit network(boolean modern) {
        Dit dit = new Dit(spec(modern), Init.of(3, Device.CPU));
        Random random = new Random(5);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            dit.parameters().values().forEach(tensor -> {
                float[] values = new float[(int) tensor.numel()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) (0.1 * random.nextGaussian());
                }
                tensor.add_(Tensors.of(values, Device.CPU, Tensors.shape(tensor)));
            });
        }
        return dit;
    }

    private static Tensor input() {
        Random random = new Random(7);
        float[] values = new float[BATCH * 3 * 8 * 12];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Tensors.of(values, Device.CPU, BATCH, 3, 8, 12);
    }

    private static double relativeError(float[] actual, float[] expected) {
        double error = 0;
        double norm = 0;
        for (int i = 0; i < actual.length; i++) {
            error += Math.pow(actual[i] - expected[i], 2);
            norm += Math.pow(expected[i], 2);
        }
        return Math.sqrt(error / norm);
    }

    private static double errorOf(Dit packed, Dit dit) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            double worst = 0;
            Condition condition = Conditions.classes(4, 1, 4);
            for (double at : TIMES) {
                Tensor time = Tensors.full(at, Device.CPU, BATCH);
                worst = Math.max(
                        worst,
                        relativeError(
                                Tensors.floats(packed.forward(input(), time, condition, Taps.none())),
                                Tensors.floats(dit.forward(input(), time, condition, Taps.none()))));
            }
            return worst;
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void agrees_with_the_network_it_was_made_from_in_fp32(boolean modern) {
        try (Dit dit = network(modern);
                Dit packed = (Dit) Architectures.pack(dit, Precision.FP32)) {
            assertThat(errorOf(packed, dit)).isLessThan(1e-5);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void stays_within_rounding_in_bf16(boolean modern) {
        try (Dit dit = network(modern);
                Dit packed = (Dit) Architectures.pack(dit, Precision.BF16)) {
            assertThat(errorOf(packed, dit)).isBetween(1e-6, 2e-2);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_request_gives_the_same_for_all_of_its_samples_and_for_the_first_of_them(boolean modern) {
        try (Dit dit = network(modern);
                Dit packed = (Dit) Architectures.pack(dit, Precision.FP32);
                Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Request request = packed.open(Moment.at(TIMES), Conditions.classes(4, 1, 4))) {
            for (int step = 0; step < TIMES.length; step++) {
                for (int n = BATCH; n >= 1; n--) {
                    Tensor x = input().narrow(0, 0, n);
                    Tensor time = Tensors.full(TIMES[step], Device.CPU, n);
                    Tensor expected =
                            dit.forward(x, time, Conditions.classes(4, 1, 4).rows(0, n), Taps.none());
                    assertThat(relativeError(Tensors.floats(request.call(step, x)), Tensors.floats(expected)))
                            .isLessThan(1e-5);
                }
            }
        }
    }

    /** What a request answers step by step, waiting before each for whoever takes steps beside it. */
    private static List<float[]> answers(Dit network, double[] times, int[] labels, CyclicBarrier beside)
            throws Exception {
        List<float[]> answers = new ArrayList<>();
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Request request = network.open(Moment.at(times), Conditions.classes(labels))) {
            for (int round = 0; round < 10; round++) {
                for (int step = 0; step < times.length; step++) {
                    beside.await();
                    answers.add(Tensors.floats(request.call(step, input())));
                }
            }
        }
        return answers;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void two_requests_on_one_network_at_the_same_time_do_not_disturb_each_other(boolean modern) throws Exception {
        double[][] times = {TIMES, {3, 700, 12.5, 1}};
        int[][] labels = {{4, 1, 4}, {0, 5, 2}};
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try (Dit dit = network(modern);
                Dit packed = (Dit) Architectures.pack(dit, Precision.FP32)) {
            CyclicBarrier both = new CyclicBarrier(2);
            List<Future<List<float[]>>> together = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                int mine = i;
                together.add(threads.submit(() -> answers(packed, times[mine], labels[mine], both)));
            }
            for (int i = 0; i < 2; i++) {
                List<float[]> alone = answers(packed, times[i], labels[i], new CyclicBarrier(1));
                assertThat(together.get(i).get()).usingRecursiveComparison().isEqualTo(alone);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void hands_out_what_is_tapped_and_it_outlives_the_call(boolean modern) {
        try (Dit dit = network(modern);
                Dit packed = (Dit) Architectures.pack(dit, Precision.FP32);
                Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            List<String> names = List.of("tokens", "blocks.0", "blocks.1", "final_tokens");
            Taps of = Taps.of(names);
            Taps expected = Taps.of(names);
            Tensor time = Tensors.full(TIMES[1], Device.CPU, BATCH);
            Condition condition = Conditions.classes(4, 1, 4);
            packed.forward(input(), time, condition, of);
            dit.forward(input(), time, condition, expected);
            for (String name : names) {
                assertThat(relativeError(Tensors.floats(of.get(name)), Tensors.floats(expected.get(name))))
                        .isLessThan(1e-5);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void lives_on_when_its_origin_is_closed(boolean modern) {
        Dit dit = network(modern);
        try (Dit packed = (Dit) Architectures.pack(dit, Precision.FP32)) {
            double before = sum(packed);
            dit.close();
            assertThat(sum(packed)).isEqualTo(before).isNotZero();
        }
    }

    private static double sum(Dit packed) {
        try (Scope scope = Scope.open()) {
            Condition condition = Conditions.classes(0, 1, 2);
            return packed.forward(input(), Tensors.full(7, Device.CPU, BATCH), condition, Taps.none())
                    .sum()
                    .item_double();
        }
    }
}
