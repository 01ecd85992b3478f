package dev.retort.config;

/**
 * A choice with options that is written in one line, in files and on the command line alike: {@code NAME} or
 * {@code NAME:option=value,option=value}. A sealed interface extends it. Its records are the choices, named as
 * {@link Vocabulary} names them; their components are the options: numbers, truth values, enum constants, texts and lists of
 * numbers ({@code times:at=999,499}). The constructor with the fewest parameters says which options must be given, the leading
 * ones, and what the others are where they are left out. A static method {@code shorthands()} of the interface may give further
 * names, each for a line that it stands for.
 */
public interface OneLine {
    /** The line that {@link #parse} reads back to an equal value; options with their usual values are left out. */
    default String text() {
        return OneLines.text(this);
    }

    /**
     * The choice that a line names.
     *
     * @throws dev.retort.error.RetortException of kind CONFIG, its message beginning with {@code is '…'}, that names the option, its
     *     value, what is allowed and the nearest spelling
     */
    static <T extends OneLine> T parse(Class<T> choice, String line) {
        return OneLines.parse(choice, line);
    }
}
