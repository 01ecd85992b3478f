package dev.retort.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Plain;
import dev.retort.torch.Dtype;
import dev.retort.torch.ExactMath;
import dev.retort.torch.Kernels;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.function.BiPredicate;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention beside its formula in double. */
@Tag("kernels")
class AttendTest {
    private static final int N = 2;
    private static final int HEADS = 3;
    private static final int WIDTH = 5;
    private static final double SCALE = 1 / Math.sqrt(WIDTH);

    private Scope scope;
    private Kernels before;

    @BeforeEach
    void begin() {
        scope = Scope.open();
        before = Kernels.current();
    }

    @AfterEach
    void end() {
        Kernels.use(before, "a test");
        scope.close();
    }

    /** q (N, heads, T, d), k and v (N, heads, S, d) → (N, T, heads·d); {@code sees} takes (sample, query·S + key). */
    private static double[] attention(
            double[] q, double[] k, double[] v, int keys, BiPredicate<Integer, Integer> sees) {
        int queries = q.length / (N * HEADS * WIDTH);
        double[] out = new double[q.length];
        for (int head = 0; head < N * HEADS; head++) {
            for (int i = 0; i < queries; i++) {
                double[] weight = new double[keys];
                double sum = 0;
                for (int j = 0; j < keys; j++) {
                    double score = 0;
                    for (int c = 0; c < WIDTH; c++) {
                        score += q[(head * queries + i) * WIDTH + c] * k[(head * keys + j) * WIDTH + c];
                    }
                    weight[j] = sees.test(head / HEADS, i * keys + j) ? Math.exp(SCALE * score) : 0;
                    sum += weight[j];
                }
                for (int c = 0; c < WIDTH; c++) {
                    double mixed = 0;
                    for (int j = 0; j < keys; j++) {
                        mixed += weight[j] / sum * v[(head * keys + j) * WIDTH + c];
                    }
                    out[((head / HEADS * queries + i) * HEADS + head % HEADS) * WIDTH + c] = mixed;
                }
            }
        }
        return out;
    }

    private static double[] random(int seed, int tokens) {
        return Plain.normal(seed, 1, N * HEADS * tokens * WIDTH);
    }

    private static Tensor tensor(double[] values, int tokens) {
        return Plain.tensor(values, N, HEADS, tokens, WIDTH);
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "fused", "shared"})
    void queries_look_at_the_keys_that_a_mask_leaves_them(String kernel) {
        Kernels.use(Kernels.parse("attention=" + kernel), "a test");
        int queries = 4;
        int keys = 6;
        double[] q = random(1, queries);
        double[] k = random(2, keys);
        double[] v = random(3, keys);
        Tensor counts = Ops.greater(Plain.tensor(new double[] {1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1}, N, keys), 0.5);
        boolean[] count = {true, true, true, true, false, false, true, false, false, false, false, true};
        for (boolean recorded : new boolean[] {false, true}) {
            try (NoGrad off = recorded ? null : NoGrad.on()) {
                Tensor tq = tensor(q, queries);
                Tensor tk = tensor(k, keys);
                Tensor tv = tensor(v, keys);
                Tensor all = Attend.of(tq, tk, tv, Attend.Mask.NONE, SCALE);
                assertThat(Tensors.shape(all)).containsExactly(N, queries, HEADS * WIDTH);
                assertThat(Plain.error(Plain.values(all), attention(q, k, v, keys, (n, at) -> true)))
                        .isLessThan(1e-5);
                assertThat(Plain.error(
                                Plain.values(Attend.of(tq, tk, tv, Attend.Mask.keys(counts), SCALE)),
                                attention(q, k, v, keys, (n, at) -> count[n * keys + at % keys])))
                        .isLessThan(1e-5);
                assertThat(Plain.error(
                                Plain.values(Attend.of(tq, tk, tv, Attend.Mask.CAUSAL, SCALE)),
                                attention(q, k, v, keys, (n, at) -> at % keys <= at / keys)))
                        .isLessThan(1e-5);
            }
        }
        try (NoGrad off = NoGrad.on()) {
            Tensor half = Attend.of(
                    Dtype.BF16.cast(tensor(q, queries)),
                    Dtype.BF16.cast(tensor(k, keys)),
                    Dtype.BF16.cast(tensor(v, keys)),
                    Attend.Mask.CAUSAL,
                    SCALE);
            assertThat(Plain.error(Plain.values(half), attention(q, k, v, keys, (n, at) -> at % keys <= at / keys)))
                    .isLessThan(2e-2);
        }
    }

    @Test
    void one_projection_holds_queries_keys_and_values() {
        int tokens = 4;
        double[][] parts = {random(1, tokens), random(2, tokens), random(3, tokens)};
        double[] joint = new double[3 * parts[0].length];
        for (int i = 0; i < joint.length; i++) {
            int c = i % WIDTH;
            int head = i / WIDTH % HEADS;
            int part = i / (WIDTH * HEADS) % 3;
            int token = i / (WIDTH * HEADS * 3) % tokens;
            int n = i / (WIDTH * HEADS * 3 * tokens);
            joint[i] = parts[part][((n * HEADS + head) * tokens + token) * WIDTH + c];
        }
        Tensor found = Attend.self(Plain.tensor(joint, N, tokens, 3 * HEADS * WIDTH), HEADS, SCALE);
        assertThat(Plain.error(Plain.values(found), attention(parts[0], parts[1], parts[2], tokens, (n, at) -> true)))
                .isLessThan(1e-5);
    }

    @ParameterizedTest
    @CsvSource({"plain, false", "plain, true", "shared, false", "shared, true"})
    void many_queries_go_in_tiles_or_portions_and_a_causal_mask_goes_with_them(String kernel, boolean causal) {
        Kernels.use(Kernels.parse("attention=" + kernel), "a test");
        int queries = 2000;
        int keys = 1900; // 22.8 million scores
        double[] q = random(1, queries);
        double[] k = random(2, keys);
        double[] v = random(3, keys);
        try (NoGrad off = NoGrad.on()) {
            Tensor found = Attend.of(
                    tensor(q, queries),
                    tensor(k, keys),
                    tensor(v, keys),
                    causal ? Attend.Mask.CAUSAL : Attend.Mask.NONE,
                    SCALE);
            assertThat(Plain.error(
                            Plain.values(found),
                            attention(q, k, v, keys, (n, at) -> !causal || at % keys <= at / keys)))
                    .isLessThan(1e-5);
        }
    }

    @Test
    void exact_math_gives_the_same_and_the_same_gradient() {
        Kernels.use(Kernels.parse("linear=shared,attention=shared,elementwise=fused"), "a test");
        Tensor q = tensor(random(1, 4), 4).set_requires_grad(true);
        Tensor k = tensor(random(2, 6), 6);
        Tensor v = tensor(random(3, 6), 6);
        Tensor shared = Attend.of(q, k, v, Attend.Mask.NONE, SCALE);
        Ops.mul(shared, shared).sum().backward();
        double[] gradient = Plain.values(q.grad());
        q.grad().zero_();
        try (ExactMath exact = ExactMath.on()) {
            Tensor plain = Attend.of(q, k, v, Attend.Mask.NONE, SCALE);
            assertThat(Plain.error(Plain.values(Ops.detach(shared)), Plain.values(Ops.detach(plain))))
                    .isLessThan(1e-5);
            Ops.mul(plain, plain).sum().backward();
        }
        assertThat(Plain.error(gradient, Plain.values(q.grad()))).isLessThan(1e-5);
    }
}
