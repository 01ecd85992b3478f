package dev.retort.data;

import dev.retort.config.Require;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/**
 * Which pictures to train or evaluate on; in a file {@code kind} says which of them.
 *
 * <p>All kinds have a split ({@code train}, {@code test} or {@code val}, under whichever of their names the folders have: {@code
 * Training}, {@code valid}), a size in rows and columns, and say whether training mirrors half of the pictures left to right; all
 * but the drawn ones have the path of a file or folder.
 */
public sealed interface DataConfig {
    /** The field that chooses the kind. */
    String CHOSEN_BY = "kind";

    /** The file or folder; empty where nothing is read. */
    String path();

    /** The split. */
    String split();

    /** Rows and columns; 0 for the stored size, where all pictures have one. */
    int size();

    /** Whether training mirrors half of the pictures left to right. */
    boolean flip();

    /**
     * Opens the pictures.
     *
     * @throws dev.retort.error.RetortException of kind DATA or CONFIG when they are missing, unreadable or of another size
     */
    ImageSource open();

    /** Pictures of the same kind elsewhere, of another split or size. */
    DataConfig with(String path, String split, int size);

    /** The same pictures at another size. */
    default DataConfig withSize(int other) {
        return with(path(), split(), other);
    }

    /** The same pictures of another split. */
    default DataConfig withSplit(String other) {
        return with(path(), other, size());
    }

    /** The pictures themselves: those that a latent cache was made from, else these. */
    default DataConfig pictures() {
        return this;
    }

    /** The drawn shapes for training at a size, never mirrored. */
    static DataConfig shapes(int size) {
        return new Shapes("train", size, false);
    }

    /** The data that a person means by one word: {@code shapes}, {@code captioned-shapes}, or the place of a file or folder. */
    static DataConfig of(String word, String split, int size) {
        return switch (word) {
            case "shapes" -> new Shapes(split, size, false);
            case "captioned-shapes" -> new CaptionedShapes(split, size, false);
            default -> new Auto(word, split, size, false);
        };
    }

    /** What a configuration may leave out of every kind. */
    static Map<String, ?> defaults() {
        return Map.of("split", "train", "size", 0, "flip", false);
    }

    /** Shapes once had to have a path, an empty one. */
    static void upgrade(ObjectNode fields) {
        if (fields.path(CHOSEN_BY).asString("").equals("shapes")
                && fields.path("path").asString("-").isEmpty()) {
            fields.remove("path");
        }
    }

    private static void require(String path, String split, int size) {
        Require.that(!path.isBlank(), "path", "empty", "the file or folder of the pictures");
        requireSplit(split, size);
    }

    private static void requireSplit(String split, int size) {
        Require.that(!split.isBlank(), "split", "empty", "train, test or another split folder");
        Require.between("size", size, 0, 4096);
    }

    /** Whichever kind is found at the path. */
    record Auto(String path, String split, int size, boolean flip) implements DataConfig {
        public Auto {
            require(path, split, size);
        }

        /** The kind that is there. */
        public DataConfig found() {
            return Datasets.found(this);
        }

        @Override
        public ImageSource open() {
            return found().open();
        }

        @Override
        public DataConfig pictures() {
            return !ShardNames.are(path) && LatentFolder.is(Datasets.existing(path)) ? found().pictures() : this;
        }

        @Override
        public DataConfig with(String otherPath, String otherSplit, int otherSize) {
            return new Auto(otherPath, otherSplit, otherSize, flip);
        }
    }

    /** Shapes that we draw, without end and without a file; at 32 pixels where no size is given. */
    record Shapes(String split, int size, boolean flip) implements DataConfig {
        private static final int SIZE = 32;
        private static final long TRAIN_SEED = 1;
        private static final long TEST_SEED = 2;

        public Shapes {
            requireSplit(split, size);
        }

        @Override
        public String path() {
            return "";
        }

        @Override
        public ImageSource open() {
            int pixels = size == 0 ? SIZE : size;
            Require.between("data.size", pixels, 16, 64);
            return new dev.retort.data.Shapes(pixels, split.equals("train") ? TRAIN_SEED : TEST_SEED);
        }

