package dev.retort.card;

import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Middle;
import dev.retort.config.Require;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Which blocks of a U-Net a smaller one keeps, as BK-SDM (Kim et al. 2023) removes them. All numbers count the teacher's from 0. What is
 * kept keeps its place: the first block of a level takes what comes from the level before, and on the way up a level's last block what is
 * handed across from the level above.
 *
 * @param levels what is kept of each level, from full size down; levels beyond them are left out
 * @param middle layers of the transformer in the middle; left out where the middle is, no layers where it is one residual block
 */
public record UNetLayout(List<Blocks> levels, Optional<List<Integer>> middle) {
    /**
     * What is kept of a level.
     *
     * @param down on the way down
     * @param up on the way up, in the order in which they compute: one more
     */
    public record Blocks(List<Block> down, List<Block> up) {
        /** Validates. */
        public Blocks {
            down = requireRising("down", down);
            up = requireRising("up", up);
        }

        private static List<Block> requireRising(String field, List<Block> blocks) {
            requireRising(field, blocks.stream().map(Block::block).toList(), Integer.MAX_VALUE);
            return List.copyOf(blocks);
        }

        private static void requireRising(String field, List<Integer> numbers, int count) {
            for (int i = 0; i < numbers.size(); i++) {
                Require.that(
                        numbers.get(i) >= (i == 0 ? 0 : numbers.get(i - 1) + 1) && numbers.get(i) < count,
                        field,
                        numbers,
                        "rising numbers from 0" + (count == Integer.MAX_VALUE ? "" : " to " + (count - 1)));
            }
        }
    }

    /**
     * A residual block and what is kept of the transformer behind it.
     *
     * @param block its number
     * @param layers of the transformer; none where there is none, or where it is left out
     */
    public record Block(int block, List<Integer> layers) {
        /** Copies. */
        public Block {
            layers = List.copyOf(layers);
        }
    }

    /** Copies. */
    public UNetLayout {
        Require.notEmpty("levels", levels);
        levels = List.copyOf(levels);
        middle = middle.map(List::copyOf);
    }

    /**
     * The student.
     *
     * @throws dev.retort.error.RetortException of kind CONFIG, by field, where the teacher has not what is kept
     * @throws IllegalArgumentException where a block would be given other channels than it takes
     */
    public UNetSpec of(UNetSpec teacher) {
        int count = teacher.levels().size();
        Require.that(levels.size() <= count, "levels", levels.size(), "at most " + count + " of " + teacher.name());
        Require.that(middle.isEmpty() || levels.size() == count, "middle", middle, "none where levels are left out");
        UNetSpec student = teacher.with(
                IntStream.range(0, levels.size())
                        .mapToObj(i -> level(
                                "levels." + i, levels.get(i), teacher.levels().get(i)))
                        .toList(),
                middle.map(layers -> {
                    int all = teacher.middle().map(Middle::layers).orElse(-1);
                    Require.that(all >= 0, "middle", layers, "none: " + teacher.name() + " has no middle");
                    Blocks.requireRising("middle", layers, all);
                    return new Middle(layers.size());
                }));
        requireFits(teacher, student);
        return student;
    }

    private static Level level(String field, Blocks kept, Level teacher) {
        return new Level(
                teacher.channels(),
                teacher.heads(),
                counts(field + ".down", kept.down(), teacher.down()),
                counts(field + ".up", kept.up(), teacher.up()));
    }

    private static List<Integer> counts(String field, List<Block> kept, List<Integer> teacher) {
        Blocks.requireRising(field, kept.stream().map(Block::block).toList(), teacher.size());
        kept.forEach(block -> Blocks.requireRising(field + ".layers", block.layers(), teacher.get(block.block())));
        return kept.stream().map(block -> block.layers().size()).toList();
    }

    private void requireFits(UNetSpec teacher, UNetSpec student) {
        Map<String, long[]> all = UNetLayers.of(teacher).shapes();
        UNetLayers.of(student).shapes().forEach((name, shape) -> {
            String source = source(name, teacher.levels().size());
            if (!Arrays.equals(shape, all.get(source))) {
                throw new IllegalArgumentException(
                        "the layout puts " + source + " of shape " + Arrays.toString(all.get(source))
                                + " where " + Arrays.toString(shape)
                                + " is needed; keep the first block of every level, and on the way up its last as well");
            }
        });
    }

    /**
     * The name that a student's parameter has in its teacher.
     *
     * @param levels of the teacher
     */
    public String source(String parameter, int levels) {
        String[] path = parameter.split("\\.");
        List<Integer> layers = middle.orElse(List.of());
        if (path[0].equals("down_blocks") || path[0].equals("up_blocks")) {
            boolean down = path[0].equals("down_blocks");
            int number = Integer.parseInt(path[1]);
            int level = down ? number : this.levels.size() - 1 - number;
            path[1] = Integer.toString(down ? level : levels - 1 - level);
            if (path[2].equals("resnets") || path[2].equals("attentions")) {
                Blocks blocks = this.levels.get(level);
                Block block = (down ? blocks.down() : blocks.up()).get(Integer.parseInt(path[3]));
                path[3] = Integer.toString(block.block());
                layers = block.layers();
            }
        }
        int at = Arrays.asList(path).indexOf("transformer_blocks") + 1;
        if (at > 0) {
            path[at] = layers.get(Integer.parseInt(path[at])).toString();
        }
        return String.join(".", path);
    }

    /**
     * The layers of its transformers by their names in the teacher, a list for each transformer.
     *
     * @param levels of the teacher
     */
    public List<List<String>> layers(int levels) {
        List<List<String>> all = new ArrayList<>();
        renamed(levels, (transformer, layers) -> {
            all.add(layers.stream().map(layer -> transformer + layer).toList());
            return layers;
        });
        all.removeIf(List::isEmpty);
        return all;
    }

    /**
     * The same without some layers, which {@link #layers} names.
     *
     * @param levels of the teacher
     */
    public UNetLayout without(Set<String> names, int levels) {
        return renamed(levels, (transformer, layers) -> layers.stream()
                .filter(layer -> !names.contains(transformer + layer))
                .toList());
    }

    /** The weights through which a layer adds to what passes it; with zeros in their place it is as if left out. */
    public static List<String> writers(String layer) {
        return Stream.of(".attn1.to_out.0", ".attn2.to_out.0", ".ff.net.2")
                .flatMap(product -> Stream.of(layer + product + ".weight", layer + product + ".bias"))
                .toList();
    }

    /** With other layers for those of each transformer, whose path in the teacher is told. */
    private UNetLayout renamed(int levels, BiFunction<String, List<Integer>, List<Integer>> change) {
        List<Blocks> changed = IntStream.range(0, this.levels.size())
                .mapToObj(i -> new Blocks(
                        renamed("down_blocks." + i, this.levels.get(i).down(), change),
                        renamed(
                                "up_blocks." + (levels - 1 - i),
                                this.levels.get(i).up(),
                                change)))
                .toList();
        return new UNetLayout(
                changed, middle.map(layers -> change.apply("mid_block.attentions.0.transformer_blocks.", layers)));
    }

    private static List<Block> renamed(
            String stack, List<Block> blocks, BiFunction<String, List<Integer>, List<Integer>> change) {
        return blocks.stream()
                .map(block -> new Block(
                        block.block(),
                        change.apply(stack + ".attentions." + block.block() + ".transformer_blocks.", block.layers())))
                .toList();
    }
}
