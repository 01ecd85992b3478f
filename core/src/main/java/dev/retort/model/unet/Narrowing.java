package dev.retort.model.unet;

import dev.retort.card.UNetSpec;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Fewer channels of the same blocks. Channels that are added or handed across are one {@link Space}, which keeps the same of them everywhere:
 * those with the largest joint L2 norm of the weights that write and read them, groups of a group norm and heads of attention as wholes. Of
 * the features of a time each kept one is the teacher's of the same frequency, where half of them are kept, else of the next higher.
 */
final class Narrowing {
    private final UNetSpec from;
    private final UNetSpec to;
    private final Map<String, Tensor> weights;
    private final Map<String, List<List<Space>>> spaces = new LinkedHashMap<>(); // of each dimension, side by side
    private Space embedding;

    /** Channels of which the same are kept wherever they occur. */
    private static final class Space {
        private final double[] squares;
        private final int kept;
        private final int group;
        private int[] chosen;

        Space(int all, int kept, int group) {
            squares = new double[all];
            this.kept = kept;
            this.group = group;
        }

        /** The places of whole groups with the largest sums, in rising order. */
        int[] chosen() {
            if (chosen == null) {
                double[] sums = new double[squares.length / group];
                IntStream.range(0, squares.length).forEach(i -> sums[i / group] += squares[i]);
                chosen = IntStream.range(0, sums.length)
                        .boxed()
                        .sorted(Comparator.comparingDouble((Integer i) -> -sums[i]))
                        .limit(kept / group)
                        .sorted()
                        .flatMapToInt(i -> IntStream.range(i * group, (i + 1) * group))
                        .toArray();
            }
            return chosen;
        }
    }

    private Narrowing(UNetSpec from, UNetSpec to, Map<String, Tensor> weights) {
        this.from = from;
        this.to = to;
        this.weights = weights;
    }

    /**
     * The weights of the narrower network, in the caller's scope.
     *
     * @param from of the same blocks as the other
     * @param to the narrower one, with groups and heads of the same widths
     * @param weights of the wider one, by name
     */
    static Map<String, Tensor> of(UNetSpec from, UNetSpec to, Map<String, Tensor> weights) {
        Narrowing narrowing = new Narrowing(from, to, weights);
        narrowing.embeddings();
        narrowing.blocks();
        narrowing.measure();
        Map<String, Tensor> narrowed = new LinkedHashMap<>();
        weights.forEach((name, tensor) -> narrowed.put(name, narrowing.narrowed(name, tensor)));
        return narrowed;
    }

    private void embeddings() {
        Space time =
                new Space(from.levels().get(0).channels(), to.levels().get(0).channels(), 1);
        int all = time.squares.length / 2;
        int kept = time.kept / 2;
        time.chosen = IntStream.range(0, time.kept)
                .map(i -> i / kept * all + i % kept * all / kept)
                .toArray();
        embedding = new Space(from.embedding(), to.embedding(), 1);
        Space hidden = new Space(from.embedding(), to.embedding(), 1);
        product("time_embedding.linear_1", List.of(hidden), List.of(time));
        product("time_embedding.linear_2", List.of(embedding), List.of(hidden));
        product("time_embedding.cond_proj", List.of(time), List.of());
        Space added = new Space(from.embedding(), to.embedding(), 1);
        product("add_embedding.linear_1", List.of(added), List.of());
        product("add_embedding.linear_2", List.of(embedding), List.of(added));
    }

    private void blocks() {
        int last = from.levels().size() - 1;
        Deque<Space> skips = new ArrayDeque<>();
        Space stream = level(0);
        product("conv_in", List.of(stream), List.of());
        skips.push(stream);
        for (int i = 0; i <= last; i++) {
            String name = "down_blocks." + i;
            // a block between levels of as many channels adds its input to its output
            boolean same = i == 0
                    || from.levels().get(i).channels()
                            == from.levels().get(i - 1).channels();
            Space out = same ? stream : level(i);
            for (int j = 0; j < from.levels().get(i).down().size(); j++) {
                block(name, j, i, List.of(stream), out);
                stream = out;
                skips.push(stream);
            }
            if (i < last) {
                product(name + ".downsamplers.0.conv", List.of(stream), List.of(stream));
                skips.push(stream);
            }
        }
        block("mid_block", 0, last, List.of(stream), stream);
        block("mid_block", 1, last, List.of(stream), stream);
        for (int i = last; i >= 0; i--) {
            String name = "up_blocks." + (last - i);
            Space out = level(i);
            for (int j = 0; j < from.levels().get(i).up().size(); j++) {
                block(name, j, i, List.of(stream, skips.pop()), out);
                stream = out;
            }
            product(name + ".upsamplers.0.conv", List.of(stream), List.of(stream));
        }
        norm("conv_norm_out", List.of(stream));
        product("conv_out", List.of(), List.of(stream));
    }

