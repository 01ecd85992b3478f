package dev.retort.torch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Makes tensors from Java values and reads them back; the only place where bytes cross. */
public final class Tensors {
    private Tensors() {}

    /** Uninitialised tensor. */
    public static Tensor empty(Dtype dtype, Device device, long... shape) {
        return torch.empty(shape, device.options(dtype), null);
    }

    /** Zeros in fp32. */
    public static Tensor zeros(Device device, long... shape) {
        return torch.zeros(shape, device.options(Dtype.F32));
    }

    /** One value everywhere, in fp32. */
    public static Tensor full(double value, Device device, long... shape) {
        return Ops.fill(empty(Dtype.F32, device, shape), value);
    }

    /** fp32 tensor of {@code shape} from {@code values}, row-major. */
    public static Tensor of(float[] values, Device device, long... shape) {
        return of(values, 0, device, shape);
    }

    /** fp32 tensor of {@code shape} from {@code values} at {@code offset}, row-major. */
    public static Tensor of(float[] values, int offset, Device device, long... shape) {
        Tensor tensor = empty(Dtype.F32, Device.CPU, shape);
        int count = Math.toIntExact(tensor.numel());
        check(count, values.length - offset, shape);
        new FloatPointer(tensor.data_ptr_float()).put(values, offset, count);
        return device.move(tensor);
    }

    /** 64-bit integers, shape (length). */
    public static Tensor of(long[] values, Device device) {
        Tensor tensor = empty(Dtype.I64, Device.CPU, values.length);
        new LongPointer(tensor.data_ptr_long()).put(values, 0, values.length);
        return device.move(tensor);
    }

    /** 64-bit integers from ints (class labels), shape (length). */
    public static Tensor of(int[] values, Device device) {
        long[] wide = new long[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        return of(wide, device);
    }

    /** fp32 copy of doubles, shape (length). */
    public static Tensor of(double[] values, Device device) {
        float[] narrow = new float[values.length];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) values[i];
        }
        return of(narrow, device, narrow.length);
    }

    /** A number for each image of a batch, (N, 1, 1, 1), fp32, where another tensor is. */
    public static Tensor column(double[] values, Tensor like) {
        return of(values, Device.of(like)).view(-1, 1, 1, 1);
    }

    /** Tensor from raw little-endian bytes of its element type. */
    public static Tensor of(ByteBuffer bytes, Dtype dtype, Device device, long... shape) {
        Tensor tensor = empty(dtype, Device.CPU, shape);
        check(tensor.numel() * dtype.bytes(), bytes.remaining(), shape);
        if (tensor.numel() > 0) {
            new BytePointer(tensor.data_ptr())
                    .limit(tensor.nbytes())
                    .asByteBuffer()
                    .put(bytes.duplicate());
        }
        return device.move(tensor);
    }

    /** All values as fp32, row-major. */
    public static float[] floats(Tensor tensor) {
        try (Scope scope = Scope.open()) {
            Tensor plain = plain(Dtype.F32.cast(tensor));
            float[] values = new float[Math.toIntExact(plain.numel())];
            new FloatPointer(plain.data_ptr_float()).get(values);
            return values;
        }
    }

    /** All values as 64-bit integers, row-major. */
    public static long[] longs(Tensor tensor) {
        try (Scope scope = Scope.open()) {
            Tensor plain = plain(Dtype.I64.cast(tensor));
            long[] values = new long[Math.toIntExact(plain.numel())];
            new LongPointer(plain.data_ptr_long()).get(values);
            return values;
        }
    }

    /** All values as bytes, row-major; the tensor holds 0..255. */
    public static byte[] bytes(Tensor tensor) {
        try (Scope scope = Scope.open()) {
            Tensor plain = plain(Dtype.U8.cast(tensor));
            byte[] values = new byte[Math.toIntExact(plain.numel())];
            new BytePointer(plain.data_ptr_byte()).get(values);
            return values;
        }
    }

    /** Raw little-endian bytes of a contiguous CPU tensor; the buffer is valid while the tensor is. */
    public static ByteBuffer view(Tensor contiguous) {
        if (!contiguous.is_contiguous()) {
            throw new IllegalArgumentException("only a contiguous tensor can be viewed as bytes");
        }
        if (contiguous.numel() == 0) {
            return ByteBuffer.allocate(0).order(ByteOrder.LITTLE_ENDIAN);
        }
        return new BytePointer(contiguous.data_ptr())
                .limit(contiguous.nbytes())
                .asByteBuffer()
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The single value of a tensor with one element. */
    public static double scalar(Tensor tensor) {
        return tensor.item_double();
    }

    /** The shape. */
    public static long[] shape(Tensor tensor) {
        long[] shape = new long[Math.toIntExact(tensor.dim())];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = tensor.size(i);
        }
        return shape;
    }

    /** Contiguous, on the CPU, without gradient. */
    public static Tensor plain(Tensor tensor) {
        return tensor.detach().cpu().contiguous();
    }

    private static void check(long needed, long given, long[] shape) {
        if (given < needed) {
            throw new IllegalArgumentException("shape " + java.util.Arrays.toString(shape) + " needs " + needed
                    + " values or bytes, " + given + " given");
        }
    }
}
