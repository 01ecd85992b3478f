package dev.retort.card;

import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Middle;
import dev.retort.config.Require;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

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

    /** The layouts that have a name. */
    public enum Named {
        /** All of the teacher. */
        WHOLE,
        /** Of every two blocks of a level on the way down the first; on the way up as many and one more, the first and the last among them. */
        BASE,
        /** {@link #BASE} without the middle. */
        SMALL,
        /** {@link #SMALL} without the innermost level. */
        TINY;

        /**
         * The layout of a student.
         *
         * @throws dev.retort.error.RetortException of kind CONFIG where the teacher has nothing that it would leave out
         */
        public UNetLayout of(UNetSpec teacher) {
            int levels = teacher.levels().size() - (this == TINY ? 1 : 0);
            Require.that(levels > 0, "layout", this, "another for a network of one level, such as small");
            List<Level> kept = teacher.levels().subList(0, levels).stream().map(this::of).toList();
            Optional<Middle> middle = compareTo(SMALL) < 0 ? teacher.middle() : Optional.empty();
            UNetSpec student = teacher.with(kept, middle);
            Require.that(
                    this == WHOLE || !student.equals(teacher),
                    "layout",
                    this,
                    "another: " + teacher.name() + " has nothing that this one leaves out");
            return between(teacher, student);
        }

        private Level of(Level level) {
            int blocks = this == WHOLE ? level.down().size() : (level.down().size() + 1) / 2;
            return new Level(
                    level.channels(),
                    level.heads(),
                    spread(blocks, level.down().size()).map(level.down()::get).boxed().toList(),
                    ends(blocks + 1, level.up().size()).map(level.up()::get).boxed().toList());
        }
    }

    /**
     * What a student keeps by its shape: of a level's blocks on the way down the first and others at even distance, on the way up the first,
     * the last and others at even distance, of a transformer's layers the last and others at even distance.
     *
     * @throws IllegalArgumentException where the student is no part of the teacher
     */
    public static UNetLayout between(UNetSpec teacher, UNetSpec student) {
        int count = student.levels().size();
        require(count <= teacher.levels().size(), "no more levels than the teacher's, " + teacher.levels().size());
        require(
                student.middle().isEmpty() || count == teacher.levels().size(),
                "no middle where levels are left out: the teacher's lies at another size");
        List<Blocks> levels = IntStream.range(0, count)
                .mapToObj(i -> blocks(i, teacher.levels().get(i), student.levels().get(i)))
                .toList();
        Optional<List<Integer>> middle = student.middle().map(between -> {
            require(teacher.middle().isPresent(), "no middle, as its teacher has none");
            return layers("the middle", between.layers(), teacher.middle().get().layers());
        });
        return new UNetLayout(levels, middle);
    }

    private static Blocks blocks(int level, Level teacher, Level student) {
        String where = "level " + level;
        int blocks = student.down().size();
        require(blocks <= teacher.down().size(), "no more than " + teacher.down().size() + " blocks at " + where);
        int[] down = spread(blocks, teacher.down().size()).toArray();
        int[] up = ends(blocks + 1, teacher.up().size()).toArray();
        return new Blocks(
                kept(where, down, teacher.down(), student.down()), kept(where, up, teacher.up(), student.up()));
    }

    private static List<Block> kept(String where, int[] blocks, List<Integer> teacher, List<Integer> student) {
        return IntStream.range(0, blocks.length)
                .mapToObj(i -> new Block(blocks[i], layers(where, student.get(i), teacher.get(blocks[i]))))
                .toList();
    }

    private static List<Integer> layers(String where, int student, int teacher) {
        require(student <= teacher, "transformers of at most " + teacher + " layers at " + where);
        return IntStream.range(0, student).map(i -> (i + 1) * teacher / student - 1).boxed().toList();
    }

    /** The first and others at even distance. */
    private static IntStream spread(int kept, int all) {
        return IntStream.range(0, kept).map(i -> i * all / kept);
    }

    /** The first, the last and others at even distance; there are at least two of each. */
    private static IntStream ends(int kept, int all) {
        return IntStream.range(0, kept).map(i -> i * (all - 1) / (kept - 1));
    }

    private static void require(boolean holds, String expected) {
        if (!holds) {
            throw new IllegalArgumentException("a student that is cut from its teacher has " + expected);
        }
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
                        .mapToObj(i -> level("levels." + i, levels.get(i), teacher.levels().get(i)))
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
                throw new IllegalArgumentException("the layout puts " + source + " of shape " + Arrays.toString(all.get(source))
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
}
