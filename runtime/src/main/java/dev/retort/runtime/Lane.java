package dev.retort.runtime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;

/**
 * The tensors of one batch size of a model, over buffers outside the heap that ONNX Runtime reads and writes in place: made once, filled
 * again for each run. For one thread.
 */
final class Lane implements AutoCloseable {
    private final LoadedModel model;
    private final int batch;
    private final Map<String, FloatBuffer> floats = new HashMap<>();
    private final Map<String, LongBuffer> longs = new HashMap<>();
    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private final FloatBuffer outputBuffer;
    private final OnnxTensor output;
    private final Map<String, OnnxTensor> pinned;

    /** Makes the tensors; the model is to outlive them. */
    Lane(LoadedModel model, int batch) throws OrtException {
        this.model = model;
        this.batch = batch;
        try {
            for (Map.Entry<String, TensorInfo> input : model.inputs().entrySet()) {
                add(input.getKey(), shape(input.getValue()));
            }
            long[] shape = shape(model.output());
            outputBuffer = bytes(shape, Float.BYTES).asFloatBuffer();
            output = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), outputBuffer, shape);
            pinned = Collections.singletonMap(model.outputName(), output);
        } catch (OrtException | RuntimeException | Error e) { // memory outside the heap may be short, too
            inputs.values().forEach(OnnxTensor::close);
            throw e;
        }
    }

    private void add(String name, long[] shape) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        if (GraphCheck.isWhole(name)) {
            LongBuffer buffer = bytes(shape, Long.BYTES).asLongBuffer();
            longs.put(name, buffer);
            inputs.put(name, OnnxTensor.createTensor(environment, buffer, shape));
        } else {
            FloatBuffer buffer = bytes(shape, Float.BYTES).asFloatBuffer();
            floats.put(name, buffer);
            inputs.put(name, OnnxTensor.createTensor(environment, buffer, shape));
        }
    }

    private long[] shape(TensorInfo info) {
        long[] shape = info.getShape();
        shape[0] = batch;
        return shape;
    }

    private static ByteBuffer bytes(long[] shape, int each) {
        long size = each * Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        return ByteBuffer.allocateDirect(Math.toIntExact(size)).order(ByteOrder.nativeOrder());
    }

    int batch() {
        return batch;
    }

    boolean has(String input) {
        return inputs.containsKey(input);
    }

    /** Values of one sample of the output. */
    int outputSize() {
        return outputBuffer.capacity() / batch;
    }

    /** Sets an input of numbers. */
    void set(String input, float[] values) {
        FloatBuffer buffer = floats.get(input);
        buffer.rewind();
        buffer.put(values);
    }

    /** Sets an input to one number for all samples. */
    void fill(String input, float value) {
        FloatBuffer buffer = floats.get(input);
        for (int i = 0; i < batch; i++) {
            buffer.put(i, value);
        }
    }

    /** Sets an input of one or several whole numbers for one sample. */
    void set(String input, int sample, long... values) {
        LongBuffer buffer = longs.get(input);
        for (int i = 0; i < values.length; i++) {
            buffer.put(sample * values.length + i, values[i]);
        }
    }

    /** Computes. */
    void run(float[] out) {
        try (OrtSession.Result result = model.session().run(inputs, pinned)) {
            outputBuffer.rewind();
            outputBuffer.get(out);
        } catch (OrtException e) {
            throw LoadFailure.ofRun(e);
        }
    }

    @Override
    public void close() {
        inputs.values().forEach(OnnxTensor::close);
        output.close();
    }
}
