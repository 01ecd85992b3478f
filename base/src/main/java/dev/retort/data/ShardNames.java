package dev.retort.data;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names of several archives in one, as a shell expands them: {@code {0000..0009}} (with the zeros of its ends) and
 * {@code {a,b}} name files that must be there; {@code *}, {@code ?} and {@code [a-f]} in a file's name take those that are.
 */
final class ShardNames {
    private static final Pattern BRACES = Pattern.compile("\\{(?:(\\d+)\\.\\.(\\d+)|([^{}]*,[^{}]*))}");
    private static final int LISTED = 3;
    private static final int MOST = 1_000_000;

    private ShardNames() {}

    /** Whether a path is such names, rather than a file that is called so. */
    static boolean are(String path) {
        return (BRACES.matcher(path).find() || isGlob(path)) && !Files.exists(Datasets.expanded(path));
    }

    /** The files, in the order of the names. */
    static List<Path> of(String path) {
        List<Path> files = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        for (String name : expanded(path)) {
            Path file = Datasets.expanded(name);
            if (isGlob(name)) {
                files.addAll(matching(file));
            } else if (Files.isRegularFile(file)) {
                files.add(file);
            } else {
                missing.add(name);
            }
        }
        if (!missing.isEmpty()) {
            throw new RetortException(
                    Kind.DATA,
                    "data.path is " + path + ", of which " + missing.size()
                            + (missing.size() == 1 ? " file is" : " files are") + " not there: "
                            + FirstFew.of(missing, LISTED) + "; fetch what is missing, or name those that are there");
        }
        if (files.isEmpty()) {
            throw new RetortException(
                    Kind.DATA, "data.path is " + path + ", which no file is named as; give the names of the archives");
        }
        return List.copyOf(files);
    }

    private static boolean isGlob(String path) {
        return ImageNames.file(path).matches(".*[*?\\[].*");
    }

    private static List<Path> matching(Path pattern) {
        Path folder = pattern.toAbsolutePath().getParent();
        try (DirectoryStream<Path> found =
                Files.newDirectoryStream(folder, pattern.getFileName().toString())) {
            List<Path> files = new ArrayList<>();
            found.forEach(files::add);
            return files.stream().filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new RetortException(
                    Kind.DATA, "cannot read the folder " + folder + " (" + e.getMessage() + "); check data.path", e);
        }
    }

    private static List<String> expanded(String path) {
        Matcher braces = BRACES.matcher(path);
        if (!braces.find()) {
            return List.of(path);
        }
        List<String> all = new ArrayList<>();
        for (String word : words(path, braces)) {
            all.addAll(expanded(path.substring(0, braces.start()) + word + path.substring(braces.end())));
        }
        return all;
    }

    private static List<String> words(String path, Matcher braces) {
        if (braces.group(3) != null) {
            return List.of(braces.group(3).split(",", -1));
        }
        String first = braces.group(1);
        String last = braces.group(2);
        int digits = first.startsWith("0") || last.startsWith("0") ? Math.max(first.length(), last.length()) : 1;
        long from = number(path, first);
        long to = number(path, last);
        if (to < from || to - from >= MOST) {
            throw refused(path, first + ".." + last);
        }
        List<String> words = new ArrayList<>();
        for (long i = from; i <= to; i++) {
            String plain = Long.toString(i);
            words.add("0".repeat(Math.max(0, digits - plain.length())) + plain);
        }
        return words;
    }

    private static long number(String path, String digits) {
        try {
            return Long.parseLong(digits);
        } catch (NumberFormatException e) {
            throw refused(path, digits);
        }
    }

    private static RetortException refused(String path, String range) {
        return new RetortException(
                Kind.CONFIG,
                "data.path is " + path + ", expected a rising range of at most " + MOST + " numbers, not " + range);
    }
}
