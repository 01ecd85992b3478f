package dev.retort.export;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.runtime.OnnxThread;
import dev.retort.torch.Natives;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;

/** An ONNX file opened by ONNX Runtime on the CPU. */
final class OnnxSession implements AutoCloseable {
    private final Path file;
    private final OrtSession session;

    private OnnxSession(Path file, OrtSession session) {
        this.file = file;
        this.session = session;
    }

    /**
     * Opens.
     *
     * @throws RetortException of kind CHECKPOINT where ONNX Runtime refuses the file: an operator or an operator set that it does not know, a file that is cut off
     */
    static OnnxSession open(Path file) {
        return open(file, null);
    }

    /** The same; what ONNX Runtime makes of the file is written to another. */
    static OnnxSession open(Path file, Path optimized) {
        try {
            return OnnxThread.call(() -> new OnnxSession(file, session(file, optimized)));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof OrtException refusal) {
                throw refused(file, refusal);
            }
            if (e.getCause() instanceof Error failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    private static OrtSession session(Path file, Path optimized) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(Natives.threads());
            if (optimized != null) {
                // no layouts of this machine's own, which nobody else could read
                options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.EXTENDED_OPT);
                options.setOptimizedModelFilePath(optimized.toString());
            }
            return OrtEnvironment.getEnvironment().createSession(file.toString(), options);
        }
    }

    /**
     * Runs.
     *
     * @param inputs float[] or long[] under the names of the inputs; their shapes follow from what the file says, and the batch from their lengths
     * @return each output's values, by name
     */
    Map<String, float[]> run(Map<String, Object> inputs) {
        Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
        try {
            Map<String, NodeInfo> known = session.getInputInfo();
            for (Map.Entry<String, Object> input : inputs.entrySet()) {
                TensorInfo info = (TensorInfo) known.get(input.getKey()).getInfo();
                tensors.put(input.getKey(), tensor(input.getValue(), info.getShape()));
            }
            Map<String, float[]> outputs = new LinkedHashMap<>();
            try (OrtSession.Result result = session.run(tensors)) {
                for (Map.Entry<String, ai.onnxruntime.OnnxValue> output : result) {
                    FloatBuffer values = ((OnnxTensor) output.getValue()).getFloatBuffer();
                    float[] copy = new float[values.remaining()];
                    values.get(copy);
                    outputs.put(output.getKey(), copy);
                }
            }
            return outputs;
        } catch (OrtException e) {
            throw refused(file, e);
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    private static OnnxTensor tensor(Object values, long[] shape) throws OrtException {
        int length = values instanceof float[] floats ? floats.length : ((long[]) values).length;
        long fixed = 1;
        for (long size : shape) {
            fixed *= size < 0 ? 1 : size;
        }
        long[] whole = shape.clone();
        for (int i = 0; i < whole.length; i++) {
            whole[i] = whole[i] < 0 ? length / fixed : whole[i];
        }
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        return values instanceof float[] floats
                ? OnnxTensor.createTensor(environment, FloatBuffer.wrap(floats), whole)
                : OnnxTensor.createTensor(environment, LongBuffer.wrap((long[]) values), whole);
    }

    private static RetortException refused(Path file, OrtException e) {
        return new RetortException(
                Kind.CHECKPOINT,
                "ONNX Runtime " + OrtEnvironment.getEnvironment().getVersion() + " refuses " + file + ": "
                        + e.getMessage(),
                e);
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw refused(file, e);
        }
    }
}
