package dev.retort.torch;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeSet;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;

/**
 * What was measured, kept beside the unpacked libraries: one file for each CPU, BLAS, version of the libraries, cap on the
 * instruction set and number of threads. A file that cannot be read is measured again.
 */
final class KernelCache {
    private static final String KERNELS = "kernels";
    private static final String SECONDS = "seconds";
    private static final String FIGURE = "gflops.";
    /** Changes when the candidates or the way they are measured do. */
    private static final int FORMAT = 6;

    private KernelCache() {}

    static Path file() {
        return Natives.cacheFolder()
                .resolve("retort-kernels-" + Integer.toHexString(machine().hashCode()) + ".properties");
    }

    /** Everything the choice depends on. */
    static String machine() {
        Machine here = Machine.here();
        return String.join(
                "|",
                String.valueOf(FORMAT),
                here.cpu(),
                String.valueOf(new TreeSet<>(here.flags())),
                torch.get_cpu_capability().getString(),
                String.valueOf(System.getenv("ONEDNN_MAX_CPU_ISA")),
                String.valueOf(System.getenv("OPENBLAS_CORETYPE")),
                String.valueOf(System.getenv("MKL_ENABLE_INSTRUCTIONS")),
                NativeTuning.blas(),
                libraries(),
                String.valueOf(Natives.threads()));
    }

    private static String libraries() {
        try {
            return Loader.getVersion("org.bytedeco", "pytorch");
        } catch (IOException e) {
            return "unknown";
        }
    }

    static Optional<KernelProbe.Result> read() {
        Properties stored = new Properties();
        try (Reader in = Files.newBufferedReader(file())) {
            stored.load(in);
            if (!machine().equals(stored.getProperty("machine"))) {
                return Optional.empty();
            }
            Map<String, Double> figures = new LinkedHashMap<>();
            stored.stringPropertyNames().stream()
                    .filter(name -> name.startsWith(FIGURE))
                    .sorted()
                    .forEach(name ->
                            figures.put(name.substring(FIGURE.length()), Double.valueOf(stored.getProperty(name))));
            return Optional.of(new KernelProbe.Result(
                    Kernels.parse(stored.getProperty(KERNELS)),
                    Double.parseDouble(stored.getProperty(SECONDS)),
                    figures));
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }

    /** Whether it could be kept. */
    static boolean write(KernelProbe.Result result) {
        Properties stored = new Properties();
        stored.setProperty("machine", machine());
        stored.setProperty(KERNELS, result.kernels().toString());
        stored.setProperty(SECONDS, String.valueOf(result.seconds()));
        result.figures().forEach((name, value) -> stored.setProperty(FIGURE + name, String.valueOf(value)));
        try {
            Path temporary = Files.createTempFile(file().getParent(), "retort-kernels", ".tmp");
            try (Writer out = Files.newBufferedWriter(temporary)) {
                stored.store(out, "Retort: kernels measured on this machine; delete this file to measure again");
            }
            Files.move(temporary, file(), StandardCopyOption.ATOMIC_MOVE);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
