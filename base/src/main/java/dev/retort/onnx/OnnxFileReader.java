package dev.retort.onnx;

import dev.retort.io.Dtype;
import dev.retort.io.ProtoReader;
import dev.retort.onnx.OnnxFile.Held;
import dev.retort.onnx.OnnxFile.Signature;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads the messages of onnx.proto as far as {@link OnnxFile} tells of them, each by the numbers of its fields. */
final class OnnxFileReader {
    private long irVersion;
    private String producer = "";
    private final Map<String, Long> opsets = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final List<Signature> inputs = new ArrayList<>();
    private final List<Signature> outputs = new ArrayList<>();
    private final Map<String, Integer> operators = new TreeMap<>();
    private final List<Held> tensors = new ArrayList<>();

    OnnxFile model(ProtoReader in) {
        while (in.next()) {
            switch (in.field()) {
                case 1 -> irVersion = in.integer();
                case 2 -> producer = in.string();
                case 7 -> in.message(this::graph);
                case 8 -> in.message(this::opset);
                case 14 -> in.message(pair -> pair(pair, metadata));
                default -> {}
            }
        }
        List<String> held = tensors.stream().map(Held::name).toList();
        inputs.removeIf(input -> held.contains(input.name()));
        return new OnnxFile(irVersion, producer, opsets, metadata, inputs, outputs, operators, tensors);
    }

    private Void opset(ProtoReader in) {
        String domain = "";
        long version = 0;
        while (in.next()) {
            switch (in.field()) {
                case 1 -> domain = in.string();
                case 2 -> version = in.integer();
                default -> {}
            }
        }
        opsets.put(domain.isEmpty() ? "ai.onnx" : domain, version);
        return null;
    }

    private Void graph(ProtoReader in) {
        while (in.next()) {
            switch (in.field()) {
                case 1 -> operators.merge(in.message(OnnxFileReader::operator), 1, Integer::sum);
                case 5 -> tensors.add(in.message(OnnxFileReader::tensor));
                case 11 -> inputs.add(in.message(OnnxFileReader::signature));
                case 12 -> outputs.add(in.message(OnnxFileReader::signature));
                default -> {}
            }
        }
        return null;
    }

    private static String operator(ProtoReader in) {
        String type = "";
        String domain = "";
        while (in.next()) {
            switch (in.field()) {
                case 4 -> type = in.string();
                case 7 -> domain = in.string();
                default -> {}
            }
        }
        return domain.isEmpty() || domain.equals("ai.onnx") ? type : domain + "." + type;
    }

    private static Held tensor(ProtoReader in) {
        List<Long> shape = new ArrayList<>();
        String type = "?";
        String name = "";
        Map<String, String> outside = new LinkedHashMap<>();
        while (in.next()) {
            switch (in.field()) {
                case 1 -> shape.add(in.integer());
                case 2 -> type = type(in.integer());
                case 8 -> name = in.string();
                case 13 -> in.message(pair -> pair(pair, outside));
                default -> {}
            }
        }
        long end = whole(outside.get("offset")) + whole(outside.get("length"));
        return new Held(name, type, shape, outside.getOrDefault("location", ""), end);
    }

    private static long whole(String text) {
        return text != null && text.matches("\\d{1,18}") ? Long.parseLong(text) : 0;
    }

    private static Signature signature(ProtoReader in) {
        String name = "";
        Signature tensor = new Signature("", "?", List.of());
        while (in.next()) {
            switch (in.field()) {
                case 1 -> name = in.string();
                case 2 -> tensor = in.message(OnnxFileReader::ofType);
                default -> {}
            }
        }
        return new Signature(name, tensor.type(), tensor.shape());
    }

    /** A {@code TypeProto}, of a tensor. */
    private static Signature ofType(ProtoReader in) {
        Signature tensor = new Signature("", "?", List.of());
        while (in.next()) {
            if (in.field() == 1) {
                tensor = in.message(OnnxFileReader::ofTensor);
            }
        }
        return tensor;
    }

    private static Signature ofTensor(ProtoReader in) {
        String type = "?";
        List<String> shape = List.of();
        while (in.next()) {
            switch (in.field()) {
                case 1 -> type = type(in.integer());
                case 2 -> shape = in.message(OnnxFileReader::shape);
                default -> {}
            }
        }
        return new Signature("", type, shape);
    }

    private static List<String> shape(ProtoReader in) {
        List<String> shape = new ArrayList<>();
        while (in.next()) {
            shape.add(in.field() == 1 ? in.message(OnnxFileReader::dimension) : "?");
        }
        return shape;
    }

    private static String dimension(ProtoReader in) {
        String size = "?";
        while (in.next()) {
            switch (in.field()) {
                case 1 -> size = Long.toString(in.integer());
                case 2 -> size = in.string();
                default -> {}
            }
        }
        return size;
    }

    private static String type(long code) {
        return OnnxType.of(code).map(Dtype::name).orElse("?");
    }

    private static Void pair(ProtoReader in, Map<String, String> into) {
        String key = "";
        String value = "";
        while (in.next()) {
            switch (in.field()) {
                case 1 -> key = in.string();
                case 2 -> value = in.string();
                default -> {}
            }
        }
        into.put(key, value);
        return null;
    }
}
