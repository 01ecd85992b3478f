package dev.retort.torch;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;

/**
 * Start-up of libtorch. Every entry point of this package calls {@link #load()} first.
 *
 * <p>Two things must happen before any preset class loads. JavaCPP's own memory limits are switched off, because they
 * cost a system call per tensor and would stall a training run at four times the Java heap. And the libraries are put
 * into the cache and loaded in the order of their dependencies: beside a system libtorch the dynamic linker would
 * otherwise bind the system's copy (on an empty cache, or always where LD_LIBRARY_PATH leads to it) and the process
 * would die. A library that is already loaded is taken before any search path.
 */
public final class Natives {
    /** How the launcher has OpenMP's threads wait, in a process's environment: asleep, after some microseconds awake. */
    public static final Map<String, String> WAITING = Map.of("OMP_WAIT_POLICY", "PASSIVE", "GOMP_SPINCOUNT", "2000");

    /** Libraries in dependency order; those absent from the class path (the CUDA ones, usually) are passed over. */
    private static final List<String> IN_ORDER = List.of(
            "libgomp.so.1",
            "libc10.so",
            "libc10_cuda.so",
            "libtorch_cpu.so",
            "libtorch_cuda.so",
            "libtorch_cuda_linalg.so",
            "libtorch.so",
            "libjnitorch.so");

    private static final class Holder {
        static final Natives INSTANCE = new Natives();
    }

    private static Team team;

    private Natives() {
        System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
        System.setProperty("org.bytedeco.javacpp.maxBytes", "0");
        if (Cuda.isBuiltIn()) {
            // Beside the CPU's libtorch on the class path JavaCPP would take some libraries of the one, some of the
            // other.
            System.setProperty("org.bytedeco.javacpp.platform.extension", Cuda.EXTENSION);
        }
        Unpacked unpacked = unpack();
        try {
            loadInOrder(unpacked);
            Loader.load(org.bytedeco.pytorch.global.torch.class);
        } catch (LinkageError | RuntimeException e) {
            Path cache = cacheFolder();
            throw LoadFailure.of(
                    root(e),
                    cache,
                    Mounts.here().forbidPrograms(cache),
                    cache.toFile().getUsableSpace());
        }
        NativeTuning.apply();
        share(automatic());
    }

    /** As many as cores, or what the user set for all programs that use OpenMP. */
    private static int automatic() {
        String asked = System.getenv("OMP_NUM_THREADS");
        return asked != null && asked.matches("[1-9]\\d{0,3}")
                ? Integer.parseInt(asked)
                : Machine.here().cores();
    }

    /** libtorch in a JVM counts cores wrongly: the machine's in a container, one on some virtual machines. */
    private static synchronized void share(int count) {
        if (team != null) {
            team.stop();
        }
        team = new Team(count);
        torch.set_num_threads(count);
    }

    /** The threads that products of ours are shared out to; as many as libtorch's. */
    static Team team() {
        load();
        return team;
    }

    /** Threads of native ops. */
    public static int threads() {
        return team().threads();
    }

    /** But for the last, which JavaCPP loads, and what libtorch loads when it is asked for linear algebra on a GPU. */
    private static void loadInOrder(Unpacked unpacked) {
        load(unpacked.torch, List.of("libgomp.so.1"));
        Mkl.load(unpacked.mkl);
        Loader.load(org.bytedeco.openblas.global.openblas_nolapack.class);
        if (Cuda.isBuiltIn()) {
            Cuda.loadLibraries();
        }
        load(
                unpacked.torch,
                List.of("libc10.so", "libc10_cuda.so", "libtorch_cpu.so", "libtorch_cuda.so", "libtorch.so"));
    }

    private static void load(List<File> libraries, List<String> names) {
        for (File library : libraries) {
            if (names.contains(library.getName())) {
                System.load(library.getAbsolutePath());
            }
        }
    }

    /** JavaCPP tries several ways and reports the last; the first is the one that says why. */
    private static Throwable root(Throwable error) {
        return error.getCause() == null ? error : root(error.getCause());
    }

    /** Loads libtorch once per process; later calls cost nothing. Fails with ENVIRONMENT. */
    public static void load() {
        load0();
    }

    private static Natives load0() {
        try {
            return Holder.INSTANCE;
        } catch (ExceptionInInitializerError e) {
            if (e.getCause() instanceof RetortException known) {
                throw known;
            }
            throw e;
        }
    }

    /** Which BLAS computes: OpenBLAS, or MKL where its libraries are on the class path. */
    public static String blas() {
        load();
        return NativeTuning.blas();
    }

    /** One line: instruction set, BLAS and threads, and CUDA where there is a GPU. */
    public static String libraries() {
        load();
        return "libtorch, " + torch.get_cpu_capability().getString() + ", " + blas() + ", " + threads()
                + (threads() == 1 ? " thread" : " threads") + Cuda.description();
    }

    /** {@link #libraries()} and which kernels compute products. */
    public static String description() {
        return libraries() + ", " + Kernels.description();
    }

    /** Whether products can go to oneDNN, and weights be laid out for it. */
    public static boolean hasOneDnn() {
        load();
        return torch.hasMKLDNN();
    }

    /** Sets the number of threads of native ops, ours and libtorch's; 0 keeps the automatic choice. */
    public static void threads(int count) {
        load();
        if (count > 0 && count != threads()) {
            share(count);
            Kernels.forget();
        }
    }

    /** Hands freed native memory back to the system, so that {@link Machine#residentBytes()} counts memory in use only. */
    public static void releaseFreed() {
        load();
        NativeTuning.trim();
    }

    /** The folder that holds the unpacked libraries. */
    public static Path cacheFolder() {
        try {
            return Loader.getCacheDir().toPath();
        } catch (IOException e) {
            throw new RetortException(
                    Kind.ENVIRONMENT,
                    "no folder can be written for the native libraries (" + e.getMessage()
                            + "); set -Dorg.bytedeco.javacpp.cachedir to a writable folder with 1 GB free",
                    e);
        }
    }

    /** What lies in the cache: libtorch in the order of dependencies, and MKL, empty where it is not on the class path. */
    private record Unpacked(List<File> torch, List<File> mkl) {}

    /** Unpacks under a lock: several processes starting at once on an empty cache must not race. */
    private static Unpacked unpack() {
        Path lockFile = cacheFolder().resolve("retort.lock");
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            return new Unpacked(unpack("pytorch", IN_ORDER), unpack("mkl", Mkl.LIBRARIES));
        } catch (IOException e) {
            throw new RetortException(
                    Kind.ENVIRONMENT,
                    "the native libraries could not be unpacked into " + lockFile.getParent() + " (" + e.getMessage()
                            + "); free 1 GB there or set -Dorg.bytedeco.javacpp.cachedir to another folder",
                    e);
        }
    }

    private static String platform(String preset) {
        return Loader.getPlatform() + (preset.equals("pytorch") && Cuda.isBuiltIn() ? Cuda.EXTENSION : "");
    }

    private static List<File> unpack(String preset, List<String> names) throws IOException {
        List<File> all = new ArrayList<>();
        for (String name : names) {
            URL resource = Natives.class.getResource("/org/bytedeco/" + preset + "/" + platform(preset) + "/" + name);
            if (resource != null) {
                File cached = Loader.cacheResource(resource);
                if (cached == null || !Files.isReadable(cached.toPath())) {
                    throw new IOException(name + " could not be unpacked");
                }
                all.add(cached);
            }
        }
        return all;
    }
}
