package dev.retort.model.dit;

import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;

/** 2-D axial rotary positions (Su et al. 2021), theta 10000: one half of each head turns with the row, one with the column. */
final class RotaryPositions extends Layer {
    private static final double THETA = 10000;
    private final Tensor cos;
    private final Tensor sin;

    RotaryPositions(Device device, int rows, int cols, int headWidth) {
        int quarter = headWidth / 4;
        int half = headWidth / 2;
        float[] c = new float[rows * cols * half];
        float[] s = new float[c.length];
        for (int token = 0; token < rows * cols; token++) {
            for (int k = 0; k < half; k++) {
                int position = k < quarter ? token / cols : token % cols;
                double angle = position * Math.pow(THETA, -(double) (k % quarter) / quarter);
                c[token * half + k] = (float) Math.cos(angle);
                s[token * half + k] = (float) Math.sin(angle);
            }
        }
        cos = device.move(Tensors.of(c, Device.CPU, rows * cols, half));
        sin = device.move(Tensors.of(s, Device.CPU, rows * cols, half));
        cos.retainReference();
        sin.retainReference();
    }

    /** x (N, heads, T, d), its first half paired with its second; same shape out. */
    Tensor apply(Tensor x) {
        Tensor[] half = Ops.chunk(x, 2, -1); // (N, heads, T, d/2) twice
        Tensor c = Dtype.of(x).cast(cos);
        Tensor s = Dtype.of(x).cast(sin);
        return Ops.cat(
                -1,
                Ops.sub(Ops.mul(half[0], c), Ops.mul(half[1], s)),
                Ops.add(Ops.mul(half[1], c), Ops.mul(half[0], s)));
    }

    @Override
    public void close() {
        cos.close();
        sin.close();
        super.close();
    }
}
