package dev.retort.hub;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.FileNames;
import java.io.IOException;
import java.net.URLEncoder;
import java.net.http.HttpHeaders;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The hub and its cache on this machine. What is cached is used as it is, without a request; only {@link #pull} asks whether
 * there is something newer.
 */
public final class Hub {
    private static final int LARGEST_LISTING = 1 << 26;
    private static final Duration LOCK_POLL = Duration.ofMillis(200);

    private final HubSettings settings;
    private final RetryPolicy policy;
    private final DownloadListener listener;

    /** A hub with settings, retry policy and listener of one's own. */
    public Hub(HubSettings settings, RetryPolicy policy, DownloadListener listener) {
        this.settings = settings;
        this.policy = policy;
        this.listener = listener;
    }

    /** The hub that the environment of this process names. */
    public static Hub ofProcess(DownloadListener listener) {
        return new Hub(HubSettings.ofProcess(), RetryPolicy.USUAL, listener);
    }

    /** {@link #resolve} with the hub that the environment names, which matters only where the text means a hub. */
    public static Path locate(String given, DownloadListener listener) {
        return HubName.is(given) ? ofProcess(listener).resolve(given) : FileNames.path(given);
    }

    /**
     * The place of a model that a user named: {@code hf:OWNER/NAME[/PATH][@REVISION]} is looked up in the cache and fetched
     * where it is not there, everything else is a path and touches no network.
     *
     * @throws RetortException of kind USAGE for a wrong name, NETWORK where the hub is needed and does not answer or refuses,
     *     CHECKPOINT where the model does not exist or comes damaged, WRITE where the cache cannot be written
     */
    public Path resolve(String given) {
        if (!HubName.is(given)) {
            return FileNames.path(given);
        }
        HubName name = HubName.parse(given);
        Optional<Path> cached = cached(name);
        if (cached.isPresent()) {
            return cached.get();
        }
        Optional<Path> partial = asItIs(name);
        if (settings.offline()) {
            Path found = partial.orElseThrow(() -> new RetortException(
                    Kind.NETWORK,
                    name + " is not in the cache " + settings.cache()
                            + ", or not all of it, and HF_HUB_OFFLINE forbids to fetch it; unset HF_HUB_OFFLINE and run"
                            + " 'retort pull " + name + "'"));
            listener.say(name + " is used as the cache has it, perhaps not all of it, since HF_HUB_OFFLINE is set");
            return found;
        }
        // what another tool left of a commit is completed, not replaced by a newer one
        String revision = cache(name).commit(name.revision()).orElse(name.revision());
        try {
            return pull(name, revision, partial.isPresent() ? policy.once() : policy)
                    .path();
        } catch (RetortException e) {
            if (e.kind() != Kind.NETWORK || partial.isEmpty()) {
                throw e;
            }
            listener.say(name + " is used as the cache has it, perhaps not all of it: " + e.getMessage());
            return partial.get();
        }
    }

    /** The place of a model all of whose files are in the cache; never uses the network. */
    public Optional<Path> cached(HubName name) {
        RepositoryCache cache = cache(name);
        return cache.commit(name.revision()).flatMap(commit -> {
            Path place = place(cache, commit, name);
            if (!name.path().isEmpty() && Files.isRegularFile(place)) {
                return Optional.of(place);
            }
            return cache.listing(commit)
                    .flatMap(listing -> chosen(listing, name))
                    .filter(selection -> selection.needed().stream().allMatch(file -> cache.holds(commit, file)))
                    .map(selection -> place);
        });
    }

    /** A folder that some tool filled for its own needs: the weights are there, or nobody knows what belongs to it. */
    private Optional<Path> asItIs(HubName name) {
        RepositoryCache cache = cache(name);
        return cache.commit(name.revision())
                .filter(commit -> cache.listing(commit)
                        .map(listing -> chosen(listing, name).stream()
                                .flatMap(selection -> selection.weights().stream())
                                .allMatch(file -> cache.holds(commit, file)))
                        .orElse(true))
                .map(commit -> place(cache, commit, name))
                .filter(Files::isDirectory);
    }

    /**
     * Asks the hub what the revision is now and fetches what the cache lacks of it.
     *
     * @throws RetortException as {@link #resolve}
     */
    public Snapshot pull(HubName name) {
        if (settings.offline()) {
            throw new RetortException(
                    Kind.NETWORK,
                    "HF_HUB_OFFLINE forbids to ask the hub for " + name
                            + (cached(name).isPresent() ? ", which is in the cache already" : "")
                            + "; unset HF_HUB_OFFLINE to pull it");
        }
        return pull(name, name.revision(), policy);
    }

    /** @param forList how long the hub is waited for before anything is fetched */
    private Snapshot pull(HubName name, String revision, RetryPolicy forList) {
        RepositoryCache cache = cache(name);
        HubClient client = new HubClient(settings, policy);
        Listing listing = list(client, name.at(revision), forList);
        Selection selection = chosen(listing, name).orElseThrow(() -> absent(listing, name));
        Set<RemoteFile> copies = copies(cache, listing.commit(), selection);
        long missing = selection.chosen().stream()
                .filter(file -> !copies.contains(file))
                .mapToLong(file -> file.size() - cache.present(file))
                .sum();
        announce(name, listing, selection, missing);
        requireSpace(cache, missing);
        cache.remember(listing);
        fetch(client, cache, name, listing, selection, copies);
        cache.point(name.revision(), listing.commit());
        return new Snapshot(
                place(cache, listing.commit(), name),
                listing.commit(),
                selection.chosen().size(),
                selection.bytes(),
                missing);
    }

    private Listing list(HubClient client, HubName name, RetryPolicy forList) {
        Retry retry = new Retry(forList, listener, "asking for the files of " + name);
        String path = "/api/models/" + name.repository() + "/revision/" + escaped(name.revision()) + "?blobs=true";
        byte[] json = null;
        while (json == null) {
            try (HubResponse response = client.get(path, 0, name)) {
                json = response.body().readNBytes(LARGEST_LISTING);
            } catch (IOException e) {
                retry.failed(e);
            }
        }
        return Listing.ofAnswer(
                json,
                settings.endpoint().toString(),
                (commit, file) -> describe(client, name.at(commit), file, forList));
    }

    /** Some mirrors list names alone; what a download would be told names size and hash. */
    private RemoteFile describe(HubClient client, HubName name, String file, RetryPolicy forList) {
        Retry retry = new Retry(forList, listener, "asking for the size of " + file);
        while (true) {
            try {
                HttpHeaders headers = client.describe(source(name, file), name);
                boolean linked = headers.firstValue("x-linked-etag").isPresent();
                String etag = HubResponse.etag(headers, linked ? "x-linked-etag" : "etag");
                String size = headers.firstValue(linked ? "x-linked-size" : "content-length")
                        .orElse("");
                return RemoteFile.ofEtag(file, size.matches("\\d{1,18}") ? Long.parseLong(size) : -1, etag);
            } catch (IOException e) {
                retry.failed(e);
            }
        }
    }

    /** Where the hub has a file, below its endpoint. */
    private static String source(HubName name, String file) {
        return "/" + name.repository() + "/resolve/" + name.revision() + "/" + escapedPath(file);
    }

    /** What stands in the commit's folder itself, as in a cache that was copied without links: used as it is where it is right. */
    private Set<RemoteFile> copies(RepositoryCache cache, String commit, Selection selection) {
        List<RemoteFile> found = selection.chosen().stream()
                .filter(file -> cache.hasCopy(commit, file))
                .toList();
        if (!found.isEmpty()) {
            listener.say("Checking what the cache holds as files instead of links: "
                    + FirstFew.of(found.stream().map(RemoteFile::path).toList(), 3));
        }
        Set<RemoteFile> right = new HashSet<>();
        for (RemoteFile file : found) {
            if (cache.isRight(commit, file)) {
                right.add(file);
            } else {
                listener.say(cache.snapshot(commit).resolve(file.path())
                        + " is not what the hub lists; it is replaced by what the hub has");
            }
        }
        return right;
    }

    private void fetch(
            HubClient client,
            RepositoryCache cache,
            HubName name,
            Listing listing,
            Selection selection,
            Set<RemoteFile> copies) {
        long total = Math.max(1, selection.bytes());
        long whole = selection.chosen().stream()
                .filter(file -> copies.contains(file) || cache.hasBlob(file))
                .mapToLong(RemoteFile::size)
                .sum();
        for (RemoteFile file : selection.chosen()) {
            if (copies.contains(file)) {
                continue;
            }
            long start = whole;
            if (!cache.hasBlob(file)) {
                HubName at = name.at(listing.commit());
                Download download = new Download(
                        client,
                        source(at, file.path()),
                        at,
                        file,
                        cache,
                        policy,
                        listener,
                        done -> listener.progress(start + done, total, file.path()));
                alone(cache, file, download);
                whole += file.size();
            }
            cache.link(listing.commit(), file);
        }
    }

    /** Lets one process at a time fetch a file; who comes second finds it there. */
    private void alone(RepositoryCache cache, RemoteFile file, Download download) {
        Path path = cache.lock(file);
        try {
            Files.createDirectories(path.getParent());
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                FileLock lock = tryLock(channel);
                if (lock == null) {
                    listener.say("Another process fetches " + file.path() + "; waiting for it");
                }
                while (lock == null) {
                    new Retry(policy, listener, "waiting").pause(LOCK_POLL);
                    lock = tryLock(channel);
                }
                if (!cache.hasBlob(file)) {
                    download.run();
                }
            }
        } catch (IOException e) {
            throw RepositoryCache.unwritable(path, e);
        }
    }

    private static FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // another thread of this process
        }
    }

    private void announce(HubName name, Listing listing, Selection selection, long missing) {
        int count = selection.chosen().size();
        listener.say(name + " (commit " + listing.commit().substring(0, 12) + "): "
                + (count == 1 ? "1 file" : count + " files") + ", " + ByteSize.text(selection.bytes())
                + (missing == 0
                        ? ", all of it in the cache"
                        : missing == selection.bytes() ? "" : ", " + ByteSize.text(missing) + " still to fetch"));
        String leftOut = selection.leftOutSentence(name);
        if (!leftOut.isEmpty()) {
            listener.say(leftOut);
        }
    }

    private void requireSpace(RepositoryCache cache, long missing) {
        try {
            Files.createDirectories(cache.folder());
            long free = Files.getFileStore(cache.folder()).getUsableSpace();
            if (missing > free) {
                throw new RetortException(
                        Kind.WRITE,
                        ByteSize.text(missing) + " are to be fetched, but " + settings.cache() + " has room for "
                                + ByteSize.text(free)
                                + "; free space, or set HF_HUB_CACHE to a folder on another disk");
            }
        } catch (IOException e) {
            throw RepositoryCache.unwritable(cache.folder(), e);
        }
    }

    /** The one file that is named, else the usual choice below the folder that is. */
    private static Optional<Selection> chosen(Listing listing, HubName name) {
        Optional<RemoteFile> file = listing.files().stream()
                .filter(one -> one.path().equals(name.path()))
                .findFirst();
        if (file.isPresent()) {
            return file.map(Selection::only);
        }
        List<RemoteFile> below = listing.files().stream()
                .filter(one -> name.path().isEmpty() || one.path().startsWith(name.path() + "/"))
                .toList();
        return Optional.of(Selection.of(below, name.path()))
                .filter(selection -> !selection.chosen().isEmpty());
    }

    private static RetortException absent(Listing listing, HubName name) {
        List<String> paths = listing.files().stream().map(RemoteFile::path).toList();
        return new RetortException(
                Kind.CHECKPOINT,
                name + " holds nothing to load; in the repository are "
                        + (paths.isEmpty() ? "no files" : FirstFew.of(paths, 8))
                        + "; name one as hf:" + name.repository() + "/FILE");
    }

    private RepositoryCache cache(HubName name) {
        return new RepositoryCache(settings.cache(), name);
    }

    private static Path place(RepositoryCache cache, String commit, HubName name) {
        return name.path().isEmpty()
                ? cache.snapshot(commit)
                : cache.snapshot(commit).resolve(FileNames.path(name.path()));
    }

    private static String escapedPath(String path) {
        return Arrays.stream(path.split("/")).map(Hub::escaped).collect(Collectors.joining("/"));
    }

    private static String escaped(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