        @Override
        public DataConfig with(String nowhere, String otherSplit, int otherSize) {
            return new Shapes(otherSplit, otherSize, flip);
        }
    }

    /** Shapes that we draw with captions, without end and without a file; at 32 pixels where no size is given. */
    record CaptionedShapes(String split, int size, boolean flip) implements DataConfig {
        private static final int SIZE = 32;

        public CaptionedShapes {
            Require.oneOf("split", split, dev.retort.data.CaptionedShapes.SPLITS);
            Require.that(size == 0 || size >= 16 && size <= 64, "size", size, "0 (the usual 32), or 16 to 64");
            Require.that(!flip, "flip", true, "false: the captions say where a shape is, left or right");
        }

        @Override
        public String path() {
            return "";
        }

        @Override
        public ImageSource open() {
            return new dev.retort.data.CaptionedShapes(size == 0 ? SIZE : size, split);
        }

        @Override
        public DataConfig with(String nowhere, String otherSplit, int otherSize) {
            return new CaptionedShapes(otherSplit, otherSize, flip);
        }
    }

    /** A folder of IDX files: MNIST, Fashion-MNIST. */
    record Idx(String path, String split, int size, boolean flip) implements DataConfig {
        public Idx {
            require(path, split, size);
        }

        @Override
        public ImageSource open() {
            return IdxImages.open(Datasets.folder(path), split, size);
        }

        @Override
        public DataConfig with(String otherPath, String otherSplit, int otherSize) {
            return new Idx(otherPath, otherSplit, otherSize, flip);
        }
    }

    /** CIFAR-10 in its binary form: the archive, its folder or a file of it. */
    record Cifar10(String path, String split, int size, boolean flip) implements DataConfig {
        public Cifar10 {
            require(path, split, size);
        }

        @Override
        public ImageSource open() {
            return Datasets.ofStoredSize(this, CifarImages.open(Datasets.existing(path), split));
        }

        @Override
        public DataConfig with(String otherPath, String otherSplit, int otherSize) {
            return new Cifar10(otherPath, otherSplit, otherSize, flip);
        }
    }

    /**
     * A tar archive of pictures, perhaps compressed, a folder of such, or several by a pattern:
     * {@code shards-{0000..0009}.tar}, {@code train-*.tar}.
     */
    record Tar(String path, String split, int size, boolean flip) implements DataConfig {
        public Tar {
            require(path, split, size);
        }

        @Override
        public ImageSource open() {
            return TarImages.open(path, split, size);
        }

        @Override
        public DataConfig with(String otherPath, String otherSplit, int otherSize) {
            return new Tar(otherPath, otherSplit, otherSize, flip);
        }
    }

    /** A folder of pictures, a folder for each class. */
    record Folder(String path, String split, int size, boolean flip) implements DataConfig {
        public Folder {
            require(path, split, size);
        }

        @Override
        public ImageSource open() {
            return FolderImages.open(Datasets.folder(path), split, size);
        }

        @Override
        public DataConfig with(String otherPath, String otherSplit, int otherSize) {
            return new Folder(otherPath, otherSplit, otherSize, flip);
        }
    }

    /** A latent cache written by {@code retort encode}, which has one split only. */
    record Latents(String path, String split, int size, boolean flip) implements DataConfig {
        public Latents {
            require(path, split, size);
        }

        @Override
        public ImageSource open() {
            LatentImages latents = LatentImages.open(Datasets.folder(path));
            Require.that(
                    !flip || !(latents.manifest().source() instanceof CaptionedShapes),
                    "data.flip",
                    true,
                    "false: the captions of these pictures say where a shape is, left or right");
            return Datasets.ofStoredSize(this, latents);
        }

        @Override
        public DataConfig pictures() {
            return new LatentFolder(Datasets.folder(path)).manifest().source();
        }

        @Override
        public DataConfig with(String otherPath, String otherSplit, int otherSize) {
            return new Latents(otherPath, otherSplit, otherSize, flip);
        }
    }
}
