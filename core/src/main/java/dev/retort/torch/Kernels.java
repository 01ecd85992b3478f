package dev.retort.torch;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Which kernel computes each kind of product on the CPU. None is best everywhere: oneDNN doubles OpenBLAS where there is
 * AVX-512, OpenBLAS shared out over threads beats it and MKL on most shapes where there is AVX2 alone, libtorch's fused
 * attention is thirty times slower than three plain ops in bf16. So they are timed on the machine ({@link KernelProbe})
 * once, and what was chosen is what {@link Ops} calls. What one kernel computes another does to rounding, not to the bit.
 *
 * @param linear fp32 products with a weight, forward and both gradients
 * @param attention fp32 attention
 * @param convolution fp32 convolution
 * @param half products of sampling with weights in bf16
 * @param elementwise fp32 norms, activations and gates between products
 */
public record Kernels(Linear linear, Attention attention, Convolution convolution, Half half, Elementwise elementwise) {
    /** Sets the choice from outside, as {@link #toString} writes it; for reports of faults and for tests. */
    public static final String PROPERTY = "retort.kernels";

    /** A kernel and what a reader is told of it. */
    sealed interface Kernel {
        String words();

        String name();
    }

    /** Products with a weight in fp32. */
    public enum Linear implements Kernel {
        /** libtorch's, by the BLAS that was loaded, on one thread. */
        BLAS("BLAS on one thread"),
        /** libtorch's, by BLAS on its own threads. */
        BLAS_THREADS("BLAS on its own threads"),
        /** Ours: BLAS on one thread for each part of a product. */
        SHARED("BLAS, shared out over threads"),
        /** libtorch's, which hands products to oneDNN where there is AVX-512 and no AMX, and then offers nothing else. */
        LIBTORCH_ONEDNN("oneDNN through libtorch"),
        /** Ours: oneDNN on weights as they lie. */
        ONEDNN("oneDNN");

        private final String words;

        Linear(String words) {
            this.words = words;
        }

        @Override
        public String words() {
            return words;
        }
    }

    /** softmax(q·kᵀ/√d)·v in fp32. */
    public enum Attention implements Kernel {
        /** Product, softmax, product. */
        PLAIN("three plain ops"),
        /** libtorch's fused kernel. */
        FUSED("libtorch's fused kernel"),
        /** Ours: no copies, products shared out over threads. */
        SHARED("BLAS, shared out over threads");

        private final String words;

        Attention(String words) {
            this.words = words;
        }

        @Override
        public String words() {
            return words;
        }
    }

    /** Convolution in fp32. */
    public enum Convolution implements Kernel {
        /** oneDNN on pictures plane by plane. */
        ONEDNN("oneDNN"),
        /** oneDNN on pictures pixel by pixel. */
        ONEDNN_CHANNELS_LAST("oneDNN, channels last"),
        /** Columns of patches, then BLAS. */
        BLAS("columns of patches and BLAS");

        private final String words;

        Convolution(String words) {
            this.words = words;
        }

        @Override
        public String words() {
            return words;
        }
    }

    /** Sampling with weights in bf16. */
    public enum Half implements Kernel {
        /** oneDNN multiplies bf16. */
        ONEDNN("oneDNN in bf16"),
        /** The weight is widened for each product, which is one in fp32: for CPUs that cannot multiply bf16. */
        WIDENED("weights in bf16, products in fp32");

        private final String words;

        Half(String words) {
            this.words = words;
        }

        @Override
        public String words() {
            return words;
        }
    }

    /** What lies between the products of a transformer block, in fp32. */
    public enum Elementwise implements Kernel {
        /** One op after the other. */
        LIBTORCH("libtorch's ops"),
        /** Ours: a pass each for norm and modulation, for an activation, for a gate, forward and backward. */
        FUSED("fused passes");

        private final String words;

        Elementwise(String words) {
            this.words = words;
        }

        @Override
        public String words() {
            return words;
        }
    }

    Kernels with(Linear other) {
        return new Kernels(other, attention, convolution, half, elementwise);
    }

    Kernels with(Attention other) {
        return new Kernels(linear, other, convolution, half, elementwise);
    }

    Kernels with(Convolution other) {
        return new Kernels(linear, attention, other, half, elementwise);
    }

    Kernels with(Half other) {
        return new Kernels(linear, attention, convolution, other, elementwise);
    }

    Kernels with(Elementwise other) {
        return new Kernels(linear, attention, convolution, half, other);
    }

    /** What libtorch does by itself on this machine, but for a convolution that is wrong here. */
    static Kernels libtorch() {
        return new Kernels(
                libtorchLinear(), Attention.PLAIN, libtorchConvolution(), libtorchHalf(), Elementwise.LIBTORCH);
    }

    private static Linear libtorchLinear() {
        return NativeTuning.handsFloatsToOneDnn() ? Linear.LIBTORCH_ONEDNN : Linear.BLAS;
    }

    private static Convolution libtorchConvolution() {
        return Arrays.stream(Convolution.values())
                .filter(KernelProbe::possible)
                .findFirst()
                .orElseThrow();
    }

    private static Half libtorchHalf() {
        return PackedProduct.multipliesHalf() ? Half.ONEDNN : Half.WIDENED;
    }

    private static volatile Choice current;

    /** A choice and how it came about. */
    private record Choice(Kernels kernels, String reason, Map<String, Double> figures) {}

    /** What is used in this process; measured, or read from what an earlier process measured, at the first call. */
    public static Kernels current() {
        Choice now = current;
        return now == null ? choose().kernels : now.kernels;
    }

