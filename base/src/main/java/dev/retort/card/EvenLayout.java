package dev.retort.card;

import dev.retort.card.UNetLayout.Block;
import dev.retort.card.UNetLayout.Blocks;
import dev.retort.card.UNetSpec.Level;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Which blocks a student stands for where nothing but its shape says it: blocks and layers at even distance. */
public final class EvenLayout {
    private EvenLayout() {}

    /**
     * What a student keeps by its shape: of a level's blocks on the way down the first and others at even distance, on the way up the first,
     * the last and others at even distance, of a transformer's layers the last and others at even distance.
     *
     * @throws IllegalArgumentException where the student is no part of the teacher
     */
    public static UNetLayout between(UNetSpec teacher, UNetSpec student) {
        int count = student.levels().size();
        require(
                count <= teacher.levels().size(),
                "no more levels than the teacher's, " + teacher.levels().size());
        require(
                student.middle().isEmpty() || count == teacher.levels().size(),
                "no middle where levels are left out: the teacher's lies at another size");
        List<Blocks> levels = IntStream.range(0, count)
                .mapToObj(
                        i -> blocks(i, teacher.levels().get(i), student.levels().get(i)))
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
        require(
                blocks <= teacher.down().size(),
                "no more than " + teacher.down().size() + " blocks at " + where);
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
        return IntStream.range(0, student)
                .map(i -> (i + 1) * teacher / student - 1)
                .boxed()
                .toList();
    }

    /** The first and others at even distance. */
    static IntStream spread(int kept, int all) {
        return IntStream.range(0, kept).map(i -> i * all / kept);
    }

    /** The first, the last and others at even distance; there are at least two of each. */
    static IntStream ends(int kept, int all) {
        return IntStream.range(0, kept).map(i -> i * (all - 1) / (kept - 1));
    }

    private static void require(boolean holds, String expected) {
        if (!holds) {
            throw new IllegalArgumentException("a student that is cut from its teacher has " + expected);
        }
    }
}
