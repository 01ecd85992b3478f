package dev.retort.report;

import dev.retort.error.RetortException;
import dev.retort.io.ProtoMessage;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.zip.CRC32C;

/**
 * Writes TensorBoard event files: scalars, PNG images and Markdown text over the images seen.
 *
 * <p>A file is a sequence of TFRecords (length, masked CRC-32C of the length, data, masked CRC-32C of the data), each
 * holding one {@code Event} message. A resumed run writes a further file whose first event tells TensorBoard to forget
 * what older files hold beyond that point.
 */
public final class TensorBoardLog implements AutoCloseable {
    // Field numbers of tensorflow/core/util/event.proto and framework/summary.proto.
    private static final int EVENT_WALL_TIME = 1;
    private static final int EVENT_STEP = 2;
    private static final int EVENT_FILE_VERSION = 3;
    private static final int EVENT_SUMMARY = 5;
    private static final int EVENT_SESSION_LOG = 7;
    private static final int SUMMARY_VALUE = 1;
    private static final int VALUE_TAG = 1;
    private static final int VALUE_SIMPLE = 2;
    private static final int VALUE_IMAGE = 4;
    private static final int VALUE_TENSOR = 8;
    private static final int VALUE_METADATA = 9;

    private static final int SESSION_START = 1;
    private static final int DT_STRING = 7;
    private static final byte[] PNG_SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

    private final Path file;
    private final OutputStream out;

    private TensorBoardLog(Path file) throws IOException {
        this.file = file;
        this.out = new BufferedOutputStream(Files.newOutputStream(file, StandardOpenOption.CREATE_NEW));
        event(0, new ProtoMessage().string(EVENT_FILE_VERSION, "brain.Event:2"));
    }

    /** Starts a new event file in the folder, which is made when it is not there. */
    public static TensorBoardLog create(Path folder) {
        try {
            Files.createDirectories(folder);
            return new TensorBoardLog(freshName(folder));
        } catch (IOException e) {
            throw cannotWrite(folder, e);
        }
    }

    /** Starts a further event file for a run that continues at {@code imagesSeen}; TensorBoard drops older points beyond it. */
    public static TensorBoardLog resume(Path folder, long imagesSeen) {
        TensorBoardLog log = create(folder);
        // A start event purges its own step as well, hence the next one.
        log.event(
                imagesSeen + 1,
                new ProtoMessage().message(EVENT_SESSION_LOG, new ProtoMessage().integer(1, SESSION_START)));
        return log;
    }

    /** Adds a point to the curve {@code tag} (kept in single precision, as the format does). */
    public void scalar(String tag, double value, long imagesSeen) {
        summary(imagesSeen, new ProtoMessage().string(VALUE_TAG, tag).float32(VALUE_SIMPLE, (float) value));
    }

    /** Adds a picture, given as the bytes of a PNG file. */
    public void image(String tag, byte[] png, long imagesSeen) {
        if (png.length < 33 || !ByteBuffer.wrap(png, 0, 8).equals(ByteBuffer.wrap(PNG_SIGNATURE))) {
            throw new IllegalArgumentException("image " + tag + ": " + png.length + " bytes that are not a PNG file");
        }
        ByteBuffer header = ByteBuffer.wrap(png); // the header chunk: width at byte 16, height at 20, colour type at 25
        int channels = header.get(25) == 0 ? 1 : header.get(25) == 4 ? 2 : header.get(25) == 6 ? 4 : 3;
        ProtoMessage image = new ProtoMessage()
                .integer(1, header.getInt(20))
                .integer(2, header.getInt(16))
                .integer(3, channels)
                .bytes(4, png);
        summary(imagesSeen, new ProtoMessage().string(VALUE_TAG, tag).message(VALUE_IMAGE, image));
    }

    /** Adds a text, shown by TensorBoard as Markdown. */
    public void text(String tag, String markdown, long imagesSeen) {
        ProtoMessage shape = new ProtoMessage().message(2, new ProtoMessage().integer(1, 1)); // [1]
        ProtoMessage tensor =
                new ProtoMessage().integer(1, DT_STRING).message(2, shape).string(8, markdown);
        ProtoMessage metadata = new ProtoMessage().message(1, new ProtoMessage().string(1, "text"));
        summary(
                imagesSeen,
                new ProtoMessage()
                        .string(VALUE_TAG, tag)
                        .message(VALUE_TENSOR, tensor)
                        .message(VALUE_METADATA, metadata));
    }

    /** The event file being written. */
    public Path file() {
        return file;
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw cannotWrite(file, e);
        }
    }

    private void summary(long step, ProtoMessage value) {
        event(step, new ProtoMessage().message(EVENT_SUMMARY, new ProtoMessage().message(SUMMARY_VALUE, value)));
    }

    private synchronized void event(long step, ProtoMessage what) {
        ProtoMessage event = new ProtoMessage()
                .float64(EVENT_WALL_TIME, System.currentTimeMillis() / 1e3)
                .integer(EVENT_STEP, step);
        byte[] head = event.toBytes();
        byte[] tail = what.toBytes(); // messages concatenate: fields of both make one message
        byte[] data = ByteBuffer.allocate(head.length + tail.length)
                .put(head)
                .put(tail)
                .array();
        byte[] length = ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(data.length)
                .array();
        ByteBuffer record = ByteBuffer.allocate(Long.BYTES + data.length + 2 * Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        record.put(length).putInt(maskedCrc(length)).put(data).putInt(maskedCrc(data));
        try {
            out.write(record.array());
            out.flush();
        } catch (IOException e) {
            throw cannotWrite(file, e);
        }
    }

    /** CRC-32C, rotated and shifted so that a checksum of data that holds checksums stays good (TFRecord format). */
    static int maskedCrc(byte[] data) {
        CRC32C crc = new CRC32C();
        crc.update(data);
        return Integer.rotateRight((int) crc.getValue(), 15) + 0xA282EAD8;
    }

    /** TensorBoard reads the files of a folder in the order of their names, so a later file must sort later. */
    private static Path freshName(Path folder) {
        long seconds = System.currentTimeMillis() / 1000;
        for (int n = 0; ; n++) {
            Path file = folder.resolve(String.format(Locale.ROOT, "events.out.tfevents.%010d.retort.%03d", seconds, n));
            if (!Files.exists(file)) {
                return file;
            }
        }
    }

    private static RetortException cannotWrite(Path path, IOException e) {
        return new RetortException(
                RetortException.Kind.WRITE,
                path + ": the TensorBoard log cannot be written (" + e.getMessage()
                        + "); free space or choose another folder.",
                e);
    }
}
