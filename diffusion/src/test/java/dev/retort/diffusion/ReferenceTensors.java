package dev.retort.diffusion;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The tensors of one safetensors file, as doubles. */
public final class ReferenceTensors {
    /** Reads JSON. */
    public static final JsonMapper JSON = JsonMapper.builder().build();

    private final JsonNode header;
    private final ByteBuffer bytes;
    private final int start;

    /** Reads a file. */
    public ReferenceTensors(Path file) {
        this(bytes(file));
    }

    /** Reads a file's content. */
    public ReferenceTensors(byte[] content) {
        bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        int length = (int) bytes.getLong(0);
        byte[] json = new byte[length];
        bytes.get(8, json);
        header = JSON.readTree(json);
        start = 8 + length;
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A JSON file beside it. */
    public static JsonNode json(Path file) {
        return JSON.readTree(file.toFile());
    }

    /** A tensor. */
    public double[] get(String name) {
        JsonNode entry = header.get(name);
        if (entry == null) {
            throw new IllegalArgumentException("no tensor " + name);
        }
        String type = entry.get("dtype").asString();
        int from = start + entry.get("data_offsets").get(0).asInt();
        int width = type.endsWith("64") ? 8 : 4;
        double[] values = new double[(start + entry.get("data_offsets").get(1).asInt() - from) / width];
        for (int i = 0; i < values.length; i++) {
            int at = from + i * width;
            values[i] = switch (type) {
                case "F32" -> bytes.getFloat(at);
                case "F64" -> bytes.getDouble(at);
                case "I64" -> bytes.getLong(at);
                default -> throw new IllegalArgumentException(type);
            };
        }
        return values;
    }

    /** The rows of the first dimension. */
    public double[][] rows(String name) {
        int n = header.get(name).get("shape").get(0).asInt();
        double[] all = get(name);
        double[][] rows = new double[n][all.length / n];
        for (int i = 0; i < n; i++) {
            System.arraycopy(all, i * rows[i].length, rows[i], 0, rows[i].length);
        }
        return rows;
    }
}
