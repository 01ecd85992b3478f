package dev.retort.data;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** What the name of a file tells: whether it is a picture, and whether a program rather than a person put it there. */
final class ImageNames {
    /** What is read, for sentences. */
    static final String FORMATS = "JPEG, PNG, WebP, BMP or GIF";

    private static final Set<String> ENDINGS =
            Set.of("jpg", "jpeg", "jpe", "jfif", "jif", "png", "webp", "bmp", "dib", "gif");

    /** Thumbnails, waste baskets and leftovers of NAS devices, archivers and file systems. */
    private static final Set<String> SYSTEM_FOLDERS =
            Set.of("__macosx", "__pycache__", "#recycle", "$recycle.bin", "system volume information", "lost+found");

    private ImageNames() {}

    /** Whether a file is a picture by its ending. */
    static boolean isPicture(String path) {
        return ENDINGS.contains(ending(path));
    }

    /** The ending in lower case, without its dot; empty where there is none. */
    static String ending(String path) {
        String file = file(path);
        return file.substring(file.lastIndexOf('.') + 1 == 0 ? file.length() : file.lastIndexOf('.') + 1)
                .toLowerCase(Locale.ROOT);
    }

    /** The path without the ending and its dot. */
    static String withoutEnding(String path) {
        int dot = path.lastIndexOf('.');
        return dot > path.lastIndexOf('/') ? path.substring(0, dot) : path;
    }

    /** The last part of a path. */
    static String file(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** The folders on a path, from the topmost on. */
    static List<String> folders(String path) {
        int end = path.lastIndexOf('/');
        return end < 0 ? List.of() : List.of(path.substring(0, end).split("/"));
    }

    /** Whether a file or folder of this name is hidden or belongs to a system: {@code .cache}, {@code @eaDir}. */
    static boolean isHidden(String name) {
        return name.startsWith(".") || name.startsWith("@") || SYSTEM_FOLDERS.contains(name.toLowerCase(Locale.ROOT));
    }

    /** The path up to its first hidden part, where it has one. */
    static Optional<String> hiddenPart(String path) {
        int start = 0;
        while (true) {
            int slash = path.indexOf('/', start);
            int end = slash < 0 ? path.length() : slash;
            if (isHidden(path.substring(start, end))) {
                return Optional.of(path.substring(0, end));
            }
            if (slash < 0) {
                return Optional.empty();
            }
            start = slash + 1;
        }
    }
}
