package dev.retort.sample;

import dev.retort.card.ImageShape;
import dev.retort.config.Require;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Purpose;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.PixelImage;
import dev.retort.pipeline.ImageCodec;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * A picture from which sampling starts instead of noise alone, the same for all samples. It is noised by the model's own process up to the level of
 * the step at which the last {@code strength} of the steps begin (SDEdit, Meng et al. 2022), whichever the solver. With a mask the rest of it is
 * kept: after every step the kept values are replaced by the picture's own, noised anew to the level of the next step (Lugmayr et al. 2022,
 * eq. 8), and the pictures drawn have its own pixels there.
 *
 * @param values the picture as the network's values, CHW
 * @param strength share of the steps that are done, above 0; at 1 nothing of the picture is left where it is redrawn
 * @param kept which part of the picture stays; empty for none
 */
public record Start(float[] values, double strength, Optional<Kept> kept) {
    private static final int LIGHT = 128;

    /**
     * What stays.
     *
     * @param redrawnValues 1 for each place of the network's values (HW) that is drawn anew, else 0
     * @param picture the picture's own pixels, CHW in [-1, 1]
     * @param redrawn for each pixel (HW) whether it is drawn anew
     */
    public record Kept(float[] redrawnValues, float[] picture, boolean[] redrawn) {}

    /** Gives unit noise for a purpose and a step. */
    @FunctionalInterface
    interface Noise {
        Tensor of(Purpose purpose, int step);
    }

    /** Validates. */
    public Start {
        Require.that(strength > 0 && strength <= 1, "strength", strength, "above 0 and at most 1");
        if (strength == 1 && kept.isEmpty()) {
            throw new RetortException(
                            Kind.USAGE,
                            "strength is 1.0, at which nothing of the picture is left; give less, or a mask of what is"
                                    + " to be drawn anew")
                    .about("strength");
        }
    }

    /**
     * From a picture of the model's size and channels.
     *
     * @param codec what makes values of it
     * @param mask light where it is to be drawn anew; of values that stand for several pixels all are, if one pixel is. Empty for all of it
     */
    public static Start of(ImageCodec codec, PixelImage picture, Optional<PixelImage> mask, double strength) {
        ImageShape shape = codec.shape();
        requireShape("picture", picture, shape, shape.channels());
        float[] pixels = new float[shape.values()];
        picture.toFloats(pixels, 0);
        try (Scope scope = Scope.open()) {
            Tensor image = Tensors.of(pixels, codec.device(), 1, shape.channels(), shape.height(), shape.width());
            Tensor values = codec.encode(image);
            int factor = Math.toIntExact(shape.width() / values.size(3));
            return new Start(Tensors.floats(values), strength, mask.map(light -> kept(light, pixels, shape, factor)));
        }
    }

    private static Kept kept(PixelImage mask, float[] pixels, ImageShape shape, int factor) {
        requireShape("mask", mask, shape, mask.channels());
        PixelImage grey = mask.grey();
        boolean[] redrawn = new boolean[shape.height() * shape.width()];
        int columns = shape.width() / factor;
        float[] values = new float[shape.height() / factor * columns];
        for (int y = 0; y < shape.height(); y++) {
            for (int x = 0; x < shape.width(); x++) {
                if (grey.at(y, x, 0) >= LIGHT) {
                    redrawn[y * shape.width() + x] = true;
                    values[y / factor * columns + x / factor] = 1;
                }
            }
        }
        return new Kept(values, pixels, redrawn);
    }

    private static void requireShape(String what, PixelImage image, ImageShape shape, int channels) {
        Require.that(
                image.channels() == channels && image.height() == shape.height() && image.width() == shape.width(),
                what,
                image.channels() + "x" + image.height() + "x" + image.width(),
                channels + "x" + shape.height() + "x" + shape.width() + ", what the model draws");
    }

    /** The first state of a plan: the picture under noise, or at strength 1 noise alone but for what is kept. */
    Tensor first(Plan plan, Tensor noise, Noise noises) {
        Plan.Call call = plan.steps().get(0).call();
        if (strength < 1) {
            return noised(call, noise);
        }
        return composed(Ops.mul(noise, plan.startScale()), noised(call, noises.of(Purpose.SAMPLE_KNOWN, 0)));
    }

    /** The state after a step, with the picture's own values where it is kept. */
    Tensor kept(Plan plan, int step, Tensor next, Noise noises) {
        if (kept.isEmpty()) {
            return next;
        }
        boolean last = step == plan.steps().size() - 1;
        return composed(
                next,
                last
                        ? values(next)
                        : noised(plan.steps().get(step + 1).call(), noises.of(Purpose.SAMPLE_KNOWN, step + 1)));
    }

    /** Puts the picture's own pixels where it is kept into pictures (N, C, H, W). */
    void keep(float[] pictures) {
        kept.ifPresent(own -> {
            for (int i = 0; i < pictures.length; i++) {
                if (!own.redrawn[i % own.redrawn.length]) {
                    pictures[i] = own.picture[i % own.picture.length];
                }
            }
        });
    }

    /** The picture as a state before a call: its input's level, in the coordinates of the plan. */
    private Tensor noised(Plan.Call call, Tensor noise) {
        return Ops.add(
                Ops.mul(noise, call.sigma() / call.inputScale()),
                Ops.mul(values(noise), call.alpha() / call.inputScale()));
    }

    /** One picture (1, C, H, W). */
    private Tensor values(Tensor like) {
        return Tensors.of(values, Device.of(like), 1, like.size(1), like.size(2), like.size(3));
    }

    /** One where it is drawn anew, the other elsewhere. */
    private Tensor composed(Tensor drawn, Tensor own) {
        Tensor redrawn =
                Tensors.of(kept.orElseThrow().redrawnValues, Device.of(drawn), 1, 1, drawn.size(2), drawn.size(3));
        Tensor rest = Ops.add(Ops.mul(redrawn, -1), 1);
        return Ops.add(Ops.mul(drawn, redrawn), Ops.mul(own, rest));
    }
}
