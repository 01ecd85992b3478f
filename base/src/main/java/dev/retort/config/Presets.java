package dev.retort.config;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.FileNames;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The presets kept in the program, {@code presets/KIND/NAME.yaml}, and files of the same form. */
public final class Presets {
    private static final String ENDING = ".yaml";

    private Presets() {}

    /** All presets of a kind, by name; none where the kind has none. */
    public static List<Preset> list(String kind) {
        return names(kind).stream().map(name -> read(kind, name)).toList();
    }

    /** A preset by its name, or a file by its path; a name nobody knows is refused with the nearest known one. */
    public static Preset open(String kind, String nameOrFile) {
        List<String> names = names(kind);
        if (names.contains(nameOrFile)) {
            return read(kind, nameOrFile);
        }
        Path file = FileNames.path(nameOrFile);
        if (Files.isRegularFile(file)) {
            return file(kind, file);
        }
        boolean looksLikeFile = nameOrFile.endsWith(ENDING) || nameOrFile.endsWith(".yml") || file.getNameCount() > 1;
        if (looksLikeFile) {
            throw new RetortException(
                    Kind.CONFIG,
                    "There is no file " + nameOrFile + "; check the path, or take a preset: 'retort presets'");
        }
        throw new RetortException(
                Kind.CONFIG,
                "There is no " + kind + " preset '" + nameOrFile + "'" + Suggestion.among(nameOrFile, names)
                        + " ('retort presets' says what each is)");
    }

    private static List<String> names(String kind) {
        URL folder = Presets.class.getResource("/presets/" + kind);
        if (folder == null) {
            return List.of();
        }
        try {
            URI uri = folder.toURI();
            if (!uri.getScheme().equals("jar")) {
                return namesIn(Path.of(uri));
            }
            try (FileSystem jar = FileSystems.newFileSystem(uri, Map.of())) {
                return namesIn(jar.getPath("presets", kind));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> namesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(ENDING))
                    .map(file -> file.substring(0, file.length() - ENDING.length()))
                    .sorted()
                    .toList();
        }
    }

    private static Preset read(String kind, String name) {
        try (InputStream in = Presets.class.getResourceAsStream("/presets/" + kind + "/" + name + ENDING)) {
            return Preset.of(kind, name, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A file's text as a configuration of a kind. */
    static Preset file(String kind, Path file) {
        try {
            return Preset.of(kind, file.toString(), Files.readString(file));
        } catch (IOException e) {
            throw new RetortException(
                    Kind.CONFIG, file + " cannot be read as UTF-8 text; check its permissions and its encoding", e);
        }
    }
}
