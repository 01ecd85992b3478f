package dev.retort.card;

import dev.retort.card.UNetSpec.Level;
import dev.retort.card.UNetSpec.Middle;
import dev.retort.config.Require;
import java.util.List;
import java.util.Optional;

/** Layouts of students by name, as BK-SDM (Kim et al. 2023) calls them. */
public enum NamedLayout {
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
        int beyond = teacher.levels()
                .get(Math.min(levels, teacher.levels().size() - 1))
                .channels();
        Require.that(
                beyond == teacher.levels().get(levels - 1).channels() || this != TINY,
                "layout",
                this,
                "another for " + teacher.name() + ": blocks on the way up of its last level but one take the " + beyond
                        + " channels of the innermost, which would be left out");
        List<Level> kept =
                teacher.levels().subList(0, levels).stream().map(this::of).toList();
        Optional<Middle> middle = compareTo(SMALL) < 0 ? teacher.middle() : Optional.empty();
        UNetSpec student = teacher.with(kept, middle);
        Require.that(
                this == WHOLE || !student.equals(teacher),
                "layout",
                this,
                "another: " + teacher.name() + " has nothing that this one leaves out");
        return EvenLayout.between(teacher, student);
    }

    private Level of(Level level) {
        int blocks = this == WHOLE ? level.down().size() : (level.down().size() + 1) / 2;
        return new Level(
                level.channels(),
                level.heads(),
                EvenLayout.spread(blocks, level.down().size())
                        .map(level.down()::get)
                        .boxed()
                        .toList(),
                EvenLayout.ends(blocks + 1, level.up().size())
                        .map(level.up()::get)
                        .boxed()
                        .toList());
    }
}
