package dev.retort.bench;

import dev.retort.card.DitSizes;
import dev.retort.card.DitSpec;
import dev.retort.card.NetworkSpec;
import dev.retort.card.UNetSizes;
import dev.retort.pipeline.Architectures;
import java.util.Map;

/**
 * One thing to measure.
 *
 * @param model a named transformer such as {@code S/2}, on 32 × 32 latents, or one spelt out on pictures of so many channels and
 *     pixels a side, with ten classes: {@code 8x256x4/4@1x28}; or the U-Net of {@code sd15}, {@code sd21} or {@code sdxl} on the latents
 *     of 512 pixels
 * @param batch images of a step
 * @param train whether a training step (forward, loss, backward, AdamW, EMA) or one network evaluation of sampling
 * @param bf16 whether matrix products are in bf16
 */
public record BenchCase(String model, int batch, boolean train, boolean bf16) {
    private static final int LATENT_SIDE = 32;
    private static final int UNET_SIDE = 64;

    /** Parses {@code S/2:8:train:bf16}. */
    static BenchCase parse(String text) {
        String[] parts = text.split(":");
        if (parts.length != 4 || !parts[2].matches("train|sample") || !parts[3].matches("fp32|bf16")) {
            throw new IllegalArgumentException(
                    "case " + text + " is not MODEL:BATCH:train|sample:fp32|bf16, such as S/2:8:train:bf16");
        }
        return new BenchCase(parts[0], Integer.parseInt(parts[1]), parts[2].equals("train"), parts[3].equals("bf16"));
    }

    /** The network. */
    NetworkSpec spec() {
        return switch (model) {
            case "sd15" -> UNetSizes.sd15(UNET_SIDE);
            case "sd21" -> UNetSizes.sd21(UNET_SIDE);
            case "sdxl" -> UNetSizes.sdxl(UNET_SIDE);
            default -> transformer();
        };
    }

    private DitSpec transformer() {
        String[] parts = model.split("@");
        if (parts.length == 1) {
            return DitSizes.paper(model, LATENT_SIDE);
        }
        DitSizes.Size size = DitSizes.parse(parts[0]);
        int channels = Integer.parseInt(parts[1].split("x")[0]);
        int side = Integer.parseInt(parts[1].split("x")[1]);
        return new DitSpec(
                side,
                side,
                channels,
                size.patch(),
                size.hidden(),
                size.depth(),
                size.heads(),
                4,
                10,
                0.1,
                false,
                false);
    }

    /** A transformer of the same calls on one token of four values a head, or the least U-Net: what a step costs when there is nothing to compute. */
    NetworkSpec skeleton() {
        if (!(spec() instanceof DitSpec s)) {
            return Architectures.of(spec()).minimal(spec());
        }
        return new DitSpec(
                s.patch(),
                s.patch(),
                s.channels(),
                s.patch(),
                4 * s.heads(),
                s.depth(),
                s.heads(),
                1,
                1,
                s.classDropout(),
                s.learnSigma(),
                s.modern());
    }

    /** 10⁹ operations of a step: two per multiply-accumulate; a backward pass counts as two forward passes. */
    double gigaflop() {
        return 2e-9 * spec().macs() * batch * (train ? 3 : 1);
    }

    /** The command that opens this case in a worker of ours or of the peer. */
    Map<String, Object> open(boolean compiled) {
        return Map.of(
                "op",
                "open",
                "model",
                model,
                "batch",
                batch,
                "kind",
                train ? "train" : "sample",
                "precision",
                precision(),
                "compile",
                compiled);
    }

    String precision() {
        return bf16 ? "bf16" : "fp32";
    }

    @Override
    public String toString() {
        return (spec() instanceof DitSpec ? "DiT-" : "UNet-") + model + " ×" + batch + " "
                + (train ? "train" : "sample") + " " + precision();
    }
}
