package dev.retort.torch;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.cuda.DeviceStats;
import org.bytedeco.pytorch.global.torch;

/**
 * libtorch's build for NVIDIA's GPUs, where it is on the class path (Maven profile {@code cuda}). NVIDIA's own libraries are
 * the system's, found by the dynamic linker: in {@code LD_LIBRARY_PATH}, in its cache, or where CUDA is installed by default.
 */
public final class Cuda {
    /** What the presets append to the name of the platform. */
    static final String EXTENSION = "-gpu";

    /**
     * What libtorch's library for the CPU needs, which does not look into CUDA's own folder as that for the GPU does; and
     * cuDNN whole, whose parts the presets would take from another version in a folder of the system.
     */
    private static final List<String> FIRST = List.of(
            "libcudart.so.13",
            "libcupti.so.13",
            "libcudnn_graph.so.9",
            "libcudnn_engines_runtime_compiled.so.9",
            "libcudnn_engines_precompiled.so.9",
            "libcudnn_heuristic.so.9",
            "libcudnn_ops.so.9",
            "libcudnn_cnn.so.9",
            "libcudnn_adv.so.9",
            "libcudnn.so.9");

    private static final List<String> FOLDERS = List.of(
            "/usr/local/cuda/lib64", "/usr/local/cuda/extras/CUPTI/lib64", "/usr/local/cuda/targets/x86_64-linux/lib");

    private Cuda() {}

    /** Whether libtorch's build for GPUs is on the class path. */
    public static boolean isBuiltIn() {
        return Cuda.class.getResource("/org/bytedeco/pytorch/" + Loader.getPlatform() + EXTENSION + "/libtorch_cuda.so")
                != null;
    }

    static void loadLibraries() {
        List<String> folders = new ArrayList<>();
        Optional.ofNullable(System.getenv("LD_LIBRARY_PATH"))
                .ifPresent(path -> folders.addAll(Arrays.asList(path.split(":"))));
        folders.addAll(FOLDERS);
        for (String name : FIRST) {
            find(name, folders).ifPresent(library -> System.load(library.toString()));
        }
    }

    /** The first file of that name; empty where only the linker may know. */
    static Optional<Path> find(String name, List<String> folders) {
        return folders.stream()
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder).toAbsolutePath().resolve(name))
                .filter(Files::exists)
                .findFirst();
    }

    /** GPUs that can be used. */
    static int count() {
        Natives.load();
        return torch.cuda_is_available() ? torch.cuda_device_count() : 0;
    }

    /** Versions and number of GPUs, to be appended to a list; empty where none can be used. */
    static String description() {
        int gpus = count();
        return gpus == 0
                ? ""
                : ", cuDNN " + version(torch.getCUDAHooks().versionRuntimeCuDNN()) + ", " + gpus
                        + (gpus == 1 ? " GPU" : " GPUs");
    }

    /** 91900 is 9.19.0. */
    static String version(long number) {
        return number / 10000 + "." + number / 100 % 100 + "." + number % 100;
    }

    /** Highest memory that tensors of this process have had on a GPU, in bytes. */
    static long peakBytes(int index) {
        try (Scope scope = Scope.open();
                DeviceStats stats = torch.getDeviceStats((byte) index)) {
            // the first entry is the sum over large and small blocks
            return stats.allocated_bytes().peak();
        }
    }
}
