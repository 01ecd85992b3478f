package dev.retort.cli;

import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How the paths of options are read: an empty one is the current folder for Java, and a slip for a person. */
final class Place implements ITypeConverter<Path> {
    @Override
    public Path convert(String text) {
        if (text.isBlank()) {
            throw new TypeConversionException("a file or folder");
        }
        return Path.of(text);
    }
}
