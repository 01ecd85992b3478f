package dev.retort.pipeline;

import dev.retort.card.EvenLayout;
import dev.retort.card.NetworkSpec;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.UNetLayout;
import dev.retort.card.UNetSpec;
import dev.retort.diffusion.Heads;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.FusedOutputs;
import dev.retort.model.Network;
import dev.retort.model.TextToImage;
import dev.retort.model.unet.Cut;
import dev.retort.model.unet.UNet;
import dev.retort.nn.Layer;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** U-Nets by themselves, and with their text encoders, which are taken over whole. */
final class UNetSurgery implements Surgery {
    @Override
    public void requireCut(NetworkSpec teacher, NetworkSpec student) {
        if (teacher instanceof TextToImageSpec from
                && student instanceof TextToImageSpec to
                && !from.encoders().equals(to.encoders())) {
            throw new IllegalArgumentException("init cut needs text encoders like the teacher's, " + from.encoders()
                    + "; the student's are " + to.encoders());
        }
        Cut.requireFit(unet(teacher), unet(student));
    }

    /** Whatever the levels, there is one last convolution. */
    @Override
    public boolean cutReachesOutput(NetworkSpec teacher, NetworkSpec student) {
        return true;
    }

    @Override
    public void cut(Network teacher, Network student) {
        requireCut(teacher.spec(), student.spec());
        cut(teacher, student, EvenLayout.between(unet(teacher.spec()), unet(student.spec())));
    }

    @Override
    public void cut(Network teacher, Network student, UNetLayout layout) {
        Cut.apply(unet(teacher), unet(student), layout);
        if (teacher instanceof TextToImage from && student instanceof TextToImage to) {
            for (int i = 0; i < from.encoders().size(); i++) {
                requireCopied(from.encoders().get(i), to.encoders().get(i));
            }
        }
    }

    @Override
    public Map<String, Tensor> fused(NetworkSpec network, Map<String, Tensor> weights, List<Heads> heads) {
        String last = network instanceof TextToImageSpec ? "unet.conv_out" : "conv_out";
        return FusedOutputs.of(network, last, 1, weights, heads);
    }

    @Override
    public void regrid(Network from, Network to) {
        UNetSpec wanted = unet(to.spec());
        if (!unet(from.spec()).with(wanted.grid().image()).equals(wanted)) {
            throw refused(from.spec().name() + " (" + from.spec().parts() + ") is another network than "
                    + to.spec().name() + " (" + to.spec().parts() + "), or of another convention");
        }
        requireCopied(from, to);
    }

    private static void requireCopied(Layer from, Layer to) {
        List<String> problems = to.load(from.state());
        if (!problems.isEmpty()) {
            throw refused(FirstFew.of(problems, 3));
        }
    }

    private static RetortException refused(String why) {
        return new RetortException(
                Kind.CHECKPOINT,
                "the network to start from does not fit: " + why + "; it may differ in height and width alone");
    }

    private static UNetSpec unet(NetworkSpec spec) {
        return spec instanceof TextToImageSpec whole ? whole.unet() : (UNetSpec) spec;
    }

    private static UNet unet(Network network) {
        return (UNet) (network instanceof TextToImage whole ? whole.unet() : network);
    }
}
