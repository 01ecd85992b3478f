package dev.retort.io;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * The JSON header of a safetensors file, read strictly: every byte of the data section belongs to exactly one tensor,
 * sizes agree with shapes, nothing appears twice.
 */
record SafetensorsHeader(Map<String, String> metadata, Map<String, Span> spans) {
    /**
     * A tensor and its bytes.
     *
     * @param begin first byte, counted from the start of the data section
     * @param end the byte after the last
     */
    record Span(TensorEntry entry, long begin, long end) {}

    private static final String METADATA = "__metadata__";
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    /**
     * @param dataBytes length of the data section, which the tensors must cover without a gap
     * @param file what messages call the file
     */
    static SafetensorsHeader parse(byte[] json, long dataBytes, Path file) throws Malformed {
        Map<String, String> metadata = new LinkedHashMap<>();
        Map<String, Span> spans = new LinkedHashMap<>();
        try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), utf8(json))) {
            expect(parser.nextToken() == JsonToken.START_OBJECT, "the header is not a JSON object");
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                parser.nextToken();
                if (name.equals(METADATA)) {
                    metadata(parser, metadata);
                } else {
                    spans.put(name, entry(parser, name, file));
                }
            }
            expect(parser.nextToken() == null, "the header goes on after its JSON object");
        } catch (JacksonException e) {
            throw new Malformed("the header is not valid JSON: " + JsonFault.of(e));
        }
        cover(spans, dataBytes);
        return new SafetensorsHeader(metadata, spans);
    }

    private static String utf8(byte[] json) throws Malformed {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(json))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new Malformed("the header is not UTF-8");
        }
    }

    private static void metadata(JsonParser parser, Map<String, String> metadata) throws Malformed {
        expect(parser.currentToken() == JsonToken.START_OBJECT, "the metadata are not an object");
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            expect(parser.nextToken() == JsonToken.VALUE_STRING, "metadata '" + key + "' is not a string");
            metadata.put(key, parser.getString());
        }
    }

    private static Span entry(JsonParser parser, String name, Path file) throws Malformed {
        expect(parser.currentToken() == JsonToken.START_OBJECT, "tensor '" + name + "' is not described by an object");
        String type = null;
        long[] shape = null;
        long[] offsets = null;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String field = parser.currentName();
            parser.nextToken();
            switch (field) {
                case "dtype" -> {
                    expect(parser.currentToken() == JsonToken.VALUE_STRING, "dtype of '" + name + "' is not a string");
                    type = parser.getString();
                }
                case "shape" -> shape = longs(parser, "shape of '" + name + "'");
                case "data_offsets" -> offsets = longs(parser, "data_offsets of '" + name + "'");
                default -> parser.skipChildren();
            }
        }
        expect(type != null, "tensor '" + name + "' has no dtype");
        expect(shape != null, "tensor '" + name + "' has no shape");
        expect(offsets != null && offsets.length == 2, "tensor '" + name + "' has no pair of data_offsets");
        expect(offsets[0] <= offsets[1], "tensor '" + name + "' ends before it begins");
        long held = offsets[1] - offsets[0];
        TensorEntry entry = new TensorEntry(
                name, Dtype.named(type).<ElementType>map(t -> t).orElse(new UnreadType(type, held, file)), shape);
        try {
            entry.elements();
            expect(
                    held == entry.byteCount(),
                    "tensor '" + name + "' of " + type + " " + Arrays.toString(shape) + " needs " + entry.byteCount()
                            + " bytes, has " + held);
        } catch (ArithmeticException e) {
            throw new Malformed("tensor '" + name + "' of shape " + Arrays.toString(shape) + " exceeds 63 bits");
        }
        return new Span(entry, offsets[0], offsets[1]);
    }

    private static long[] longs(JsonParser parser, String what) throws Malformed {
        expect(parser.currentToken() == JsonToken.START_ARRAY, what + " is not a list");
        List<Long> values = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            expect(parser.currentToken() == JsonToken.VALUE_NUMBER_INT, what + " holds something else than an integer");
            long value = parser.getLongValue();
            expect(value >= 0, what + " holds the negative number " + value);
            values.add(value);
        }
        return values.stream().mapToLong(Long::longValue).toArray();
    }

    private static void cover(Map<String, Span> spans, long dataBytes) throws Malformed {
        List<Span> inOrder = new ArrayList<>(spans.values());
        inOrder.sort(Comparator.comparingLong(Span::begin).thenComparingLong(Span::end));
        long covered = 0;
        for (Span span : inOrder) {
            expect(span.begin() >= covered, "tensor '" + span.entry().name() + "' overlaps the one before it");
            expect(
                    span.begin() == covered,
                    "bytes before tensor '" + span.entry().name() + "' belong to no tensor");
            covered = span.end();
        }
        expect(covered <= dataBytes, "it is cut off: the tensors need " + covered + " bytes, " + dataBytes + " follow");
        expect(covered == dataBytes, (dataBytes - covered) + " bytes after the last tensor belong to no tensor");
    }

    private static void expect(boolean holds, String otherwise) throws Malformed {
        if (!holds) {
            throw new Malformed(otherwise);
        }
    }
}
