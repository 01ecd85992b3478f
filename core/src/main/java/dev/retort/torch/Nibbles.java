package dev.retort.torch;

import java.nio.ByteBuffer;
import org.bytedeco.pytorch.Tensor;

/** Whole numbers from -8 to 7, two in a byte: the first of each pair in the lower bits, each with 8 added. */
public final class Nibbles {
    private static final int BITS = 4;
    private static final int ZERO = 8;

    private Nibbles() {}

    /** (…, n) of I8, n even → (…, n/2) of U8. */
    public static Tensor pack(Tensor whole) {
        long[] shape = Tensors.shape(whole);
        shape[shape.length - 1] /= 2;
        Tensor packed = Tensors.empty(Dtype.U8, Device.CPU, shape);
        ByteBuffer from = Tensors.view(Tensors.plain(whole));
        ByteBuffer to = Tensors.view(packed);
        while (to.hasRemaining()) {
            int low = from.get() + ZERO;
            to.put((byte) (low | from.get() + ZERO << BITS));
        }
        return packed;
    }

    /** (…, n) of U8 → (…, 2n) of I8. */
    public static Tensor unpack(Tensor packed) {
        long[] shape = Tensors.shape(packed);
        shape[shape.length - 1] *= 2;
        Tensor whole = Tensors.empty(Dtype.I8, Device.CPU, shape);
        ByteBuffer from = Tensors.view(Tensors.plain(packed));
        ByteBuffer to = Tensors.view(whole);
        while (from.hasRemaining()) {
            int both = from.get() & 0xff;
            to.put((byte) ((both & (1 << BITS) - 1) - ZERO));
            to.put((byte) ((both >> BITS) - ZERO));
        }
        return Device.of(packed).move(whole);
    }
}
