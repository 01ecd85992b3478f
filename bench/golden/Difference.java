import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Says in which tensors two safetensors files differ; run as a source file, on the JDK alone. */
public final class Difference {
    private static final Pattern TENSOR = Pattern.compile(
            "\"([^\"]+)\":\\{\"dtype\":\"(\\w+)\",\"shape\":\\[([\\d,]*)\\],\"data_offsets\":\\[(\\d+),(\\d+)\\]\\}");
    private static final int MOST_NAMED = 8;

    private Difference() {}

    private record Stored(String type, byte[] bytes) {}

    private static Map<String, Stored> read(Path file) throws IOException {
        byte[] all = Files.readAllBytes(file);
        int header = (int) ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).getLong();
        int start = Long.BYTES + header;
        Matcher found = TENSOR.matcher(new String(all, Long.BYTES, header, StandardCharsets.UTF_8));
        Map<String, Stored> tensors = new TreeMap<>();
        while (found.find()) {
            int from = start + Integer.parseInt(found.group(4));
            int to = start + Integer.parseInt(found.group(5));
            tensors.put(found.group(1), new Stored(found.group(2) + "[" + found.group(3) + "]", Arrays.copyOfRange(all, from, to)));
        }
        return tensors;
    }

    private static String howFar(Stored before, Stored after) {
        if (!before.type.equals(after.type)) {
            return before.type + " and " + after.type;
        }
        if (!before.type.startsWith("F32")) {
            return "other bytes";
        }
        ByteBuffer a = ByteBuffer.wrap(before.bytes).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer b = ByteBuffer.wrap(after.bytes).order(ByteOrder.LITTLE_ENDIAN);
        double most = 0;
        double size = 0;
        while (a.hasRemaining()) {
            float value = a.getFloat();
            most = Math.max(most, Math.abs(value - b.getFloat()));
            size = Math.max(size, Math.abs(value));
        }
        return String.format(Locale.ROOT, "by up to %.2g, values up to %.2g", most, size);
    }

    public static void main(String[] files) throws IOException {
        Map<String, Stored> before = read(Path.of(files[0]));
        Map<String, Stored> after = read(Path.of(files[1]));
        TreeSet<String> names = new TreeSet<>(before.keySet());
        names.addAll(after.keySet());
        int said = 0;
        int same = 0;
        for (String name : names) {
            Stored left = before.get(name);
            Stored right = after.get(name);
            if (left != null && right != null && left.type.equals(right.type) && Arrays.equals(left.bytes, right.bytes)) {
                same++;
            } else if (said++ < MOST_NAMED) {
                String how = left == null ? "new" : right == null ? "gone" : howFar(left, right);
                System.out.println("           " + name + ": " + how);
            }
        }
        System.out.println("           " + same + " of " + names.size() + " tensors are the same"
                + (same == names.size() ? "; only the header differs" : ""));
    }
}
