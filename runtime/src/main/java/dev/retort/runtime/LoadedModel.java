package dev.retort.runtime;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.retort.runtime.StudentException.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;

/**
 * A file that ONNX Runtime has open, until the last who uses it lets go.
 *
 * <p>All options are the session's own: those of the environment, of which a process has one, are the first caller's, whoever that
 * is. The file is opened by its path, so that its weights never lie on Java's heap; and on a thread of its own, as a process's first session
 * that flushes denormals does so on the thread that makes it, whose Java would compute otherwise from then on. One session serves all batch sizes and threads,
 * so the weights are in memory once.
 */
final class LoadedModel {
    private final Path path;
    private final StudentFile file;
    private final OrtSession session;
    private final Map<String, TensorInfo> inputs;
    private final TensorInfo output;
    private final String outputName;
    private int users = 1;

    private LoadedModel(Path path, StudentFile file, OrtSession session) throws OrtException {
        this.path = path;
        this.file = file;
        this.session = session;
        inputs = new TreeMap<>();
        for (NodeInfo input : session.getInputInfo().values()) {
            inputs.put(input.getName(), tensor(input));
        }
        NodeInfo only = session.getOutputInfo().values().iterator().next();
        output = tensor(only);
        outputName = only.getName();
        GraphCheck.of(this);
    }

    /**
     * Opens.
     *
     * @param threads that compute one run
     * @param spin whether they wait for work at full speed
     */
    static LoadedModel open(Path path, int threads, boolean spin) {
        if (!Files.isRegularFile(path) || !Files.isReadable(path)) {
            throw new StudentException(
                    Kind.BAD_FILE, path + " is not there or cannot be read; give a file that 'retort export' wrote");
        }
        try {
            return OnnxThread.call(() -> open(OrtEnvironment.getEnvironment(), path, threads, spin));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof StudentException failure) {
                throw failure;
            }
            if (e.getCause() instanceof LinkageError failure) {
                throw LoadFailure.ofLibrary(failure);
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    private static LoadedModel open(OrtEnvironment environment, Path path, int threads, boolean spin) {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setSessionLogLevel(
                    OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL); // errors are thrown, and not printed too
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.setDeterministicCompute(true);
            options.addConfigEntry("session.intra_op.allow_spinning", spin ? "1" : "0");
            options.addConfigEntry("session.set_denormal_as_zero", "1");
            OrtSession session = environment.createSession(path.toString(), options);
            try {
                return new LoadedModel(
                        path, StudentFile.parse(session.getMetadata().getCustomMetadata(), path.toString()), session);
            } catch (StudentException | OrtException | Error e) {
                session.close();
                throw e;
            } catch (RuntimeException e) { // what no check foresaw
                session.close();
                throw new StudentException(Kind.BAD_FILE, path + " cannot be sampled (" + e + "); export it again", e);
            }
        } catch (OrtException e) {
            throw LoadFailure.of(path, environment.getVersion(), e);
        }
    }

    private TensorInfo tensor(NodeInfo node) {
        if (node.getInfo() instanceof TensorInfo info) {
            return info;
        }
        throw damaged(node.getName() + " is no tensor");
    }

    /** That the graph is not what the metadata says. */
    StudentException damaged(String what) {
        return new StudentException(Kind.BAD_FILE, path + " cannot be sampled: " + what + "; export it again");
    }

    /** Of the pictures that come out. */
    Shape pictures() {
        if (file.form() == StudentFile.Form.NETWORK) {
            return file.values();
        }
        long[] shape = output.getShape();
        return new Shape((int) shape[1], (int) shape[2], (int) shape[3]);
    }

    /** Whether guidance asks the network a second time in any step: of one that is told its guidance, or has it inside, it does not. */
    boolean asksTwice(int steps) {
        GuidedPlan guided = file.plans().get(steps);
        if (guided == null || inputs.containsKey("guidance")) {
            return false;
        }
        return IntStream.range(0, guided.scales().size()).anyMatch(guided::asksTwice);
    }

    StudentFile file() {
        return file;
    }

    Path path() {
        return path;
    }

    OrtSession session() {
        return session;
    }

    /** By name. */
    Map<String, TensorInfo> inputs() {
        return inputs;
    }

    TensorInfo output() {
        return output;
    }

    String outputName() {
        return outputName;
    }

    /** One user more; false where the last has let go already. */
    synchronized boolean retain() {
        if (users == 0) {
            return false;
        }
        users++;
        return true;
    }

    /** One user less; the last one closes the file. */
    synchronized void release() {
        users--;
        if (users == 0) {
            try {
                session.close();
            } catch (OrtException e) {
                throw LoadFailure.ofRun(e);
            }
        }
    }
}
