package dev.retort.report;

import dev.retort.error.RetortException;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;

/**
 * The log of a run: one JSON object a line, each with {@code imagesSeen} (the clock of the run), {@code time} and
 * {@code kind}, flushed as it is written. A log resumed from a checkpoint forgets what was written after that checkpoint,
 * so that the log of a resumed run reads like that of a run that was never stopped.
 */
public final class JsonlLog implements AutoCloseable {
    private static final TypeReference<LinkedHashMap<String, Object>> ENTRY = new TypeReference<>() {};
    private static final long MOST_TAIL = 1 << 26; // of a longer log the rest is read next time

    private final Path file;
    private final BufferedWriter out;

    private JsonlLog(Path file) throws IOException {
        this.file = file;
        this.out = Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /** Starts an empty log; an older file of that name is replaced. */
    public static JsonlLog create(Path file) {
        try {
            if (file.toAbsolutePath().getParent() != null) {
                Files.createDirectories(file.toAbsolutePath().getParent());
            }
            Files.deleteIfExists(file);
            return new JsonlLog(file);
        } catch (IOException e) {
            throw cannotWrite(file, e);
        }
    }

    /**
     * Opens the log of a run that continues at {@code imagesSeen}: entries beyond it, and a last line torn by a crash,
     * are dropped. A log that is not there is started.
     */
    public static JsonlLog resume(Path file, long imagesSeen) {
        if (!Files.exists(file)) {
            return create(file);
        }
        try {
            Path kept = file.resolveSibling(file.getFileName() + ".tmp");
            try (BufferedWriter writer = Files.newBufferedWriter(kept)) {
                for (Map<String, Object> entry : read(file)) {
                    if (!(entry.get("imagesSeen") instanceof Number seen) || seen.longValue() <= imagesSeen) {
                        writer.write(Json.LINE.writeValueAsString(entry));
                        writer.write('\n');
                    }
                }
            }
            Files.move(kept, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return new JsonlLog(file);
        } catch (IOException e) {
            throw cannotWrite(file, e);
        }
    }

    /**
     * Appends one entry and flushes it.
     *
     * @param kind what the entry is about, such as {@code train}
     * @param imagesSeen the clock of the run
     * @param values anything that JSON can say; non-finite numbers become the strings {@code "NaN"}, {@code "Infinity"}
     */
    public synchronized void write(String kind, long imagesSeen, Map<String, ?> values) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("imagesSeen", imagesSeen);
        entry.put("time", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
        entry.put("kind", kind);
        entry.putAll(values);
        try {
            out.write(Json.LINE.writeValueAsString(entry));
            out.write('\n');
            out.flush();
        } catch (IOException e) {
            throw cannotWrite(file, e);
        }
    }

    /**
     * What was new in a log.
     *
     * @param entries the new entries, in order
     * @param nextByte where to read on next time
     * @param anew whether the log is shorter than it was, so that it was read from its start
     */
    public record Tail(List<Map<String, Object>> entries, long nextByte, boolean anew) {}

    /**
     * Reads the whole lines of a log from a byte on; what follows the last of them is left for the next time. A log that is not
     * there has none.
     *
     * @throws RetortException of kind DATA when a whole line is not a JSON object
     */
    public static Tail tail(Path file, long fromByte) {
        if (!Files.exists(file)) {
            return new Tail(List.of(), 0, fromByte > 0);
        }
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            boolean anew = in.length() < fromByte;
            long at = anew ? 0 : fromByte;
            in.seek(at);
            byte[] bytes = new byte[(int) Math.min(in.length() - at, MOST_TAIL)];
            in.readFully(bytes);
            List<Map<String, Object>> entries = new ArrayList<>();
            int start = 0;
            for (int i = 0; i < bytes.length; i++) {
                if (bytes[i] == '\n') {
                    String line = new String(bytes, start, i - start, StandardCharsets.UTF_8);
                    if (!line.isBlank()) {
                        entries.add(parsed(file, line, "at byte " + (at + start)));
                    }
                    start = i + 1;
                }
            }
            return new Tail(entries, at + start, anew);
        } catch (IOException e) {
            throw cannotRead(file, e);
        }
    }

    private static Map<String, Object> parsed(Path file, String line, String where) {
        try {
            return Json.LINE.readValue(line, ENTRY);
        } catch (JacksonException e) {
            throw new RetortException(
                    RetortException.Kind.DATA,
                    file + ", " + where + ": not a JSON object, though lines follow it; "
                            + "the log was edited or damaged: remove that line, or start a new run folder.",
                    e);
        }
    }

    private static RetortException cannotRead(Path file, IOException e) {
        return new RetortException(
                RetortException.Kind.DATA, file + ": the log cannot be read (" + e.getMessage() + ").", e);
    }

    /**
     * All entries of a log, in order; a last line torn by a crash is left out.
     *
     * @throws RetortException of kind DATA when another line is not a JSON object
     */
    public static List<Map<String, Object>> read(Path file) {
        List<Map<String, Object>> entries = new ArrayList<>();
        try (BufferedReader in = Files.newBufferedReader(file)) {
            int number = 0;
            for (String line = in.readLine(); line != null; ) {
                String next = in.readLine();
                number++;
                try {
                    if (!line.isBlank()) {
                        entries.add(parsed(file, line, "line " + number));
                    }
                } catch (RetortException e) {
                    if (next != null) {
                        throw e;
                    }
                }
                line = next;
            }
        } catch (IOException e) {
            throw cannotRead(file, e);
        }
        return entries;
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw cannotWrite(file, e);
        }
    }

    private static RetortException cannotWrite(Path file, IOException e) {
        return new RetortException(
                RetortException.Kind.WRITE,
                file + ": the log cannot be written (" + e.getMessage() + "); free space or choose another folder.",
                e);
    }
}
