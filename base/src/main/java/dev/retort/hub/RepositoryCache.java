package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.FileNames;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/**
 * One repository in the cache that the hub's tools share: contents by hash in {@code blobs}, a folder of links for each
 * commit in {@code snapshots}, the commit of each branch in {@code refs}, and the list of a commit's files in {@code trees}.
 */
final class RepositoryCache {
    private final Path root;
    private final String folderName;

    RepositoryCache(Path root, HubName name) {
        this.root = root;
        this.folderName = "models--" + name.owner() + "--" + name.name();
    }

    Path folder() {
        return root.resolve(folderName);
    }

    Path snapshot(String commit) {
        return folder().resolve("snapshots").resolve(commit);
    }

    /** Where the content of a file lies, once it is whole. */
    Path blob(RemoteFile file) {
        return folder().resolve("blobs").resolve(file.hash());
    }

    /** Where it grows until then. */
    Path incomplete(RemoteFile file) {
        return folder().resolve("blobs").resolve(file.hash() + ".incomplete");
    }

    /** What a process locks while it fetches a file. */
    Path lock(RemoteFile file) {
        return root.resolve(".locks").resolve(folderName).resolve(file.hash() + ".lock");
    }

    /** The commit of a revision, as far as the cache knows. */
    Optional<String> commit(String revision) {
        if (Listing.isCommit(revision)) {
            return Optional.of(revision);
        }
        Path ref = folder().resolve("refs").resolve(revision);
        try {
            return Files.isRegularFile(ref)
                    ? Optional.of(Files.readString(ref).strip()).filter(Listing::isCommit)
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** The files of a commit, where this or another tool has noted them; unreadable notes are none. */
    Optional<Listing> listing(String commit) {
        Path tree = tree(commit);
        try {
            return Files.isRegularFile(tree)
                    ? Optional.of(Listing.ofTree(commit, Files.readString(tree)))
                    : Optional.empty();
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }

    /** Whether a commit's folder has the file, whole. */
    boolean holds(String commit, RemoteFile file) {
        return isWhole(place(commit, file), file);
    }

    /** Whether a commit's folder has a file of its own of that size, and no link to the content. */
    boolean hasCopy(String commit, RemoteFile file) {
        Path path = place(commit, file);
        return Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) && isWhole(path, file);
    }

    /** Whether that file has the content that the hub lists. */
    boolean isRight(String commit, RemoteFile file) {
        try {
            return ContentHash.of(place(commit, file), file).equals(file.hash());
        } catch (IOException e) {
            return false;
        }
    }

    private Path place(String commit, RemoteFile file) {
        return snapshot(commit).resolve(FileNames.path(file.path()));
    }

    /** Whether the content is there, for this or any other commit. */
    boolean hasBlob(RemoteFile file) {
        return isWhole(blob(file), file);
    }

    private static boolean isWhole(Path path, RemoteFile file) {
        try {
            return Files.isRegularFile(path) && Files.size(path) == file.size();
        } catch (IOException e) {
            return false;
        }
    }

    /** Bytes of a file that need not be fetched any more. */
    long present(RemoteFile file) {
        try {
            return hasBlob(file) ? file.size() : Math.min(file.size(), Files.size(incomplete(file)));
        } catch (IOException e) {
            return 0;
        }
    }

    /** Makes the file appear in the commit's folder, as a relative link to its content. */
    void link(String commit, RemoteFile file) {
        Path snapshot = snapshot(commit);
        Path link = place(commit, file);
        try {
            createFolders(snapshot, link.getParent());
            Path target = link.getParent().relativize(blob(file));
            if (Files.isSymbolicLink(link) && Files.readSymbolicLink(link).equals(target)) {
                return;
            }
            Path fresh = link.resolveSibling("." + file.hash() + ".link");
            Files.deleteIfExists(fresh);
            Files.createSymbolicLink(fresh, target);
            Files.move(fresh, link, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw unwritable(link, e);
        }
    }

    /** Folder by folder, so that none of them is a link that leads elsewhere. */
    private static void createFolders(Path snapshot, Path folder) throws IOException {
        Files.createDirectories(snapshot);
        Path at = snapshot;
        for (Path name : snapshot.relativize(folder)) {
            at = at.resolve(name);
            try {
                if (!name.toString().isEmpty()) {
                    Files.createDirectory(at);
                }
            } catch (FileAlreadyExistsException e) {
                if (!Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
                    throw new RetortException(
                            Kind.WRITE,
                            at
                                    + " is a link or a file, not a folder of its own, so nothing is written through it; delete it"
                                    + " and run the same command again",
                            e);
                }
            }
        }
    }

    /** Notes the files of a commit. */
    void remember(Listing listing) {
        AtomicWrite.text(tree(listing.commit()), listing.toTree());
    }

    /** Notes what a branch or tag points to. */
    void point(String revision, String commit) {
        if (!Listing.isCommit(revision)) {
            Path ref = folder().resolve("refs").resolve(revision);
            if (!commit(revision).equals(Optional.of(commit))) {
                AtomicWrite.text(ref, commit);
            }
        }
    }

    private Path tree(String commit) {
        return folder().resolve("trees").resolve(commit + ".json");
    }

    static RetortException unwritable(Path path, IOException e) {
        return new RetortException(
                Kind.WRITE,
                path + " cannot be written (" + e.getClass().getSimpleName() + ": " + e.getMessage()
                        + "); check the permissions and the space there, or set HF_HUB_CACHE to another folder",
                e);
    }
}
