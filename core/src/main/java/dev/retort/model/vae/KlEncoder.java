package dev.retort.model.vae;

import dev.retort.card.KlSpec;
import dev.retort.nn.Chain;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Downsample;
import dev.retort.nn.GroupNorm;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.ResnetBlock;
import dev.retort.nn.Taps;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** The encoder half of an AutoencoderKL. */
final class KlEncoder extends Layer {
    private final Chain chain = new Chain();

    KlEncoder(Init init, KlSpec spec) {
        int groups = spec.normGroups();
        int in = spec.widths().get(0);
        Conv2d convIn = child("conv_in", Conv2d.xavier(init.at("conv_in"), spec.imageChannels(), in, 3, 1, 1));
        chain.add(convIn::forward); // (N, widths[0], H, W)
        for (int i = 0; i < spec.widths().size(); i++) {
            String name = "down_blocks." + i;
            int out = spec.widths().get(i);
            for (int j = 0; j < spec.layersPerBlock(); j++) {
                String block = name + ".resnets." + j;
                chain.add(child(block, new ResnetBlock(init.at(block), in, out, groups, AutoencoderKl.EPS))::forward);
                in = out; // (N, widths[i], h, w)
            }
            if (i < spec.widths().size() - 1) {
                String down = name + ".downsamplers.0";
                chain.add(child(down, new Downsample(init.at(down), out, false))::forward); // (N, widths[i], h/2, w/2)
            }
            chain.tap("encoder.down." + i);
        }
        KlMidBlock mid = child("mid_block", new KlMidBlock(init.at("mid_block"), spec));
        chain.add(mid::forward).tap("encoder.mid"); // (N, C, h, w)
        GroupNorm norm = child("conv_norm_out", new GroupNorm(init.at("conv_norm_out"), groups, in, AutoencoderKl.EPS));
        Conv2d convOut = child("conv_out", Conv2d.xavier(init.at("conv_out"), in, 2 * spec.latentChannels(), 3, 1, 1));
        chain.add(x -> convOut.forward(Ops.silu(norm.forward(x))))
                .tap("encoder_conv_out"); // (N, 2·latentChannels, h, w)
    }

    /** x (N, imageChannels, H, W) → (N, 2·latentChannels, H/s, W/s). */
    Tensor forward(Tensor x, Taps taps) {
        return chain.forward(x, taps);
    }
}
