package dev.retort.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.retort.Child;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is said to compute is what computes: oneDNN's own protocol and the threads' use of the CPU are witnesses. */
@Tag("kernels")
class KernelStatementTest {
    private static final int RUNS = 30;

    /** Prints the description, then multiplies forward and backward; oneDNN prints each of its primitives in between. */
    public static void main(String[] arguments) {
        try (Scope scope = Scope.open()) {
            System.out.println("says " + Natives.description());
            System.out.println("kernels " + Kernels.current());
            System.out.println("threads " + Natives.threads());
            Tensor x = Tensors.full(1, Device.CPU, 512, 256).set_requires_grad(true);
            Tensor w = Tensors.full(1, Device.CPU, 512, 256).set_requires_grad(true);
            System.out.println("begin");
            long before = worked();
            for (int i = 0; i < RUNS; i++) {
                try (Scope run = Scope.open()) {
                    Ops.linear(x, w, null).sum().backward();
                }
            }
            System.out.println("end");
            System.out.println("team " + (worked() - before));
        }
    }

    /** Processor time of the team's threads so far, in the kernel's ticks. */
    private static long worked() {
        long ticks = 0;
        try (var tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path task : tasks) {
                if (Files.readString(task.resolve("comm")).startsWith("retort-product")) {
                    String stat = Files.readString(task.resolve("stat"));
                    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
                    ticks += Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
                }
            }
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return ticks;
    }

    private static List<String> run(Kernels.Linear kernel, Map<String, String> environment) throws Exception {
        List<String> jvm = List.of("-D" + Kernels.PROPERTY + "=linear=" + Kernels.text(kernel));
        try (Child child = Child.start(KernelStatementTest.class, jvm, environment)) {
            return child.finish();
        }
    }

    private static List<String> between(List<String> lines) {
        return lines.subList(lines.indexOf("begin"), lines.indexOf("end"));
    }

    private static long primitives(List<String> lines) {
        return between(lines).stream()
                .filter(line -> line.startsWith("onednn_verbose") && line.matches(".*(inner_product|matmul).*"))
                .count();
    }

    private static String after(List<String> lines, String word) {
        return lines.stream()
                .filter(line -> line.startsWith(word + " "))
                .findFirst()
                .orElseThrow()
                .substring(word.length() + 1);
    }

    @ParameterizedTest
    @EnumSource(Kernels.Linear.class)
    void products_run_where_they_are_said_to(Kernels.Linear kernel) throws Exception {
        Natives.load(); // what is possible is known then
        assumeTrue(KernelProbe.possible(kernel), kernel.words() + " is not for this CPU");
        List<String> lines = run(kernel, Map.of("ONEDNN_VERBOSE", "profile_exec"));
        assertThat(after(lines, "says")).contains("products by " + kernel.words() + ",");
        boolean oneDnn = kernel == Kernels.Linear.ONEDNN || kernel == Kernels.Linear.LIBTORCH_ONEDNN;
        assertThat(primitives(lines)).isEqualTo(oneDnn ? 3 * RUNS : 0);
        if (Natives.threads() > 1) {
            if (kernel == Kernels.Linear.SHARED) {
                assertThat(Long.parseLong(after(lines, "team"))).isPositive();
            } else {
                assertThat(after(lines, "team")).isEqualTo("0");
            }
        }
    }