    /** A space of a level that is normed in groups. */
    private Space level(int level) {
        return space(
                level,
                1,
                from.levels().get(level).channels() / from.convention().normGroups());
    }

    private Space space(int level, int times, int group) {
        return new Space(
                times * from.levels().get(level).channels(),
                times * to.levels().get(level).channels(),
                group);
    }

    private void block(String stack, int number, int level, List<Space> in, Space out) {
        String name = stack + ".resnets." + number;
        Space inner = level(level);
        norm(name + ".norm1", in);
        product(name + ".conv1", List.of(inner), in);
        product(name + ".time_emb_proj", List.of(inner), List.of(embedding));
        norm(name + ".norm2", List.of(inner));
        product(name + ".conv2", List.of(out), List.of(inner));
        product(name + ".conv_shortcut", List.of(out), in);
        transformer(stack + ".attentions." + number, level, out);
    }

    private void transformer(String name, int level, Space stream) {
        List<Space> inner = List.of(space(level, 1, 1));
        norm(name + ".norm", List.of(stream));
        product(name + ".proj_in", inner, List.of(stream));
        for (int i = 0; weights.containsKey(layer(name, i) + ".norm1.weight"); i++) {
            String layer = layer(name, i);
            norm(layer + ".norm1", inner);
            norm(layer + ".norm2", inner);
            norm(layer + ".norm3", inner);
            attention(layer + ".attn1", level, inner, inner);
            attention(layer + ".attn2", level, inner, List.of());
            Space units = space(level, 4, 1);
            product(layer + ".ff.net.0.proj", List.of(units, units), inner); // values and gates
            product(layer + ".ff.net.2", inner, List.of(units));
        }
        product(name + ".proj_out", List.of(stream), inner);
    }

    private static String layer(String transformer, int number) {
        return transformer + ".transformer_blocks." + number;
    }

    private void attention(String name, int level, List<Space> stream, List<Space> keys) {
        UNetSpec.Level wide = from.levels().get(level);
        List<Space> heads = List.of(space(level, 1, wide.channels() / wide.heads()));
        product(name + ".to_q", heads, stream);
        product(name + ".to_k", heads, keys);
        product(name + ".to_v", heads, keys);
        product(name + ".to_out.0", stream, heads);
    }

    private void norm(String name, List<Space> channels) {
        spaces.put(name + ".weight", List.of(channels));
        spaces.put(name + ".bias", List.of(channels));
    }

    private void product(String name, List<Space> rows, List<Space> columns) {
        spaces.put(name + ".weight", List.of(rows, columns));
        spaces.put(name + ".bias", List.of(rows));
    }

    /** Adds up what the products write into each channel and read from it. */
    private void measure() {
        spaces.forEach((name, dims) -> {
            if (dims.size() == 2 && weights.containsKey(name)) {
                Tensor squares =
                        Ops.sum(Ops.flatten(Ops.unsqueeze(Ops.square(weights.get(name)), -1), 2, -1), 2, false);
                for (int dim = 0; dim < 2; dim++) {
                    add(dims.get(dim), Tensors.floats(Ops.sum(squares, 1 - dim, false)));
                }
            }
        });
    }

    private static void add(List<Space> sideBySide, float[] squares) {
        int at = 0;
        for (Space space : sideBySide) {
            for (int i = 0; i < space.squares.length; i++) {
                space.squares[i] += squares[at++];
            }
        }
    }

    private Tensor narrowed(String name, Tensor tensor) {
        List<List<Space>> dims = spaces.get(name);
        Tensor narrowed = tensor;
        for (int dim = 0; dim < dims.size(); dim++) {
            if (!dims.get(dim).isEmpty()) {
                narrowed = Ops.indexSelect(narrowed, dim, places(dims.get(dim), Device.of(tensor)));
            }
        }
        return narrowed;
    }

    private static Tensor places(List<Space> sideBySide, Device device) {
        List<Long> places = new ArrayList<>();
        long start = 0;
        for (Space space : sideBySide) {
            for (int place : space.chosen()) {
                places.add(start + place);
            }
            start += space.squares.length;
        }
        return Tensors.of(places.stream().mapToLong(Long::longValue).toArray(), device);
    }
}
