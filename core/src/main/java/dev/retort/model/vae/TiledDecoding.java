package dev.retort.model.vae;

import dev.retort.config.Require;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * Decodes with bounded memory: one sample at a time, and a large one in overlapping tiles that fade into each other. A
 * picture of one tile comes out as without tiles; group norms see a tile only, so a larger one differs a little.
 *
 * @param tile side of a tile in latent cells
 * @param overlap share of a tile that its neighbour covers too, below 1
 */
public record TiledDecoding(int tile, double overlap) {
    /** Tiles of 64 latent cells (512 pixels for most autoencoders), a quarter shared. */
    public static final TiledDecoding USUAL = new TiledDecoding(64, 0.25);

    /** Validates. */
    public TiledDecoding {
        Require.atLeast("tile", tile, 1);
        Require.that(overlap >= 0 && overlap < 1, "overlap", overlap, "at least 0 and below 1");
    }

    /** latents (N, latentChannels, h, w) in the autoencoder's own units → (N, C, H, W), owned by the caller's scope. */
    public Tensor decode(Autoencoder autoencoder, Tensor latents) {
        int n = Math.toIntExact(latents.size(0));
        int factor = autoencoder.spec().downscale();
        try (Scope all = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor images = Tensors.zeros(
                    Device.of(latents),
                    n,
                    autoencoder.spec().imageChannels(),
                    latents.size(2) * factor,
                    latents.size(3) * factor);
            for (int i = 0; i < n; i++) {
                try (Scope one = Scope.open()) {
                    decode(autoencoder, Ops.narrow(latents, 0, i, 1), Ops.narrow(images, 0, i, 1), factor);
                }
            }
            return all.escape(images);
        }
    }

    private void decode(Autoencoder autoencoder, Tensor latent, Tensor image, int factor) {
        int[] rows = starts(Math.toIntExact(latent.size(2)));
        int[] columns = starts(Math.toIntExact(latent.size(3)));
        int height = Math.min(tile, Math.toIntExact(latent.size(2)));
        int width = Math.min(tile, Math.toIntExact(latent.size(3)));
        for (int r = 0; r < rows.length; r++) {
            for (int c = 0; c < columns.length; c++) {
                try (Scope piece = Scope.open()) {
                    Tensor part = Ops.narrow(Ops.narrow(latent, 2, rows[r], height), 3, columns[c], width);
                    Tensor down = Ops.view(fade(rows, r, height, factor, Device.of(latent)), -1, 1); // (H', 1)
                    Tensor across = Ops.view(fade(columns, c, width, factor, Device.of(latent)), 1, -1); // (1, W')
                    Tensor band = Ops.narrow(image, 2, (long) rows[r] * factor, (long) height * factor);
                    Ops.addInPlace(
                            Ops.narrow(band, 3, (long) columns[c] * factor, (long) width * factor),
                            Ops.mul(autoencoder.decode(part), Ops.mul(down, across)));
                }
            }
        }
    }

    /** First cells of the tiles that cover {@code size} cells; the last tile ends where the picture does. */
    private int[] starts(int size) {
        if (size <= tile) {
            return new int[] {0};
        }
        int step = Math.max(1, tile - (int) Math.round(tile * overlap));
        int[] starts = new int[(size - tile + step - 1) / step + 1];
        for (int i = 0; i < starts.length; i++) {
            starts[i] = Math.min(i * step, size - tile);
        }
        return starts;
    }

    /** Weight of each pixel row of a tile: those of all tiles that cover a row sum to one. */
    private static Tensor fade(int[] starts, int index, int length, int factor, Device device) {
        float[] weights = new float[length * factor];
        for (int i = 0; i < weights.length; i++) {
            double position = (double) starts[index] * factor + i + 0.5;
            double sum = 0;
            for (int start : starts) {
                sum += ramp(position, start, length, factor);
            }
            weights[i] = (float) (starts.length == 1 ? 1 : ramp(position, starts[index], length, factor) / sum);
        }
        return Tensors.of(weights, device, weights.length);
    }

    /** Distance to the nearer end of a tile, 0 outside: tiles fade linearly where two overlap. */
    private static double ramp(double position, int start, int length, int factor) {
        return Math.max(0, Math.min(position - (double) start * factor, (double) (start + length) * factor - position));
    }
}