    private static synchronized Choice choose() {
        if (current == null) {
            Natives.load();
            String asked = System.getProperty(PROPERTY);
            if (asked != null) {
                use(parse(asked), "set by -D" + PROPERTY);
            } else {
                KernelProbe.Result known = KernelCache.read().orElse(null);
                set(
                        known != null
                                ? new Choice(known.kernels(), "measured earlier", known.figures())
                                : measured(KernelProbe.measure()));
            }
        }
        return current;
    }

    private static Choice measured(KernelProbe.Result result) {
        boolean kept = KernelCache.write(result);
        return new Choice(
                result.kernels(),
                String.format(Locale.ROOT, "measured in %.1f s", result.seconds())
                        + (kept ? "" : ", and at each start: " + KernelCache.file() + " cannot be written"),
                result.figures());
    }

    /** Measures anew, whatever was measured before, and uses the result. */
    public static synchronized void probe() {
        Natives.load();
        set(measured(KernelProbe.measure()));
    }

    /** Uses these kernels, as a run that is resumed does; those this machine lacks are refused with ENVIRONMENT. */
    public static synchronized void use(Kernels kernels, String reason) {
        Natives.load();
        List<String> missing = kernels.missing();
        if (!missing.isEmpty()) {
            throw new RetortException(
                    Kind.ENVIRONMENT, "this machine has no " + String.join(", ", missing) + "; run 'retort doctor'");
        }
        set(new Choice(kernels, reason, Map.of()));
    }

    /** Tries a choice in a measurement. */
    static synchronized void attempt(Kernels kernels) {
        set(new Choice(kernels, "being measured", Map.of()));
    }

    /** Forgets the choice, for instance because the number of threads is another now. */
    static synchronized void forget() {
        current = null;
    }

    private static void set(Choice choice) {
        choice.kernels.apply();
        current = choice;
    }

    /** Tells the libraries. */
    void apply() {
        NativeTuning.blasThreads(linear == Linear.BLAS_THREADS ? Natives.threads() : 1);
    }

    /** Of these kernels, those that cannot be had here. */
    private List<String> missing() {
        List<String> missing = new ArrayList<>();
        for (Kernel kernel : List.of(linear, attention, convolution, half, elementwise)) {
            if (!KernelProbe.possible(kernel)) {
                missing.add(kernel instanceof Convolution ? "right convolution by " + kernel.words() : kernel.words());
            }
        }
        return missing;
    }

    /** Whether this process measured, rather than read what an earlier one had; then a person is told. */
    public static boolean measuredHere() {
        return (current == null ? choose() : current).reason.startsWith("measured in");
    }

    /** One sentence: what computes what, and how it was chosen. */
    public static String description() {
        Choice choice = current == null ? choose() : current;
        Kernels chosen = choice.kernels;
        return "products by " + chosen.linear.words() + ", attention by " + chosen.attention.words()
                + ", convolutions by " + chosen.convolution.words() + ", bf16 sampling by " + chosen.half.words()
                + ", between products " + chosen.elementwise.words() + " (" + choice.reason + ")";
    }

    /** GFLOP/s of every candidate in the latest measurement, by {@code product kernel}; empty where nothing was measured. */
    public static Map<String, Double> figures() {
        Choice choice = current == null ? choose() : current;
        return choice.figures;
    }

    /** {@code linear=shared,attention=plain,…}, what {@link #parse} reads. */
    @Override
    public String toString() {
        Map<String, Kernel> named = new LinkedHashMap<>();
        named.put("linear", linear);
        named.put("attention", attention);
        named.put("convolution", convolution);
        named.put("half", half);
        named.put("elementwise", elementwise);
        List<String> words = new ArrayList<>();
        named.forEach((key, kernel) -> words.add(key + "=" + text(kernel)));
        return String.join(",", words);
    }

    /** Parses {@link #toString()}; a kind that is left out is libtorch's own. Refuses others with USAGE. */
    public static Kernels parse(String text) {
        Linear linear = null;
        Attention attention = null;
        Convolution convolution = null;
        Half half = null;
        Elementwise elementwise = Elementwise.LIBTORCH;
        for (String word : text.split(",")) {
            String[] parts = word.strip().split("=");
            String value = parts.length == 2 ? parts[1] : "";
            switch (parts[0]) {
                case "linear" -> linear = find(Linear.values(), word, value);
                case "attention" -> attention = find(Attention.values(), word, value);
                case "convolution" -> convolution = find(Convolution.values(), word, value);
                case "half" -> half = find(Half.values(), word, value);
                case "elementwise" -> elementwise = find(Elementwise.values(), word, value);
                default ->
                    throw new RetortException(
                            Kind.USAGE,
                            "kernels: " + word + " is unknown; write linear=, attention=, convolution=, half= or"
                                    + " elementwise=");
            }
        }
        // Which convolution libtorch may use is only known by trying it: not in each process that reads what was
        // chosen.
        return new Kernels(
                linear == null ? libtorchLinear() : linear,
                attention == null ? Attention.PLAIN : attention,
                convolution == null ? libtorchConvolution() : convolution,
                half == null ? libtorchHalf() : half,
                elementwise);
    }

    private static <K extends Kernel> K find(K[] kernels, String word, String value) {
        return Arrays.stream(kernels)
                .filter(kernel -> text(kernel).equals(value))
                .findFirst()
                .orElseThrow(() -> new RetortException(
                        Kind.USAGE,
                        "kernels: " + word + " is unknown; choose one of "
                                + String.join(
                                        ", ",
                                        Arrays.stream(kernels)
                                                .map(Kernels::text)
                                                .toList())));
    }

    static String text(Kernel kernel) {
        return kernel.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
