package dev.retort.data;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiPredicate;

/**
 * The files of tar archives. Of an archive that is not compressed each file is read at its place when it is asked for; of
 * a compressed one pictures and what is written about them stay in memory, of other files only the names. Links are the file they lead to, as {@code tar} makes hard links of files that are linked on disk.
 */
final class TarFiles {
    private static final int LISTED = 5;
    private static final int LONGEST_CHAIN = 40;

    private final List<StoredFile> files = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private long room = Runtime.getRuntime().maxMemory() / 2;

    private TarFiles() {}

    /** Reads archives; the compressed ones together may fill half of the heap. */
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
        Map<String, StoredFile.Fetch> kept = new TreeMap<>();
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
        Map<String, StoredFile.Fetch> lateKept = new TreeMap<>();
        if (!late.isEmpty()) {
            scan(archive, (path, bytes) -> late.contains(path), lateKept, new TreeMap<>(), new HashSet<>());
        }
        targets.forEach((link, target) -> {
            StoredFile.Fetch fetch = kept.getOrDefault(target, lateKept.get(target));
            if (isKept(link) && fetch != null) {
                kept.put(link, fetch);
            } else {
                others.add(link);
            }
        });
        if (!broken.isEmpty()) {
            notes.add("left out: " + FirstFew.of(broken, LISTED) + " in " + archive
                    + ", links that lead to no file of the archive");
        }
        kept.forEach((path, fetch) -> files.add(new StoredFile(path, archive + "!" + path, archive, fetch)));
        others.forEach(path -> files.add(new StoredFile(path, archive + "!" + path, archive, () -> {
            throw new IOException("it was not kept");
        })));
    }

    /** Whether a compressed archive's file of so many bytes stays in memory. */
    private static boolean isKept(String path, long bytes) {
        return ImageNames.hiddenPart(path).isEmpty()
                && (ImageNames.isPicture(path) || Captions.mayBeIn(path, bytes) || ClassFiles.mayBeIn(path));
    }

    private static boolean isKept(String path) {
        return isKept(path, 0);
    }

    private void scan(
            Path archive,
            BiPredicate<String, Long> wanted,
            Map<String, StoredFile.Fetch> kept,
            Map<String, String> links,
            Set<String> others)
            throws IOException {
        try (TarHeaders headers = new TarHeaders(archive)) {
            for (TarHeaders.Entry entry = headers.next(); entry != null; entry = headers.next()) {
                String path = clean(entry.path());
                if (entry.header().isLink()) {
                    links.put(path, clean(entry.link()));
                } else if (entry.header().isSymbolicLink()) {
                    String inside = path.substring(0, path.lastIndexOf('/') + 1);
                    boolean absolute = entry.link().startsWith("/");
                    links.put(path, absolute ? entry.link() : clean(inside + entry.link()));
                } else if (!entry.isPlainFile()) {
                    continue;
                } else if (headers.isAddressable() && !ClassFiles.mayBeIn(path)) {
                    kept.put(path, slice(archive, entry.offset(), entry.size()));
                } else if (headers.isAddressable() || wanted.test(path, entry.size())) {
                    byte[] bytes = bytes(archive, headers, entry);
                    kept.put(path, () -> bytes);
                } else {
                    others.add(path);
                }
            }
        }
    }

    /** Opened for each reading: a thread that is interrupted would close a channel for all others. */
    private static StoredFile.Fetch slice(Path archive, long offset, long size) {
        return () -> {
            try (SeekableByteChannel channel = Files.newByteChannel(archive)) {
                ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(size));
                channel.position(offset);
                while (bytes.hasRemaining()) {
                    if (channel.read(bytes) < 0) {
                        throw new EOFException("the archive became shorter since it was opened");
                    }
                }
                return bytes.array();
            }
        };
    }

    private byte[] bytes(Path archive, TarHeaders headers, TarHeaders.Entry entry) throws IOException {
        room -= entry.size();
        if (room < 0) {
            throw new RetortException(
                    Kind.DATA,
                    archive
                            + " does not fit into half of the heap; uncompress it (gunzip), and its files are read where"
                            + " they lie");
        }
        return headers.bytes();
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
