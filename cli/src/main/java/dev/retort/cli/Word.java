package dev.retort.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How the words of options are read: an empty one, mostly a variable of a script that is not set, means nothing. */
final class Word implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
        if (text.isBlank()) {
            throw new TypeConversionException("a word");
        }
        return text;
    }
}