    /** MKL's own protocol is the witness; the profile {@code mkl} puts it on the class path. */
    @ParameterizedTest
    @EnumSource(
            value = Kernels.Linear.class,
            names = {"BLAS", "BLAS_THREADS", "SHARED"})
    void the_blas_that_is_named_multiplies_on_the_threads_that_are_said(Kernels.Linear kernel) throws Exception {
        Natives.load(); // what is possible is known then
        assumeTrue(KernelProbe.possible(kernel), kernel.words() + " is not for this CPU");
        boolean mkl = Natives.class.getResource("/org/bytedeco/mkl/linux-x86_64/" + Mkl.LIBRARIES.get(0)) != null;
        List<String> lines = run(kernel, Map.of("MKL_VERBOSE", "1"));
        assertThat(after(lines, "says")).contains(mkl ? ", MKL, " : ", OpenBLAS, ");
        String threads = "NThr:" + (kernel == Kernels.Linear.BLAS_THREADS ? Natives.threads() : 1);
        assertThat(between(lines).stream().filter(line -> line.startsWith("MKL_VERBOSE SGEMM")))
                .hasSizeGreaterThanOrEqualTo(mkl ? 3 * RUNS : 0)
                .allMatch(line -> mkl && line.endsWith(threads));
    }

    @Test
    void what_was_measured_with_one_blas_is_not_taken_for_another() {
        assertThat(KernelCache.machine()).contains("|" + NativeTuning.blas() + "|");
    }

    @Test
    void a_kernel_this_cpu_lacks_is_refused_and_not_replaced() throws Exception {
        List<Kernels.Linear> lacking = new ArrayList<>(List.of(Kernels.Linear.values()));
        lacking.removeIf(KernelProbe::possible);
        assumeTrue(!lacking.isEmpty(), "this CPU lacks none");
        try (Child child = Child.start(
                KernelStatementTest.class,
                List.of("-D" + Kernels.PROPERTY + "=linear=" + Kernels.text(lacking.get(0))),
                Map.of())) {
            List<String> lines = new ArrayList<>();
            for (String line = child.line(); line != null; line = child.line()) {
                lines.add(line);
            }
            assertThat(String.join("\n", lines))
                    .contains("this machine has no " + lacking.get(0).words())
                    .doesNotContain("says ");
        }
    }

    @Test
    void what_is_chosen_where_nothing_is_asked_is_what_was_measured_fastest_but_for_what_a_probe_cannot_tell() {
        KernelProbe.Result result = KernelProbe.measure();
        Kernels.Linear chosen = result.kernels().linear();
        double told =
                chosen == Kernels.Linear.SHARED || chosen == Kernels.Linear.LIBTORCH_ONEDNN ? 1 / KernelProbe.TELLS : 1;
        for (Kernels.Linear other : Kernels.Linear.values()) {
            if (KernelProbe.possible(other)) {
                assertThat(speed(result, chosen)).isGreaterThanOrEqualTo(told * speed(result, other) * (1 - 1e-9));
            }
        }
        Kernels.forget();
    }

    /** The geometric mean over what was measured for products. */
    private static double speed(KernelProbe.Result result, Kernels.Linear kernel) {
        return Math.exp(result.figures().entrySet().stream()
                .filter(figure ->
                        figure.getKey().startsWith("block") || figure.getKey().contains(" after a product "))
                .filter(figure -> figure.getKey().endsWith(" " + Kernels.text(kernel)))
                .mapToDouble(figure -> Math.log(figure.getValue()))
                .average()
                .orElseThrow());
    }

    @Test
    void one_allowed_processor_is_one_thread() throws Exception {
        List<String> lines;
        try (Child child = Child.limited("taskset -p -c 0 $$ > /dev/null", KernelStatementTest.class, List.of())) {
            lines = child.finish();
        }
        assertThat(after(lines, "threads")).isEqualTo("1");
        assertThat(after(lines, "says")).contains(", 1 thread, ");
    }

    @Test
    void on_a_cpu_with_avx512_and_without_amx_products_go_the_way_they_always_went() {
        Machine machine = Machine.here();
        assumeTrue(machine.hasFlag("avx512_bf16") && !machine.hasFlag("amx_tile"), "this CPU is another");
        assertThat(NativeTuning.handsFloatsToOneDnn()).isTrue();
        // but for a convolution that is wrong on some of them
        assertThat(Kernels.libtorch().toString())
                .startsWith("linear=libtorch-onednn,attention=plain,convolution=onednn")
                .endsWith(",half=onednn,elementwise=libtorch");
    }
}
