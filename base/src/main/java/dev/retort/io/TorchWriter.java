package dev.retort.io;

import dev.retort.error.RetortException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.commons.compress.archivers.zip.Zip64Mode;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;

/**
 * Writes a dictionary of tensors as {@code torch.save} does: a zip of a pickle and one stored, aligned file per tensor.
 * The values of each are asked for when its turn comes, so no second copy of all weights exists.
 */
public final class TorchWriter {
    private static final int ALIGNMENT = 64;
    /** Python's pickler closes a dictionary's items after so many. */
    private static final int BATCH = 1000;

    private record Pending(Dtype dtype, long[] shape, SafetensorsWriter.Values values) {}

    private final Map<String, Pending> tensors = new LinkedHashMap<>();

    /**
     * Adds a tensor.
     *
     * @param values writes exactly the tensor's bytes, row-major and little-endian; called once, in {@link #write}
     */
    public TorchWriter add(String name, Dtype dtype, long[] shape, SafetensorsWriter.Values values) {
        TorchTypes.storageName(dtype);
        if (tensors.putIfAbsent(name, new Pending(dtype, shape.clone(), values)) != null) {
            throw new IllegalArgumentException("tensor name '" + name + "' is taken");
        }
        return this;
    }

    /**
     * Writes the file, whole or not at all.
     *
     * @throws RetortException of kind WRITE when the disk is full or refuses; a file that was there before stays
     */
    public void write(Path path) {
        String folder = path.getFileName().toString().replaceFirst("\\.[^.]*$", "");
        AtomicWrite.file(path, channel -> {
            ZipArchiveOutputStream zip = new ZipArchiveOutputStream(channel);
            zip.setMethod(ZipArchiveOutputStream.STORED);
            zip.setUseZip64(Zip64Mode.AsNeeded);
            entry(zip, folder + "/data.pkl", new Pickle().of(tensors));
            entry(zip, folder + "/byteorder", "little".getBytes(StandardCharsets.US_ASCII));
            int index = 0;
            for (Map.Entry<String, Pending> tensor : tensors.entrySet()) {
                entry(zip, folder + "/data/" + index++, tensor.getKey(), tensor.getValue());
            }
            entry(zip, folder + "/version", "3\n".getBytes(StandardCharsets.US_ASCII));
            zip.finish();
        });
    }

    private static ZipArchiveEntry open(ZipArchiveOutputStream zip, String name, long size) throws IOException {
        ZipArchiveEntry entry = new ZipArchiveEntry(name);
        entry.setTime(0); // equal contents, equal bytes
        entry.setAlignment(ALIGNMENT);
        entry.setSize(size);
        zip.putArchiveEntry(entry);
        return entry;
    }

    private static void entry(ZipArchiveOutputStream zip, String name, byte[] content) throws IOException {
        open(zip, name, content.length);
        zip.write(content);
        zip.closeArchiveEntry();
    }

    private static void entry(ZipArchiveOutputStream zip, String name, String key, Pending tensor) throws IOException {
        long expected = tensor.dtype().bytesOf(tensor.shape());
        open(zip, name, expected);
        WritableByteChannel out = Channels.newChannel(zip);
        long[] written = new long[1];
        tensor.values().write(new WritableByteChannel() {
            @Override
            public int write(ByteBuffer bytes) throws IOException {
                int count = out.write(bytes);
                written[0] += count;
                return count;
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {}
        });
        if (written[0] != expected) {
            throw new IllegalArgumentException("tensor '" + key + "' of " + tensor.dtype()
                    + Arrays.toString(tensor.shape()) + " needs " + expected + " bytes, was given " + written[0]);
        }
        zip.closeArchiveEntry();
    }

    /** Protocol 2, instruction by instruction as Python writes it, each object kept in the memo. */
    private static final class Pickle {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final Map<String, Integer> kept = new LinkedHashMap<>();
        private int memo;

        byte[] of(Map<String, Pending> tensors) {
            code(0x80, 2, '}');
            keep();
            int index = 0;
            for (Map.Entry<String, Pending> entry : tensors.entrySet()) {
                if (index % BATCH == 0) {
                    code('(');
                }
                text(entry.getKey());
                tensor(index++, entry.getValue());
                if (index % BATCH == 0 || index == tensors.size()) {
                    code('u');
                }
            }
            code('.');
            return out.toByteArray();
        }

        /** {@code _rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())}. */
        private void tensor(int index, Pending tensor) {
            name("torch._utils", "_rebuild_tensor_v2");
            code('(', '(');
            shared("storage");
            name("torch", TorchTypes.storageName(tensor.dtype()));
            text(Integer.toString(index));
            shared("cpu");
            integer(tensor.dtype().bytesOf(tensor.shape()) / tensor.dtype().bytes());
            code('t');
            keep();
            code('Q');
            integer(0);
            tuple(tensor.shape());
            tuple(StoredTensor.rowMajor(tensor.shape()));
            code(0x89);
            name("collections", "OrderedDict");
            code(')', 'R');
            keep();
            code('t');
            keep();
            code('R');
            keep();
        }

        private void code(int... codes) {
            for (int code : codes) {
                out.write(code);
            }
        }

        private void keep() {
            indexed('q', 'r', memo++);
        }

        private void indexed(char near, char far, int index) {
            if (index < 256) {
                code(near, index);
            } else {
                code(far);
                i32(index);
            }
        }

        private boolean recalled(String what) {
            Integer index = kept.get(what);
            if (index == null) {
                kept.put(what, memo);
                return false;
            }
            indexed('h', 'j', index);
            return true;
        }

        private void name(String module, String name) {
            if (!recalled(module + "\n" + name)) {
                code('c');
                out.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
                keep();
            }
        }

        private void shared(String text) {
            if (!recalled(text)) {
                text(text);
            }
        }

        private void text(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            code('X');
            i32(bytes.length);
            out.writeBytes(bytes);
            keep();
        }

        private void tuple(long[] values) {
            if (values.length > 3) {
                code('(');
            }
            for (long value : values) {
                integer(value);
            }
            switch (values.length) {
                case 0 -> code(')');
                case 1, 2, 3 -> code(0x84 + values.length);
                default -> code('t');
            }
            if (values.length > 0) {
                keep();
            }
        }

        private void integer(long value) {
            if (value < 256) {
                code('K', (int) value);
            } else if (value < 65536) {
                code('M', (int) value & 0xff, (int) value >> 8);
            } else if (value <= Integer.MAX_VALUE) {
                code('J');
                i32((int) value);
            } else {
                int bytes = (Long.SIZE - Long.numberOfLeadingZeros(value)) / Byte.SIZE + 1;
                code(0x8a, bytes);
                for (int i = 0; i < bytes; i++) {
                    code((int) (value >> Byte.SIZE * i & 0xff));
                }
            }
        }

        private void i32(int value) {
            code(value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, value >>> 24);
        }
    }
}
