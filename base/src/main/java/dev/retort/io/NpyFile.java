package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;

/** A lone {@code .npy}: one tensor, whose name is empty. */
final class NpyFile implements TensorFile {
    private final RandomAccess bytes;
    private final StoredTensor stored;

    private NpyFile(RandomAccess bytes, StoredTensor stored) {
        this.bytes = bytes;
        this.stored = stored;
    }

    /** Takes over the bytes: they are closed with the file, or at once where they are refused. */
    static NpyFile open(RandomAccess bytes) {
        try {
            NpyHeader header = NpyHeader.read(bytes.stream(0, bytes.size()));
            long held = bytes.size() - header.length();
            if (header.readable() && header.byteCount() != held) {
                throw new Malformed("it needs " + header.byteCount() + " bytes of values, has " + held);
            }
            return new NpyFile(bytes, header.locate("", header.length(), held, bytes.path()));
        } catch (IOException e) {
            bytes.close();
            throw refused(bytes.path(), e);
        }
    }

    @Override
    public Path path() {
        return bytes.path();
    }

    @Override
    public Map<String, String> metadata() {
        return Map.of();
    }

    @Override
    public Map<String, TensorEntry> entries() {
        return Map.of("", stored.entry());
    }

    @Override
    public void read(String name, long from, ByteBuffer target) {
        entry(name);
        try {
            stored.read(bytes, from, target);
        } catch (IOException e) {
            throw refused(path(), e);
        }
    }

    @Override
    public void close() {
        bytes.close();
    }

    private static RetortException refused(Path path, IOException why) {
        return new RetortException(Kind.CHECKPOINT, "cannot read " + path + ": " + Malformed.sentence(why), why);
    }
}
