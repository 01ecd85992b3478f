package dev.retort.train;

import dev.retort.data.Batch;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import java.util.Arrays;

/** Moves each image of a batch by a few pixels; what comes in at the rim is the darkest value. */
final class RandomTranslation {
    /** Index of the stream under an image's AUGMENT address; mirroring has another. */
    private static final long STREAM = 1;

    private RandomTranslation() {}

    /** The batch with every image moved by up to {@code most} pixels each way, addressed by (seed, image). */
    static Batch of(Batch batch, int most, long seed) {
        if (most == 0) {
            return batch;
        }
        float[] moved = new float[batch.pixels().length];
        Arrays.fill(moved, -1);
        int planes = batch.channels();
        int plane = batch.height() * batch.width();
        for (int i = 0; i < batch.count(); i++) {
            Rng rng = Rng.at(seed, Purpose.AUGMENT, batch.firstImage() + i, STREAM);
            int down = rng.nextInt(2 * most + 1) - most;
            int right = rng.nextInt(2 * most + 1) - most;
            for (int c = 0; c < planes; c++) {
                move(batch, moved, (i * planes + c) * plane, down, right);
            }
        }
        return new Batch(
                moved,
                batch.prompts(),
                batch.count(),
                batch.channels(),
                batch.height(),
                batch.width(),
                batch.firstImage());
    }

    private static void move(Batch batch, float[] to, int at, int down, int right) {
        int width = batch.width();
        int count = width - Math.abs(right);
        for (int row = Math.max(0, -down); row < Math.min(batch.height(), batch.height() - down) && count > 0; row++) {
            System.arraycopy(
                    batch.pixels(),
                    at + row * width + Math.max(0, -right),
                    to,
                    at + (row + down) * width + Math.max(0, right),
                    count);
        }
    }
}
