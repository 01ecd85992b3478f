package dev.retort.torch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Times the candidates of {@link Kernels} on this machine, in about two seconds: half a transformer block, trained; what a
 * product costs the op after it; attention on few and on many tokens; a convolution; products with weights in bf16.
 *
 * <p>On two cores of an EPYC (Zen 5), 26 November 2026: with AVX-512 oneDNN through libtorch wins by two to one. Capped to
 * AVX2, in whole training steps of the demo's teacher and of fashion-teacher: BLAS shared out over threads 63 and 504 ms,
 * oneDNN 69 and 554, OpenBLAS's own threads 103 and 632, OpenBLAS on one thread 82 and 778. A probe chooses one of the
 * first two: what long runs showed best is kept unless another is faster by a third.
 */
final class KernelProbe {
    private static final long BUSY_WAIT_MILLIS = 50;
    private static final int LEAST_RUNS = 2;
    /** Threads of a process in its first seconds share a core now and then; a probe does not tell less than this. */
    static final double TELLS = 1.35;

    private KernelProbe() {}

    /**
     * @param kernels the fastest of each kind
     * @param seconds how long it took
     * @param figures GFLOP/s of each candidate in each product, by {@code product kernel}
     */
    record Result(Kernels kernels, double seconds, Map<String, Double> figures) {}

    /** One product: what to run, and how many operations that is. */
    private record Trial(String name, double operations, Runnable run) {}

    /**
     * A kind of kernel: its candidates, the one of them that was best in long runs, trials, and how a candidate is put into
     * a choice.
     */
    private record Race<K extends Kernels.Kernel>(
            List<K> candidates, K favourite, List<Trial> trials, Function<K, Kernels> with) {
        Race(K[] all, K favourite, List<Trial> trials, Function<K, Kernels> with) {
            this(Arrays.stream(all).filter(KernelProbe::possible).toList(), favourite, trials, with);
        }
    }

    static Result measure() {
        try (PlainMath plain = PlainMath.open()) {
            return race();
        }
    }

    private static Result race() {
        long start = System.nanoTime();
        Map<String, Double> figures = new LinkedHashMap<>();
        Kernels none = Kernels.libtorch();
        boolean wide = NativeTuning.handsFloatsToOneDnn();
        var linear = new Race<>(
                Kernels.Linear.values(),
                wide ? Kernels.Linear.LIBTORCH_ONEDNN : Kernels.Linear.SHARED,
                List.of(block(384, 384, 1536), convolutionAfterProduct(4, 32, 32)),
                none::with);
        var half = new Race<>(Kernels.Half.values(), Kernels.Half.ONEDNN, List.of(half(256, 384, 1536)), none::with);
        Kernels.Linear products = fastest(linear, 0.4, figures);
        // Plain attention multiplies by what products are multiplied by.
        var attention = new Race<>(
                Kernels.Attention.values(),
                wide ? Kernels.Attention.PLAIN : Kernels.Attention.SHARED,
                List.of(attention(2, 6, 256, 64), attention(16, 4, 49, 64)),
                none.with(products)::with);
        var convolution = new Race<>(
                Kernels.Convolution.values(),
                Kernels.Convolution.ONEDNN,
                List.of(convolution(8, 32, 32)),
                none.with(products)::with);
        Kernels chosen = new Kernels(
                products,
                fastest(attention, 0.2, figures),
                fastest(convolution, 0.1, figures),
                fastest(half, 0.05, figures),
                // In so young a process Java still interprets them. Compiled, they won or drew with AVX2 and with
                // AVX-512.
                Kernels.Elementwise.FUSED);
        return new Result(chosen, (System.nanoTime() - start) / 1e9, figures);
    }

    /** Whether a kernel can be had here. */
    static boolean possible(Kernels.Kernel kernel) {
        if (kernel == Kernels.Linear.BLAS) {
            return !NativeTuning.handsFloatsToOneDnn();
        } else if (kernel == Kernels.Linear.BLAS_THREADS) {
            return !NativeTuning.handsFloatsToOneDnn() && Natives.threads() > 1;
        } else if (kernel == Kernels.Linear.LIBTORCH_ONEDNN) {
            return NativeTuning.handsFloatsToOneDnn();
        } else if (kernel == Kernels.Linear.ONEDNN) {
            return Natives.hasOneDnn();
        } else if (kernel instanceof Kernels.Convolution convolution) {
            return (Natives.hasOneDnn() || convolution == Kernels.Convolution.BLAS) && RightConvolution.is(convolution);
        } else if (kernel == Kernels.Half.ONEDNN) {
            return PackedProduct.multipliesHalf();
        }
        return true;
    }

    /**
     * The candidate that took least, each trial weighing alike, or the favourite where that is not clearly slower. A turn
     * of half the length comes before, which does not count: it has Java compile and memory mapped.
     */
    private static <K extends Kernels.Kernel> K fastest(Race<K> race, double seconds, Map<String, Double> figures) {
        List<K> candidates = race.candidates;
        double each = seconds / 1.5 / candidates.size() / race.trials.size();
        Map<K, double[]> taken = new LinkedHashMap<>();
        for (double turn : new double[] {each / 2, each}) {
            for (K candidate : candidates) {
                Kernels.attempt(race.with.apply(candidate));
                double[] runs = taken.computeIfAbsent(candidate, k -> new double[race.trials.size()]);
                for (int t = 0; t < runs.length; t++) {
                    runs[t] = time(race.trials.get(t).run, turn);
                }
                settle(candidate);
            }
        }
        taken.forEach((candidate, runs) -> {
            for (int t = 0; t < runs.length; t++) {
                Trial trial = race.trials.get(t);
                figures.put(trial.name + " " + Kernels.text(candidate), trial.operations / runs[t] / 1e9);
            }
        });
        K fastest = candidates.stream()
                .min(Comparator.comparingDouble(candidate -> mean(taken.get(candidate))))
                .orElseThrow();
        double[] favoured = taken.get(race.favourite);
        boolean tells = favoured == null || mean(favoured) > TELLS * mean(taken.get(fastest));
        return tells ? fastest : race.favourite;
    }

