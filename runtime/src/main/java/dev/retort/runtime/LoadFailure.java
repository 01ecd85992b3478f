package dev.retort.runtime;

import ai.onnxruntime.OrtException;
import dev.retort.runtime.StudentException.Kind;
import java.nio.file.Path;
import java.util.Locale;

/** What ONNX Runtime's errors mean for whoever gave the file. */
final class LoadFailure {
    private LoadFailure() {}

    /** Of a file that could not be opened. */
    static StudentException of(Path path, String version, OrtException e) {
        String message = e.getMessage().toLowerCase(Locale.ROOT);
        if (message.contains("opset")
                || message.contains("ir_version")
                || message.contains("ir version")
                || message.contains("is not a registered function/op")
                || message.contains("could not find an implementation")) {
            return new StudentException(
                    Kind.UNSUPPORTED_VERSION,
                    path + " has operators that ONNX Runtime " + version + " does not know (" + e.getMessage()
                            + "); take a newer ONNX Runtime, or export for an older one",
                    e);
        }
        return new StudentException(
                Kind.BAD_FILE,
                path + " cannot be opened (" + e.getMessage()
                        + "); it or the file of weights beside it may be incomplete, so copy both again",
                e);
    }

    /** Of ONNX Runtime itself. */
    static StudentException ofLibrary(LinkageError e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return new StudentException(
                Kind.RUNTIME,
                "ONNX Runtime's libraries cannot be loaded (" + cause
                        + "); it makes a folder in java.io.tmpdir at each start and unpacks them there, so let that be one that can"
                        + " be written, and where it is small, unpack them once and name their folder by"
                        + " -Donnxruntime.native.path; there are none for musl (Alpine)",
                e);
    }

    /** Of whatever drawing threw. */
    static StudentException ofDrawing(Throwable e) {
        if (e instanceof StudentException failure) {
            return failure;
        }
        return e instanceof OrtException failure
                ? ofRun(failure)
                : new StudentException(
                        Kind.RUNTIME,
                        "the pictures could not be drawn (" + e + "); where memory was short, use smaller batchSizes",
                        e);
    }

    /** Of a run. */
    static StudentException ofRun(OrtException e) {
        return new StudentException(
                Kind.RUNTIME,
                "ONNX Runtime failed at work (" + e.getMessage() + "); where memory was short, use smaller batchSizes",
                e);
    }
}
