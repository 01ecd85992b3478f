package dev.retort.model;

import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.card.TextToImageSpec;
import dev.retort.nn.Taps;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scratch;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * A denoiser of texts' states together with the encoders that make these of tokens, as one network: what is trained, averaged, cut and
 * saved is both. Children {@code unet}, {@code text_encoder}, {@code text_encoder_2} and so on, as pipelines of other programs name them.
 * Its condition is {@link Part#TOKENS} (N, encoders, L); where one brings {@link Part#TEXT} the encoders are not asked.
 */
public final class TextToImage extends Network {
    private final NetworkSpec spec;
    private final Network unet;
    private final List<TextEncoder> encoders;
    private final boolean packed;

    /**
     * Of parts, which it closes.
     *
     * @param spec what it is as a whole
     * @param unet told states of texts
     * @param encoders their states are put side by side, and the last one's pooled state is told as {@link Part#POOLED} where the U-Net
     *     wants one
     * @param packed whether it is for sampling alone
     */
    public TextToImage(NetworkSpec spec, Network unet, List<? extends TextEncoder> encoders, boolean packed) {
        this.spec = spec;
        this.unet = child(TextToImageSpec.UNET, unet);
        this.encoders = List.copyOf(encoders);
        for (int i = 0; i < encoders.size(); i++) {
            child(TextToImageSpec.encoder(i), encoders.get(i));
        }
        this.packed = packed;
    }

    /** The denoiser in it. */
    public Network unet() {
        return unet;
    }

    /** The encoders in it. */
    public List<TextEncoder> encoders() {
        return encoders;
    }

    @Override
    public NetworkSpec spec() {
        return spec;
    }

    @Override
    public void recompute(boolean on) {
        unet.recompute(on);
    }

    @Override
    public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
        return unet.forward(x, time, encoded(condition), taps);
    }

    /** Texts are encoded here, once for all steps; their states belong to the caller's scope. */
    @Override
    public Request open(List<Moment> moments, Condition condition) {
        try (NoGrad off = packed ? NoGrad.on() : null) {
            return unet.open(moments, encoded(condition));
        }
    }

    /** The same with states of texts in the place of their tokens. */
    private Condition encoded(Condition condition) {
        if (condition.has(Part.TEXT)) {
            return condition.without(Part.TOKENS);
        }
        Tensor tokens = condition.get(Part.TOKENS); // (N, encoders, L)
        boolean zeros = spec instanceof TextToImageSpec whole && whole.zeroNone();
        Tensor[] states = new Tensor[encoders.size()];
        Tensor pooled = null;
        for (int i = 0; i < states.length; i++) {
            try (Scratch scratch = Scratch.open()) {
                Tensor ids = Ops.select(tokens, 1, i); // (N, L)
                TextEncoder.Encoded encoded = encoders.get(i).forward(zeros ? Ops.relu(ids) : ids);
                Tensor there = zeros ? Dtype.F32.cast(Ops.greater(Ops.narrow(ids, 1, 0, 1), -0.5)) : null; // (N, 1)
                states[i] = scratch.escape(masked(encoded.states(), there)); // (N, L, W)
                pooled = encoded.pooled() == null ? null : scratch.escape(masked(encoded.pooled(), there));
            }
        }
        Condition told = condition
                .with(Part.TEXT, states.length == 1 ? states[0] : Ops.cat(2, states))
                .without(Part.TOKENS);
        return unet.spec().condition().parts().containsKey(Part.POOLED) ? told.with(Part.POOLED, pooled) : told;
    }

    /** Rows of {@link TextConditioner#NO_TOKEN} become zeros. */
    private static Tensor masked(Tensor rows, Tensor there) {
        if (there == null) {
            return rows;
        }
        Tensor mask = Dtype.of(rows).cast(there);
        return Ops.mul(rows, rows.dim() == 3 ? Ops.reshape(mask, -1, 1, 1) : mask);
    }
}
