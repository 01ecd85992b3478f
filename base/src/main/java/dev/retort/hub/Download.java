package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.function.LongConsumer;

/**
 * Fetches the content of one file into the cache. It grows in {@code blobs/HASH.incomplete}, which a later attempt goes on
 * with, and becomes {@code blobs/HASH} only when its hash is right.
 */
final class Download {
    private static final int PIECE = 1 << 18;

    private final HubClient client;
    private final String source;
    private final HubName name;
    private final RemoteFile file;
    private final Path blob;
    private final Path incomplete;
    private final Retry retry;
    private final DownloadListener listener;
    private final LongConsumer moved;
    private final int least;
    private final ContentHash hash;
    private long done;
    private long known;
    private long furthest;

    /**
     * @param source path of the file below the endpoint
     * @param name what is asked for, for messages
     * @param moved is told the bytes of this file that are there
     */
    Download(
            HubClient client,
            String source,
            HubName name,
            RemoteFile file,
            RepositoryCache cache,
            RetryPolicy policy,
            DownloadListener listener,
            LongConsumer moved) {
        this.client = client;
        this.source = source;
        this.name = name;
        this.file = file;
        this.blob = cache.blob(file);
        this.incomplete = cache.incomplete(file);
        this.retry = new Retry(policy, listener, "fetching " + file.path());
        this.listener = listener;
        this.moved = moved;
        this.least = policy.least();
        this.hash = new ContentHash(file);
    }

    /** Fetches what is missing, checks all, and puts it in place. */
    void run() {
        try {
            Files.createDirectories(blob.getParent());
            boolean begun = Files.exists(incomplete);
            if (!fetched() && !(begun && refetched())) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        file.path() + " came from " + name + " with another hash than the hub lists ("
                                + file.hash().substring(0, 12)
                                + "…), so nothing of it was kept; run the same command again, and do not use this source if it"
                                + " happens twice");
            }
            Files.move(incomplete, blob, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw RepositoryCache.unwritable(incomplete, e);
        }
    }

    /** What an earlier attempt left may have been damaged: once more, all of it. */
    private boolean refetched() throws IOException {
        listener.say("What was there of " + file.path() + " is damaged; it is fetched again from its beginning");
        return fetched();
    }

    /** Returns whether the content is right; where it is not, nothing of it is left. */
    private boolean fetched() throws IOException {
        boolean right = false;
        boolean finished = false;
        try (FileChannel out = FileChannel.open(
                incomplete, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            begin(out);
            ByteBuffer piece = ByteBuffer.allocate(PIECE);
            while (done < file.size()) {
                try {
                    fetch(out, piece);
                } catch (Unwritten e) {
                    throw e.getCause();
                } catch (IOException e) {
                    retry.failed(e);
                }
            }
            out.force(true);
            right = hash.finish().equals(file.hash());
            finished = true;
        } finally {
            if (finished && !right) {
                Files.deleteIfExists(incomplete);
            }
        }
        return right;
    }

    /** Reads what an earlier attempt left. */
    private void begin(FileChannel out) throws IOException {
        restart(out, Math.min(out.size(), file.size()));
        ByteBuffer piece = ByteBuffer.allocate(PIECE);
        while (done < out.size() && out.read(piece) > 0) {
            done += piece.flip().remaining();
            hash.update(piece);
            piece.clear();
        }
        furthest = done;
        moved.accept(done);
    }

    private void restart(FileChannel out, long keep) throws IOException {
        out.truncate(keep);
        out.position(0);
        done = 0;
        hash.restart();
    }

    /** One request, from the first missing byte as far as it goes. */
    private void fetch(FileChannel out, ByteBuffer piece) throws IOException {
        try (HubResponse response = client.get(source, done, name)) {
            if (!response.agreesWith(file)) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        "the hub lists " + file.path() + " with one hash or size and sends it with another ("
                                + Quote.of(response.hub()
                                        .firstValue("x-linked-etag")
                                        .orElse("")) + ", "
                                + Quote.of(response.hub()
                                        .firstValue("x-linked-size")
                                        .orElse(""))
                                + " bytes); nothing of it was fetched, run the same command again later");
            }
            if (response.status() == 416 || response.start(file.size()).orElse(-1) != done) {
                // a server without ranges begins anew, and so do we
                boolean whole = response.status() == 200;
                kept(() -> restart(out, 0));
                if (!whole) {
                    throw new IOException("the server sent another piece than the one asked for");
                }
            }
            known = Math.max(done, furthest);
            copy(response, out, piece);
        }
        if (done < file.size()) {
            throw new IOException(
                    "the connection was cut after " + ByteSize.text(done) + " of " + ByteSize.text(file.size()));
        }
    }

    private void copy(HubResponse response, FileChannel out, ByteBuffer piece) throws IOException {
        byte[] bytes = piece.array();
        for (int n = response.body().read(bytes); n >= 0; n = response.body().read(bytes)) {
            if (n > file.size() - done) {
                Files.deleteIfExists(incomplete);
                throw new RetortException(
                        Kind.CHECKPOINT,
                        file.path() + " is longer than the " + file.size()
                                + " bytes that the hub lists, so nothing of it was kept; run the same command again, and do"
                                + " not use this source if it happens twice");
            }
            ByteBuffer arrived = ByteBuffer.wrap(bytes, 0, n);
            kept(() -> {
                while (arrived.hasRemaining()) {
                    out.write(arrived);
                }
            });
            hash.update(arrived.rewind());
            done += n;
            furthest = Math.max(furthest, done);
            // a connection that brings next to nothing each time is one that fails each time
            if (done - known >= least) {
                retry.moved();
            }
            moved.accept(done);
        }
    }

    @FunctionalInterface
    private interface Written {
        void write() throws IOException;
    }

    /** Tells errors of the disk, which no further attempt cures, from those of the network. */
    private static void kept(Written action) throws Unwritten {
        try {
            action.write();
        } catch (IOException e) {
            throw new Unwritten(e);
        }
    }

    private static final class Unwritten extends IOException {
        private static final long serialVersionUID = 1L;

        Unwritten(IOException cause) {
            super(cause);
        }

        @Override
        public synchronized IOException getCause() {
            return (IOException) super.getCause();
        }
    }
}
