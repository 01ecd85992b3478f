package dev.retort.torch;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Why libtorch could not be loaded, by what the dynamic linker and the disk say, and what helps. */
final class LoadFailure {
    /** Less room than this, and the largest library may not have been unpacked. */
    private static final long LEAST_ROOM = 400L << 20;

    private static final String ELSEWHERE =
            "set JAVA_TOOL_OPTIONS=-Dorg.bytedeco.javacpp.cachedir=FOLDER to a folder on another file system with 1 GB free";
    private static final Pattern MISSING =
            Pattern.compile("(?:.*: )?(\\S+): cannot open shared object file.*", Pattern.DOTALL);
    private static final Pattern OURS =
            Pattern.compile("lib(torch|c10|gomp|jni|openblas|mkl|gfortran|quadmath|gcc_s).*\\.so.*");

    private static final Pattern NVIDIAS = Pattern.compile("lib(cu|nccl|nv).*\\.so.*");

    private LoadFailure() {}

    /**
     * The sentence for a failure.
     *
     * @param reason the first cause, in the linker's words
     * @param cache the folder of the unpacked libraries
     * @param forbidden whether that folder's file system is mounted {@code noexec}
     * @param free bytes that can still be written there
     */
    static RetortException of(Throwable reason, Path cache, boolean forbidden, long free) {
        // the JDK and the linker both name the file
        String why = TorchError.firstLine(reason).replaceFirst("^(\\S+: )\\1", "$1");
        Matcher missing = MISSING.matcher(why);
        boolean incomplete = missing.matches() && OURS.matcher(missing.group(1)).matches()
                || why.contains("file too short")
                || why.contains("invalid ELF header");
        if (why.contains("No space left") || why.contains("quota") || incomplete && free < LEAST_ROOM) {
            return unloaded(
                    why,
                    "the disk of " + cache + " is full (" + (free >> 20) + " MB free); free 1 GB there, or "
                            + ELSEWHERE,
                    reason);
        }
        if (forbidden || why.contains("failed to map segment") || why.contains("Operation not permitted")) {
            return unloaded(
                    why,
                    "libraries may not be run from " + cache + ", "
                            + (forbidden
                                    ? "which is mounted noexec"
                                    : "by a security policy, or memory for them ran out")
                            + "; " + ELSEWHERE,
                    reason);
        }
        if (incomplete) {
            return unloaded(why, "a library there is damaged; delete " + cache + " to have it unpacked again", reason);
        }
        return unloaded(
                why,
                missing.matches()
                        ? "this system has no " + missing.group(1) + "; " + bringing(missing.group(1))
                        : "'retort doctor' says what this machine lacks",
                reason);
    }

    private static String bringing(String library) {
        return NVIDIAS.matcher(library).matches()
                ? "install CUDA 13, cuDNN 9 and NCCL 2, or name their folders in LD_LIBRARY_PATH (README: GPU)"
                : "install the package that brings it";
    }

    private static RetortException unloaded(String why, String meaning, Throwable reason) {
        return new RetortException(Kind.ENVIRONMENT, "libtorch could not be loaded (" + why + "): " + meaning, reason);
    }
}
