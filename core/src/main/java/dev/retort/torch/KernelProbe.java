package dev.retort.torch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Times the candidates of {@link Kernels} on this machine, within two seconds: forward and backward of a small and of a
 * large product, of attention on few and on many tokens, of a convolution, and products with weights in bf16. Candidates
 * take turns, so that a busy neighbour meets all of them; the fastest turn of each counts.
 *
 * <p>On two cores of an EPYC (Zen 5), 26 November 2026: with AVX-512 oneDNN through libtorch wins by two to one; capped to
 * AVX2, BLAS shared out over threads (168 to 196 GFLOP/s, MKL 160 to 172), by far in attention on 49 tokens (120 to 44).
 */
final class KernelProbe {
    private static final double SECONDS = 1.8;
    private static final int MOST_TURNS = 4;
    private static final long BUSY_WAIT_MILLIS = 50;
    /** A turn of a small product is many runs of it. */
    private static final double TURN_SECONDS = 0.004;

    private static final int LEAST_RUNS = 4;

    private KernelProbe() {}

    /**
     * @param kernels the fastest of each kind
     * @param seconds how long it took
     * @param figures GFLOP/s of each candidate in each product, by {@code product kernel}
     */
    record Result(Kernels kernels, double seconds, Map<String, Double> figures) {}

    /** One product: what to run, and how many operations that is. */
    private record Trial(String name, double operations, Runnable run) {}

    /** A kind of kernel: its candidates, its trials, and how a candidate is put into a choice. */
    private record Race<K extends Kernels.Kernel>(List<K> candidates, List<Trial> trials, Function<K, Kernels> with) {
        Race(K[] all, List<Trial> trials, Function<K, Kernels> with) {
            this(Arrays.stream(all).filter(KernelProbe::possible).toList(), trials, with);
        }
    }

    /** Whoever needs a kernel first may have gradients off or bf16 on; the measurement has it its own way. */
    static Result measure() {
        boolean recording = GradMode.is_enabled();
        try (Scope scope = Scope.open();
                Autocast plain = Autocast.to(Precision.FP32, Device.CPU)) {
            GradMode.set_enabled(true);
            return race();
        } finally {
            GradMode.set_enabled(recording);
        }
    }

    private static Result race() {
        long start = System.nanoTime();
        Map<String, Double> figures = new LinkedHashMap<>();
        Kernels none = Kernels.libtorch();
        var linear = new Race<>(
                Kernels.Linear.values(),
                List.of(linear(512, 192, 768), linear(512, 384, 1536)),
                k -> new Kernels(k, none.attention(), none.convolution(), none.half()));
        var half = new Race<>(
                Kernels.Half.values(),
                List.of(half(256, 384, 1536)),
                k -> new Kernels(none.linear(), none.attention(), none.convolution(), k));
        double share = SECONDS / 3;
        Kernels.Linear products = fastest(linear, 1.6 * share, figures);
        // Plain attention multiplies by what products are multiplied by.
        var attention = new Race<>(
                Kernels.Attention.values(),
                List.of(attention(4, 6, 256, 64), attention(32, 4, 49, 64)),
                k -> new Kernels(products, k, none.convolution(), none.half()));
        var convolution = new Race<>(
                Kernels.Convolution.values(),
                List.of(convolution(8, 32, 32)),
                k -> new Kernels(products, none.attention(), k, none.half()));
        Kernels chosen = new Kernels(
                products,
                fastest(attention, 0.8 * share, figures),
                fastest(convolution, 0.3 * share, figures),
                fastest(half, 0.3 * share, figures));
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
        } else if (kernel == Kernels.Linear.ONEDNN
                || kernel == Kernels.Convolution.ONEDNN
                || kernel == Kernels.Convolution.ONEDNN_CHANNELS_LAST) {
            return Natives.hasOneDnn();
        } else if (kernel == Kernels.Half.ONEDNN) {
            return PackedProduct.multipliesHalf();
        }
        return true;
    }

    /** The candidate whose turns took least, each product weighing alike. */
    private static <K extends Kernels.Kernel> K fastest(Race<K> race, double seconds, Map<String, Double> figures) {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        double[][] best = new double[race.candidates.size()][race.trials.size()];
        for (double[] of : best) {
            Arrays.fill(of, Double.MAX_VALUE);
        }
        for (int turn = 0; turn < MOST_TURNS && (turn == 0 || System.nanoTime() < end); turn++) {
            for (int c = 0; c < best.length; c++) {
                settle(c == 0 ? race.candidates.get(best.length - 1) : race.candidates.get(c - 1));
                Kernels.attempt(race.with.apply(race.candidates.get(c)));
                for (int t = 0; t < best[c].length; t++) {
                    Trial trial = race.trials.get(t);
                    best[c][t] = Math.min(best[c][t], time(trial.run));
                    figures.put(
                            trial.name + " " + Kernels.text(race.candidates.get(c)),
                            trial.operations / best[c][t] / 1e9);
                }
            }
        }
        int fastest = 0;
        for (int c = 1; c < best.length; c++) {
            double ratio = 1;
            for (int t = 0; t < best[c].length; t++) {
                ratio *= best[c][t] / best[fastest][t];
            }
            fastest = ratio < 1 ? c : fastest;
        }
        return race.candidates.get(fastest);
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
     * Seconds of the fastest run in a turn, of several: the first finds threads asleep, and the system wakes them on the
     * caller's core until it has seen them busy for a while.
     */
    private static double time(Runnable run) {
        double best = Double.MAX_VALUE;
        long end = System.nanoTime() + (long) (TURN_SECONDS * 1e9);
        for (int i = 0; i < LEAST_RUNS || System.nanoTime() < end; i++) {
            long start = System.nanoTime();
            try (Scope scope = Scope.open()) {
                run.run();
            }
            best = Math.min(best, (System.nanoTime() - start) / 1e9);
        }
        return best;
    }

    /**
     * Two products with GELU in between, as in a network: kernels whose threads wait busily are fast alone and slow there,
     * where libtorch's own threads want the cores for what lies between.
     */
    private static Trial linear(int rows, int in, int out) {
        Tensor x = values(rows, in).set_requires_grad(true);
        Tensor first = values(out, in).set_requires_grad(true);
        Tensor bias = values(out).set_requires_grad(true);
        Tensor second = values(in, out).set_requires_grad(true);
        return new Trial(
                "linear " + rows + " x " + in + " x " + out,
                12.0 * rows * in * out,
                () -> backward(
                        Ops.linear(Ops.geluTanh(Ops.linear(x, first, bias)), second, null), x, first, bias, second));
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
