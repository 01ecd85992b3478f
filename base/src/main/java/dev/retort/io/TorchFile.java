package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.PickleValue.Storage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;

/**
 * What {@code torch.save} wrote: a zip, or before version 1.6 one stream of pickles and bytes. Only names on a short
 * list are known ({@link PickleNames}); nothing of the file is run. Tensors inside dictionaries, lists and objects are
 * named by their path, as in {@code ema.blocks.0.attn.qkv.weight}, and plain values stand in {@link #metadata} alike.
 */
public final class TorchFile implements TensorFile {
    /** Entries by which a zip is known as torch's. */
    static final Pattern PART = Pattern.compile("(?s)(.*/)?(data\\.pkl|version|byteorder|data/\\d+)");

    private static final int LONGEST_PICKLE = 1 << 28;
    private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
    private static final long LEGACY_VERSION = 1001;

    /** Where a storage's bytes lie. */
    private record Place(Bytes bytes, long start, long length) {}

    /** Where a tensor's values lie. */
    private record Source(Bytes bytes, StoredTensor stored) {}

    private final RandomAccess bytes;
    /** Held because the zip library closes the file when its list is collected; null for the older form. */
    private final Archive archive;

    private final Map<String, String> metadata;
    private final Map<String, TensorEntry> entries = new LinkedHashMap<>();
    private final Map<String, Source> sources = new LinkedHashMap<>();
    private final Map<String, Place> places;

    private TorchFile(RandomAccess bytes, Archive archive, Object root, Map<String, Place> places, boolean bigEndian)
            throws IOException {
        this.bytes = bytes;
        this.archive = archive;
        this.places = places;
        PickleTree tree = PickleTree.of(root);
        metadata = tree.values();
        for (Map.Entry<String, PickleValue.Tensor> found : tree.tensors().entrySet()) {
            String name = found.getKey();
            if (found.getValue() instanceof PickleValue.View view) {
                add(name, view, bigEndian);
            } else if (found.getValue() instanceof PickleValue.Unread unread) {
                ElementType type = new UnreadType(unread.type(), unread.byteCount(), bytes.path());
                entries.put(name, new TensorEntry(name, type, unread.shape()));
            }
        }
    }

    private void add(String name, PickleValue.View view, boolean bigEndian) throws Malformed {
        Storage storage = view.storage();
        Place place = places.get(storage.key());
        if (place == null) {
            throw new Malformed("the storage '" + storage.key() + "' of '" + name + "' is missing");
        }
        long needed = Math.multiplyExact(
                storage.offset() + storage.elements(), storage.type().bytes());
        if (place.length() < needed) {
            throw new Malformed("the storage '" + storage.key() + "' of '" + name + "' has " + place.length()
                    + " bytes, needs " + needed);
        }
        TensorEntry entry = new TensorEntry(name, view.type().elements(view.shape(), bytes.path()), view.shape());
        entries.put(name, entry);
        sources.put(
                name,
                new Source(
                        place.bytes(),
                        new StoredTensor(entry, place.start() + view.start(), view.strides(), bigEndian)));
    }

    /**
     * Opens and checks a file of either form.
     *
     * @throws RetortException of kind CHECKPOINT, naming the file and what is wrong with it
     */
    public static TorchFile open(Path path) {
        try {
            return open(RandomAccess.open(path));
        } catch (IOException e) {
            throw refused(path, e);
        }
    }

    /** Takes over the bytes: they are closed with the file, or at once where they are refused. */
    static TorchFile open(RandomAccess bytes) {
        try {
            byte[] start = bytes.bytes(0, (int) Math.min(2, bytes.size())).array();
            return start.length == 2 && start[0] == 'P' ? zip(bytes, new Archive(bytes)) : legacy(bytes);
        } catch (IOException e) {
            bytes.close();
            throw refused(bytes.path(), e);
        }
    }

    static TorchFile zip(RandomAccess bytes, Archive archive) {
        try {
            return readZip(bytes, archive);
        } catch (IOException e) {
            bytes.close();
            throw refused(bytes.path(), e);
        } catch (ArithmeticException e) {
            bytes.close();
            throw refused(bytes.path(), new Malformed("its sizes exceed 63 bits"));
        }
    }

    static TorchFile legacy(RandomAccess bytes) {
        try {
            return readLegacy(bytes);
        } catch (IOException e) {
            bytes.close();
            throw refused(bytes.path(), e);
        } catch (ArithmeticException e) {
            bytes.close();
            throw refused(bytes.path(), new Malformed("its sizes exceed 63 bits"));
        }
    }

