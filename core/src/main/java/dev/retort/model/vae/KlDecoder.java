package dev.retort.model.vae;

import dev.retort.card.KlSpec;
import dev.retort.nn.Chain;
import dev.retort.nn.Conv2d;
import dev.retort.nn.GroupNorm;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.ResnetBlock;
import dev.retort.nn.Taps;
import dev.retort.nn.Upsample;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** The decoder half of an AutoencoderKL. */
final class KlDecoder extends Layer {
    private final Chain chain = new Chain();

    KlDecoder(Init init, KlSpec spec) {
        int groups = spec.normGroups();
        int levels = spec.widths().size();
        int in = spec.widths().get(levels - 1);
        Conv2d convIn = child("conv_in", Conv2d.xavier(init.at("conv_in"), spec.latentChannels(), in, 3, 1, 1));
        KlMidBlock mid = child("mid_block", new KlMidBlock(init.at("mid_block"), spec));
        chain.add(convIn::forward); // (N, C, h, w)
        chain.add(mid::forward).tap("decoder.mid"); // (N, C, h, w)
        for (int i = 0; i < levels; i++) {
            String name = "up_blocks." + i;
            int out = spec.widths().get(levels - 1 - i);
            for (int j = 0; j <= spec.layersPerBlock(); j++) {
                String block = name + ".resnets." + j;
                chain.add(child(block, new ResnetBlock(init.at(block), in, out, groups, AutoencoderKl.EPS))::forward);
                in = out; // (N, widths[last - i], H, W)
            }
            if (i < levels - 1) {
                String up = name + ".upsamplers.0";
                chain.add(child(up, new Upsample(init.at(up), out))::forward); // (N, widths[last - i], 2H, 2W)
            }
            chain.tap("decoder.up." + i);
        }
        GroupNorm norm = child("conv_norm_out", new GroupNorm(init.at("conv_norm_out"), groups, in, AutoencoderKl.EPS));
        Conv2d convOut = child("conv_out", Conv2d.xavier(init.at("conv_out"), in, spec.imageChannels(), 3, 1, 1));
        chain.add(x -> convOut.forward(Ops.silu(norm.forward(x)))); // (N, imageChannels, h·s, w·s)
    }

    /** z (N, latentChannels, h, w) → (N, imageChannels, h·s, w·s). */
    Tensor forward(Tensor z, Taps taps) {
        return chain.forward(z, taps);
    }
}
