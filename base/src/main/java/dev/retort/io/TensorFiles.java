package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Opens tensors of any format: what a file is follows from its content, never from its name. */
public final class TensorFiles {
    private TensorFiles() {}

    /**
     * Opens safetensors, a torch pickle (zip or the older stream), npz or npy; an index of shards; or a folder that holds
     * weights once, whatever variants and formats lie beside them.
     *
     * @throws RetortException naming the file and what is wrong with it
     */
    public static TensorFile open(Path path) {
        if (Files.isDirectory(path)) {
            return open(WeightsFolder.choose(path));
        }
        if (WeightsName.isIndex(path.getFileName().toString())) {
            return ShardedFile.open(path);
        }
        RandomAccess bytes;
        byte[] start;
        try {
            if (Files.isSymbolicLink(path) && !Files.exists(path)) {
                throw refused(
                        path,
                        "it is a link to " + Files.readSymbolicLink(path) + ", which is not there; fetch it again");
            }
            bytes = RandomAccess.open(path);
            start = bytes.bytes(0, (int) Math.min(64, bytes.size())).array();
        } catch (IOException e) {
            throw refused(path, Malformed.sentence(e));
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
            NpzFile npz = NpzFile.of(bytes, archive, Kind.CHECKPOINT);
            npz.entries();
            return npz;
        } catch (IOException e) {
            bytes.close();
            throw refused(bytes.path(), Malformed.sentence(e));
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

    static RetortException refused(Path path, String why) {
        return new RetortException(Kind.CHECKPOINT, "cannot read " + path + ": " + why);
    }
}
