package dev.retort.model.unet;

import dev.retort.card.UNetSpec;
import dev.retort.card.UNetSpec.Level;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.ResnetBlock;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** The residual blocks of one size on one way, each with a transformer behind it or none. Tensors {@code resnets.i}, {@code attentions.i}. */
abstract class Stack extends Layer {
    private final List<ResnetBlock> resnets = new ArrayList<>();
    private final List<Transformer> transformers = new ArrayList<>();

    /**
     * Of a level.
     *
     * @param inputs channels that go into each block
     * @param layers of the transformer behind each block; 0 for none
     */
    Stack(Init init, UNetSpec spec, Level level, List<Integer> inputs, List<Integer> layers) {
        for (int i = 0; i < inputs.size(); i++) {
            String resnet = "resnets." + i;
            resnets.add(child(
                    resnet,
                    ResnetBlock.timed(
                            init.at(resnet),
                            inputs.get(i),
                            level.channels(),
                            spec.embedding(),
                            spec.convention().normGroups(),
                            spec.convention().normEps())));
            if (i < layers.size() && layers.get(i) > 0) {
                String transformer = "attentions." + i;
                transformers.add(child(
                        transformer,
                        new Transformer(init.at(transformer), spec, level.channels(), level.heads(), layers.get(i))));
            }
        }
    }

    /** Number of residual blocks. */
    final int size() {
        return resnets.size();
    }

    /** One residual block. */
    final Tensor residual(int index, Tensor x, Tensor embedded) {
        return resnets.get(index).forward(x, embedded);
    }

    /** The transformer behind one residual block, where there is one. */
    final Tensor attended(int index, Tensor x, Tensor text) {
        return index < transformers.size() ? transformers.get(index).forward(x, text) : x;
    }

    /**
     * One residual block and its transformer.
     *
     * @param in x (N, C, H, W), the embedding (N, E) and, where there is one, the text (N, S, W)
     */
    final Tensor block(int index, Tensor... in) {
        return attended(index, residual(index, in[0], in[1]), in.length > 2 ? in[2] : null);
    }
}
