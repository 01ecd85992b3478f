package dev.retort.data;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * The files of tar archives. Pictures and what is written about them stay in memory; of other files only the names are
 * kept. Links are the file they lead to, as {@code tar} makes hard links of files that are linked on disk.
 */
final class TarFiles {
    private static final int LISTED = 5;
    private static final int LONGEST_CHAIN = 40;

    private final List<StoredFile> files = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private long room = Runtime.getRuntime().maxMemory() / 2;

    private TarFiles() {}

    /** Reads archives; together they may fill half of the heap. */
    static TarFiles read(List<Path> archives) {
        TarFiles read = new TarFiles();
        for (Path archive : archives) {
            try {
                read.add(archive);
            } catch (IOException | IllegalArgumentException e) {
                throw new RetortException(
                        Kind.DATA,
                        "cannot read the archive " + archive + " (" + e.getMessage() + "); fetch it again",
                        e);
            }
        }
        return read;
    }

    /** The files of all archives. */
    List<StoredFile> files() {
        return files;
    }

    /** What was left out, a sentence each. */
    List<String> notes() {
        return notes;
    }

    private void add(Path archive) throws IOException {
        Map<String, byte[]> kept = new TreeMap<>();
        Map<String, String> links = new TreeMap<>();
        Set<String> others = new HashSet<>();
        scan(archive, TarFiles::isKept, kept, links, others);
        Map<String, String> targets = new TreeMap<>();
        List<String> broken = new ArrayList<>();
        for (String link : links.keySet()) {
            String target = target(link, links);
            if (kept.containsKey(target) || others.contains(target)) {
                targets.put(link, target);
            } else if (ImageNames.hiddenPart(link).isEmpty()) {
                broken.add(link);
            }
        }
        // a link may have the ending of a picture where the file it leads to has none
        Set<String> late = new HashSet<>();
        targets.forEach((link, target) -> {
            if (isKept(link) && others.contains(target)) {
                late.add(target);
            }
        });
        Map<String, byte[]> lateKept = new TreeMap<>();
        if (!late.isEmpty()) {
            scan(archive, late::contains, lateKept, new TreeMap<>(), new HashSet<>());
        }
        targets.forEach((link, target) -> {
            byte[] bytes = kept.getOrDefault(target, lateKept.get(target));
            if (isKept(link) && bytes != null) {
                kept.put(link, bytes);
            } else {
                others.add(link);
            }
        });
        if (!broken.isEmpty()) {
            notes.add("left out: " + FirstFew.of(broken, LISTED) + " in " + archive
                    + ", links that lead to no file of the archive");
        }
        kept.forEach((path, bytes) -> files.add(new StoredFile(path, archive + "!" + path, () -> bytes)));
        others.forEach(path -> files.add(new StoredFile(path, archive + "!" + path, () -> {
            throw new IOException("it was not kept");
        })));
    }

    private static boolean isKept(String path) {
        return ImageNames.hiddenPart(path).isEmpty()
                && (ImageNames.isPicture(path) || Captions.mayBeIn(path) || ClassFiles.mayBeIn(path));
    }

    private void scan(
            Path archive,
            Predicate<String> wanted,
            Map<String, byte[]> kept,
            Map<String, String> links,
            Set<String> others)
            throws IOException {
        try (TarArchiveInputStream tar =
                new TarArchiveInputStream(Compressed.open(archive), StandardCharsets.UTF_8.name())) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                String path = clean(entry.getName());
                if (entry.isLink()) {
                    links.put(path, clean(entry.getLinkName()));
                } else if (entry.isSymbolicLink()) {
                    String inside = path.substring(0, path.lastIndexOf('/') + 1);
                    boolean absolute = entry.getLinkName().startsWith("/");
                    links.put(path, absolute ? entry.getLinkName() : clean(inside + entry.getLinkName()));
                } else if (!entry.isFile() || entry.isFIFO() || entry.isCharacterDevice() || entry.isBlockDevice()) {
                    continue;
                } else if (wanted.test(path)) {
                    kept.put(path, bytes(archive, tar, entry));
                } else {
                    others.add(path);
                }
            }
        }
    }

    private byte[] bytes(Path archive, TarArchiveInputStream tar, TarArchiveEntry entry) throws IOException {
        room -= entry.getSize();
        if (entry.getSize() < 0 || room < 0) {
            throw new RetortException(
                    Kind.DATA,
                    archive + " does not fit into half of the heap; unpack it and set data.path to the folder");
        }
        byte[] bytes = tar.readNBytes((int) entry.getSize());
        if (bytes.length < entry.getSize()) {
            throw new EOFException("it is cut off inside " + entry.getName());
        }
        return bytes;
    }

    private static String target(String link, Map<String, String> links) {
        String target = link;
        for (int i = 0; i < LONGEST_CHAIN && links.containsKey(target); i++) {
            target = links.get(target);
        }
        return target;
    }

    /** Without {@code ./}, doubled slashes and {@code ..}. */
    private static String clean(String path) {
        Deque<String> parts = new ArrayDeque<>();
        for (String part : path.split("/")) {
            if (part.equals("..")) {
                parts.pollLast();
            } else if (!part.isEmpty() && !part.equals(".")) {
                parts.addLast(part);
            }
        }
        return String.join("/", parts);
    }
}
