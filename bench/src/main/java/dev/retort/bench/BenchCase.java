package dev.retort.bench;

import dev.retort.card.DitSizes;
import dev.retort.card.DitSpec;
import java.util.Map;

/**
 * One thing to measure.
 *
 * @param model a named network such as {@code S/2}, on 32 × 32 latents, or one spelt out on pictures of so many channels and
 *     pixels a side, with ten classes: {@code 8x256x4/4@1x28}
 * @param batch images of a step
 * @param train whether a training step (forward, loss, backward, AdamW, EMA) or one network evaluation of sampling
 * @param bf16 whether matrix products are in bf16
 */
public record BenchCase(String model, int batch, boolean train, boolean bf16) {
    private static final int LATENT_SIDE = 32;

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
    DitSpec spec() {
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

    /** A network of the same calls on one token of four values a head: what a step costs when there is nothing to compute. */
    DitSpec skeleton() {
        DitSpec s = spec();
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
        return "DiT-" + model + " ×" + batch + " " + (train ? "train" : "sample") + " " + precision();
    }
}