    private static double mean(double[] seconds) {
        return Math.exp(Arrays.stream(seconds).map(Math::log).average().orElseThrow());
    }

    /** OpenBLAS's own threads wait busily for some 2^26 cycles; whoever came next would have a core less. */
    private static void settle(Kernels.Kernel before) {
        if (before == Kernels.Linear.BLAS_THREADS) {
            try {
                Thread.sleep(BUSY_WAIT_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * Median seconds of a run, in the second half of so many seconds without a pause. In the first half threads are asleep,
     * on the caller's core often, and Java compiles; and the fastest run of all would flatter threads that wait busily,
     * which once in a while happen to be on no other's core.
     */
    private static double time(Runnable run, double seconds) {
        List<Double> runs = new ArrayList<>();
        long end = System.nanoTime() + (long) (seconds * 1e9);
        while (runs.size() < LEAST_RUNS || System.nanoTime() < end) {
            long start = System.nanoTime();
            try (Scope scope = Scope.open()) {
                run.run();
            }
            runs.add((System.nanoTime() - start) / 1e9);
        }
        return runs.subList(runs.size() / 2, runs.size()).stream()
                .sorted()
                .skip((runs.size() + 1) / 4)
                .findFirst()
                .orElseThrow();
    }

    /**
     * The feed-forward half of a transformer block, trained: modulated norm, product, GELU, product, gate, and a step of
     * the weights. Kernels whose threads wait busily are fast alone and slow here, where libtorch's own threads want the
     * cores for what lies between.
     */
    private static Trial block(int rows, int in, int out) {
        Tensor x = values(rows, in).set_requires_grad(true);
        Tensor m = values(3, in).set_requires_grad(true);
        Tensor first = values(out, in).set_requires_grad(true);
        Tensor bias = values(out).set_requires_grad(true);
        Tensor second = values(in, out).set_requires_grad(true);
        return new Trial("block " + rows + " x " + in + " x " + out, 12.0 * rows * in * out, () -> {
            Tensor normed = Ops.modulatedNorm(x, null, m.narrow(0, 0, 1), m.narrow(0, 1, 1), 1e-6);
            Tensor inner = Ops.linearGeluTanh(normed, first, bias);
            Ops.addcmul(x, m.narrow(0, 2, 1), Ops.linear(inner, second, null))
                    .sum()
                    .backward();
            try (NoGrad off = NoGrad.on()) {
                for (Tensor leaf : List.of(x, m, first, bias, second)) {
                    Ops.addScaledInPlace(leaf, leaf.grad(), -1e-9);
                    leaf.mutable_grad().reset();
                }
            }
        });
    }

    private static Trial attention(int n, int heads, int tokens, int d) {
        Tensor joint = values(n, tokens, 3L * heads * d).set_requires_grad(true);
        return new Trial(
                "attention " + n * heads + " x " + tokens + " x " + d,
                12.0 * n * heads * tokens * tokens * d,
                () -> backward(Ops.attention(joint, heads, 1), joint));
    }

    private static Trial convolution(int n, int channels, int size) {
        Tensor x = values(n, channels, size, size).set_requires_grad(true);
        Tensor w = values(channels, channels, 3, 3).set_requires_grad(true);
        return new Trial(
                "convolution " + n + " x " + channels + " x " + size + "²",
                54.0 * n * channels * channels * size * size,
                () -> backward(Ops.conv2d(x, w, null, 1, 1), x, w));
    }

    /** What threads that wait busily after a product cost the rest of a network, which libtorch's own threads compute. */
    private static Trial convolutionAfterProduct(int n, int channels, int size) {
        Trial convolution = convolution(n, channels, size);
        Tensor x = values(256, 256);
        Tensor w = values(256, 256);
        return new Trial(convolution.name + " after a product", convolution.operations, () -> {
            Ops.linear(x, w, null);
            convolution.run.run();
        });
    }

    /** As in training: gradients go when they are used, so none is added to an earlier one. */
    private static void backward(Tensor value, Tensor... leaves) {
        value.sum().backward();
        for (Tensor leaf : leaves) {
            leaf.mutable_grad().reset();
        }
    }

    private static Trial half(int rows, int in, int out) {
        List<Tensor> packed = new ArrayList<>();
        Tensor weight = Dtype.BF16.cast(values(out, in));
        Tensor bias = Dtype.BF16.cast(values(out));
        Tensor x = values(rows, in);
        if (possible(Kernels.Half.ONEDNN)) {
            packed.add(PackedProduct.pack(weight));
        }
        return new Trial("bf16 " + rows + " x " + in + " x " + out, 2.0 * rows * in * out, () -> {
            try (NoGrad off = NoGrad.on()) {
                if (Kernels.current().half() == Kernels.Half.ONEDNN) {
                    PackedProduct.multiply(Dtype.BF16.cast(x), packed.get(0), bias, "none", null);
                } else {
                    PackedProduct.widened(x, weight, bias);
                }
            }
        });
    }

    /** Values between -1 and 1: which ones does not matter to the time. */
    private static Tensor values(long... shape) {
        return torch.linspace(
                        new Scalar(-1), new Scalar(1), Arrays.stream(shape).reduce(1, (a, b) -> a * b))
                .view(shape);
    }
}
