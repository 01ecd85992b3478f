package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/** The damaged pictures of a source met so far: left out where they are few, an error where they are many. Safe for threads. */
public final class DamagedPictures {
    /** Above this share of damaged pictures the data set is not worth reading. */
    private static final double TOLERATED_SHARE = 0.01;

    private final ImageSource source;
    private final Map<Long, String> found = new ConcurrentSkipListMap<>();
    private final List<String> untold = new ArrayList<>();

    /** None yet. */
    public DamagedPictures(ImageSource source) {
        this.source = source;
    }

    /** Reads picture {@code index} or, where it is damaged, the next one that is whole. */
    public Note read(long index, float[] out, int offset) {
        for (long at = index; ; at = (at + 1) % source.size()) {
            if (!contains(at)) {
                try {
                    return source.read(at, out, offset);
                } catch (RetortException e) {
                    leaveOut(at, e);
                }
            }
        }
    }

    /** Whether a picture is known to be damaged. */
    public boolean contains(long index) {
        return found.containsKey(index);
    }

    /**
     * Leaves a picture out. Nothing more is counted once it is too much: the count told does not depend on threads.
     *
     * @param e what reading it ended with; rethrown where it says nothing about the picture
     * @throws RetortException of kind DATA when too many pictures are damaged
     */
    public synchronized void leaveOut(long index, RetortException e) {
        if (e.kind() != Kind.DATA) {
            throw e;
        }
        long tolerated = Math.max(1, (long) (TOLERATED_SHARE * Math.min(source.size(), 1_000_000)));
        long enough = Math.min(tolerated + 1, source.size());
        if (found.size() < enough && found.put(index, e.getMessage()) == null) {
            untold.add("left out: " + e.getMessage());
        }
        if (found.size() >= enough) {
            throw new RetortException(
                    Kind.DATA,
                    found.size() + " damaged pictures in " + source.name() + ", more than the " + tolerated
                            + " that are skipped (1 %); repair or remove them, the last one: " + e.getMessage(),
                    e);
        }
    }

    /** Why each was left out, in the order of the source. */
    public List<String> messages() {
        return List.copyOf(found.values());
    }

    /** A sentence for each that was found since the last call. */
    public synchronized List<String> news() {
        List<String> told = List.copyOf(untold);
        untold.clear();
        return told;
    }
}