    /** {@code NAME/data.pkl}, {@code NAME/data/KEY} uncompressed, {@code NAME/byteorder}. */
    private static TorchFile readZip(RandomAccess bytes, Archive archive) throws IOException {
        List<String> pickles = archive.entries().keySet().stream()
                .filter(name -> name.equals("data.pkl") || name.endsWith("/data.pkl"))
                .toList();
        if (pickles.size() != 1) {
            throw new Malformed("it is a zip with " + pickles.size() + " files data.pkl, expected one");
        }
        String prefix = pickles.get(0).substring(0, pickles.get(0).length() - "data.pkl".length());
        byte[] pickle = archive.content(archive.entries().get(pickles.get(0)), LONGEST_PICKLE);
        Object root = new Unpickler(new PickleInput(new ByteArrayInputStream(pickle), pickle.length), new PickleNames())
                .read();
        ZipArchiveEntry order = archive.entries().get(prefix + "byteorder");
        String byteOrder =
                order == null ? "little" : new String(archive.content(order, 64), StandardCharsets.US_ASCII).strip();
        if (!byteOrder.equals("little") && !byteOrder.equals("big")) {
            throw new Malformed("its byte order is '" + byteOrder + "', expected little or big");
        }
        Map<String, Place> places = new HashMap<>();
        for (Map.Entry<String, ZipArchiveEntry> entry : archive.entries().entrySet()) {
            if (entry.getKey().startsWith(prefix + "data/")) {
                ZipArchiveEntry storage = entry.getValue();
                if (!Archive.stored(storage)) {
                    throw new Malformed(
                            "its storage '" + entry.getKey() + "' is compressed, which torch.save never does",
                            "zip it again without compression (zip -0)");
                }
                places.put(
                        entry.getKey().substring(prefix.length() + 5),
                        new Place(archive.bytes(storage), storage.getDataOffset(), storage.getSize()));
            }
        }
        return new TorchFile(bytes, archive, root, places, byteOrder.equals("big"));
    }

    /** A magic number, a version, the system, the object, the storages' keys; then each storage behind its length. */
    private static TorchFile readLegacy(RandomAccess bytes) throws IOException {
        RandomAccess.Range in = bytes.stream(0, bytes.size());
        Object magic = pickle(in);
        if (!MAGIC.equals(magic)) {
            throw new Malformed("it is a pickle but not one of torch's", "give a file that torch.save wrote");
        }
        Object version = pickle(in);
        if (!Long.valueOf(LEGACY_VERSION).equals(version)) {
            throw new Malformed("it is of another version of torch's old form than " + LEGACY_VERSION);
        }
        if (pickle(in) instanceof Map<?, ?> system && Boolean.FALSE.equals(system.get("little_endian"))) {
            throw new Malformed(
                    "it was written by a big-endian machine in torch's old form", "save it again in the newer form");
        }
        PickleNames names = new PickleNames();
        Object root = pickle(in, names);
        Map<String, TorchType> types = names.storages();
        if (!(pickle(in) instanceof List<?> keys)) {
            throw new Malformed("its list of storages is missing");
        }
        Map<String, Place> places = new HashMap<>();
        long at = in.position();
        for (Object key : keys) {
            long elements = bytes.bytes(at, Long.BYTES).getLong(0);
            if (!(key instanceof String name) || !types.containsKey(name) || elements < 0) {
                throw new Malformed("a storage of its list belongs to no tensor or has a wrong length");
            }
            long length = Math.multiplyExact(elements, (long) types.get(name).bytes());
            at += Long.BYTES;
            if (length > bytes.size() - at) {
                throw new Malformed("it is cut off inside its storage '" + name + "'");
            }
            places.put(name, new Place(bytes, at, length));
            at += length;
        }
        return new TorchFile(bytes, null, root, places, false);
    }

    private static Object pickle(RandomAccess.Range in) throws IOException {
        return pickle(in, new PickleNames());
    }

    private static Object pickle(RandomAccess.Range in, PickleNames names) throws IOException {
        return new Unpickler(new PickleInput(in, Math.min(in.left(), LONGEST_PICKLE)), names).read();
    }

    @Override
    public Path path() {
        return bytes.path();
    }

    /** The plain values of the file by their path: {@code args.model}, {@code opt.param_groups.0.lr}. */
    @Override
    public Map<String, String> metadata() {
        return metadata;
    }

    @Override
    public Map<String, TensorEntry> entries() {
        return Collections.unmodifiableMap(entries);
    }

    @Override
    public void read(String name, long from, ByteBuffer target) {
        entry(name).dtype(); // refuses what is not read
        try {
            Source source = sources.get(name);
            source.stored().read(source.bytes(), from, target);
        } catch (IOException e) {
            throw refused(path(), e);
        }
    }

    @Override
    public void verify() {
        try {
            for (Place place : places.values()) {
                place.bytes().finish();
            }
        } catch (IOException e) {
            throw refused(path(), e);
        }
    }

    @Override
    public void close() {
        if (archive != null) {
            archive.close();
        }
        bytes.close();
    }

    private static RetortException refused(Path path, IOException why) {
        return new RetortException(Kind.CHECKPOINT, "cannot read " + path + ": " + Malformed.sentence(why), why);
    }
}
