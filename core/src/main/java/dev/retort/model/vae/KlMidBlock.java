package dev.retort.model.vae;

import dev.retort.card.KlSpec;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.ResnetBlock;
import org.bytedeco.pytorch.Tensor;

/** The smallest level: residual block, attention, residual block. */
final class KlMidBlock extends Layer {
    private final ResnetBlock before;
    private final KlAttention attention;
    private final ResnetBlock after;

    KlMidBlock(Init init, KlSpec spec) {
        int width = spec.widths().get(spec.widths().size() - 1);
        int groups = spec.normGroups();
        attention = spec.midAttention()
                ? child("attentions.0", new KlAttention(init.at("attentions.0"), width, groups, AutoencoderKl.EPS))
                : null;
        before = child("resnets.0", new ResnetBlock(init.at("resnets.0"), width, width, groups, AutoencoderKl.EPS));
        after = child("resnets.1", new ResnetBlock(init.at("resnets.1"), width, width, groups, AutoencoderKl.EPS));
    }

    /** x (N, C, H, W) → the same shape. */
    Tensor forward(Tensor x) {
        Tensor y = before.forward(x);
        return after.forward(attention == null ? y : attention.forward(y));
    }
}
