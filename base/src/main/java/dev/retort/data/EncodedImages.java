package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.CentreCrop;
import dev.retort.io.ImageDecoder;
import dev.retort.io.PixelImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Pictures that lie encoded (JPEG, PNG, WebP, BMP, GIF) in files or an archive, cropped to a square as DiT does, in RGB.
 * What is decoded once stays in memory as bytes where the whole set fits into a quarter of the heap.
 */
final class EncodedImages implements ImageSource {
    private static final int OVERHEAD = 64;

    private final String name;
    private final int size;
    private final ClassFiles classes;
    private final List<StoredFile> pictures;
    private final Captions captions;
    private final boolean divided;
    private final List<String> notes;
    private final List<Path> files;
    private final AtomicReferenceArray<PixelImage> decoded;

    private EncodedImages(
            String name,
            int size,
            ClassFiles classes,
            Captions captions,
            boolean divided,
            List<String> notes,
            List<Path> files) {
        if (size < 1) {
            throw new RetortException(
                    Kind.CONFIG, "data.size is " + size + ", expected at least 1; set the size to crop pictures to");
        }
        this.name = name;
        this.size = size;
        this.classes = classes;
        this.pictures = classes.pictures();
        this.captions = captions;
        this.divided = divided;
        this.notes = notes;
        this.files = files;
        long bytes = pictures.size() * (3L * size * size + OVERHEAD);
        boolean fits = bytes <= Runtime.getRuntime().maxMemory() / 4;
        this.decoded = fits ? new AtomicReferenceArray<>(pictures.size()) : null;
    }

    /**
     * The pictures of one split of a set.
     *
     * @param size rows and columns, at least 1
     * @param where the set, for sentences
     * @param files all files of the set
     * @param passedOver what was left out in finding them, a sentence each
     */
    static EncodedImages of(
            String name, int size, String split, String where, List<StoredFile> files, List<String> passedOver) {
        return of(name, size, ImageLayout.of(files, split, where), files, passedOver);
    }

    /** The same where the files are already those of one split; folders of splits among them still count. */
    static EncodedImages ofSplit(
            String name, int size, String split, String where, List<StoredFile> files, List<String> passedOver) {
        return of(name, size, ImageLayout.ofSplit(files, split, where), files, passedOver);
    }

    private static EncodedImages of(
            String name, int size, ImageLayout layout, List<StoredFile> files, List<String> passedOver) {
        ClassFiles classes = ClassFiles.of(layout, files);
        Captions captions = new Captions(files);
        List<String> notes = new ArrayList<>(passedOver);
        notes.addAll(layout.notes());
        notes.addAll(classes.notes());
        notes.addAll(captions.notes());
        return new EncodedImages(
                name, size, classes, captions, layout.divided(), List.copyOf(notes), onDisk(classes.pictures(), files));
    }

    /** Of the pictures, and of what lies beside them or lists captions. */
    private static List<Path> onDisk(List<StoredFile> pictures, List<StoredFile> all) {
        Set<String> keys = new HashSet<>();
        Set<Path> files = new LinkedHashSet<>();
        for (StoredFile picture : pictures) {
            keys.add(ImageNames.withoutEnding(picture.name()));
            files.add(picture.disk());
        }
        for (StoredFile file : all) {
            boolean beside = keys.contains(ImageNames.withoutEnding(file.name()))
                    && (Captions.mayBeIn(file.path(), 0) || ClassFiles.mayBeIn(file.path()));
            if (beside || Captions.isList(file.path())) {
                files.add(file.disk());
            }
        }
        return List.copyOf(files);
    }

    @Override
    public List<Path> files() {
        return files;
    }

    @Override
    public List<String> notes() {
        return notes;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean hasTestSplit() {
        return divided;
    }

    @Override
    public int channels() {
        return 3;
    }

    @Override
    public int height() {
        return size;
    }

    @Override
    public int width() {
        return size;
    }

    @Override
    public List<String> classNames() {
        return classes.names();
    }

    @Override
    public long size() {
        return pictures.size();
    }

    @Override
    public Note read(long index, float[] out, int offset) {
        int i = Math.toIntExact(index);
        PixelImage image = decoded == null ? null : decoded.get(i);
        if (image == null) {
            image = decode(pictures.get(i));
            if (decoded != null) {
                decoded.set(i, image);
            }
        }
        image.toFloats(out, offset);
        return note(index);
    }

    @Override
    public Note note(long index) {
        int i = Math.toIntExact(index);
        return new Note(classes.labels()[i], captions.of(pictures.get(i)));
    }

    @Override
    public void requireCaptions() {
        List<String> without = pictures.stream()
                .filter(picture -> !captions.has(picture))
                .map(StoredFile::name)
                .toList();
        if (!without.isEmpty()) {
            throw Captions.missing(name, without.size(), pictures.size(), without.get(0));
        }
    }

    @Override
    public int label(long index) {
        return classes.labels()[Math.toIntExact(index)];
    }

    private PixelImage decode(StoredFile picture) {
        try {
            PixelImage whole = ImageDecoder.decode(picture.bytes(), picture.name());
            return CentreCrop.square(whole, size).rgb();
        } catch (IOException e) {
            throw new RetortException(
                    Kind.DATA,
                    "cannot read the picture " + picture.name() + " (" + e.getMessage() + "); repair or remove it",
                    e);
        }
    }
}
