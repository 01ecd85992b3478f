package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Opens tensors of any format: what a file is follows from its content, never from its name. */
public final class TensorFiles {
    private static final Pattern SHARD = Pattern.compile("(.+)-(\\d{5})-of-(\\d{5})(\\.[a-z]+)");
    private static final Pattern WEIGHTS = Pattern.compile(".+\\.(safetensors|bin|pt|pth|ckpt|npz)");

    private TensorFiles() {}

    /**
     * Opens safetensors, a torch pickle (zip or the older stream), npz or npy; an index of shards; or a folder that holds
     * an index or one file of weights.
     *
     * @throws RetortException naming the file and what is wrong with it
     */
    public static TensorFile open(Path path) {
        if (Files.isDirectory(path)) {
            return open(inside(path));
        }
        if (path.toString().endsWith(".index.json")) {
            return ShardedFile.open(path);
        }
        RandomAccess bytes;
        byte[] start;
        try {
            bytes = RandomAccess.open(path);
            start = bytes.bytes(0, (int) Math.min(64, bytes.size())).array();
        } catch (IOException e) {
            throw refused(path, e.getMessage());
        }
        String text = new String(start, StandardCharsets.ISO_8859_1);
        if (text.startsWith("PK")) {
            return zip(bytes);
        }
        if (text.startsWith("\u0093NUMPY")) {
            return NpyFile.open(bytes);
        }
        if (start.length > 8 && start[8] == '{') {
            return SafetensorsFile.open(bytes);
        }
        if (text.startsWith("\u0080")) {
            return TorchFile.legacy(bytes);
        }
        bytes.close();
        throw refused(path, notWeights(text));
    }

    /** A torch archive, which has a pickle and numbered storages; else an npz. */
    private static TensorFile zip(RandomAccess bytes) {
        try {
            Archive archive = new Archive(bytes);
            if (archive.entries().keySet().stream().anyMatch(TorchFile.PART.asMatchPredicate())) {
                return TorchFile.zip(bytes, archive);
            }
            NpzFile npz = NpzFile.of(bytes, archive);
            npz.entries();
            return npz;
        } catch (IOException e) {
            bytes.close();
            throw refused(bytes.path(), e.getMessage());
        } catch (RetortException e) {
            bytes.close();
            throw e;
        }
    }

    private static String notWeights(String text) {
        if (text.startsWith("version https://git-lfs")) {
            return "it is a Git LFS pointer, not the file itself; run 'git lfs pull' where it came from";
        }
        if (text.stripLeading().startsWith("<")) {
            return "it is a web page, so the download failed; fetch it again";
        }
        return text.isEmpty()
                ? "it is empty; fetch it again"
                : "it is neither safetensors nor a torch pickle nor npz; give a file of weights";
    }

    /** The one thing of a folder to open: an index where there is one, else its only file of weights. */
    private static Path inside(Path folder) {
        List<Path> indexes = new ArrayList<>();
        List<Path> files = new ArrayList<>();
        try (Stream<Path> children = Files.list(folder)) {
            for (Path child : children.sorted().toList()) {
                String name = child.getFileName().toString();
                if (name.endsWith(".index.json")) {
                    indexes.add(child);
                } else if (WEIGHTS.matcher(name).matches()) {
                    files.add(child);
                }
            }
        } catch (IOException e) {
            throw refused(folder, "it cannot be listed (" + e.getMessage() + ")");
        }
        // Where both exist, safetensors are the same weights in the safer format.
        indexes.sort(Comparator.comparing(index -> !index.toString().endsWith(".safetensors.index.json")));
        if (!indexes.isEmpty()) {
            return indexes.get(0);
        }
        List<Path> safe = files.stream()
                .filter(f -> f.toString().endsWith(".safetensors"))
                .toList();
        List<Path> candidates = safe.isEmpty() ? files : safe;
        if (candidates.isEmpty()) {
            throw refused(folder, "it holds no weights; give a file, or a folder with one");
        }
        Matcher shard = SHARD.matcher(candidates.get(0).getFileName().toString());
        if (shard.matches()) {
            throw refused(
                    folder,
                    "it holds parts such as " + candidates.get(0).getFileName() + " but " + shard.group(1)
                            + shard.group(4) + ".index.json is missing; fetch it again");
        }
        if (candidates.size() > 1) {
            throw refused(
                    folder,
                    "it holds " + candidates.size() + " files of weights, "
                            + candidates.get(0).getFileName() + " and "
                            + candidates.get(1).getFileName() + " among them; name the one to read");
        }
        return candidates.get(0);
    }

    private static RetortException refused(Path path, String why) {
        return new RetortException(Kind.CHECKPOINT, "cannot read " + path + ": " + why);
    }
}
