package dev.retort.hub;

import dev.retort.io.WeightsName;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which files of a repository are fetched: configurations and texts, and the weights once, as safetensors where there are
 * any.
 *
 * @param chosen what is fetched, in the order of the listing
 * @param leftOut the rest, by reason
 */
public record Selection(List<RemoteFile> chosen, Map<Reason, List<RemoteFile>> leftOut) {
    /** Why a file is not fetched unless it is named alone. */
    public enum Reason {
        /** A pickle of weights that are there as safetensors. */
        SAME_WEIGHTS("the same weights in another file"),
        /** {@code NAME.fp16.safetensors} beside {@code NAME.safetensors}. */
        VARIANT("variants of the weights (fp16 and the like)"),
        /** Weights that nothing here reads. */
        OTHER_FRAMEWORK("weights for other frameworks"),
        /** Pictures, code, archives. */
        NOT_NEEDED("what is neither weights nor configuration");

        private final String text;

        Reason(String text) {
            this.text = text;
        }
    }

    private static final Set<String> PICKLES = Set.of("bin", "pt", "pth", "ckpt");
    private static final Set<String> OTHERS =
            Set.of("msgpack", "h5", "onnx", "onnx_data", "tflite", "pb", "ot", "gguf", "mlmodel", "xml", "engine");
    private static final Set<String> TEXTS = Set.of("json", "yaml", "yml", "txt", "md", "model");
    private static final Set<String> LEGAL = Set.of("license", "licence", "notice");

    public Selection {
        chosen = List.copyOf(chosen);
    }

    /** Chooses among the files below a folder of the repository, whose own top is that folder. */
    static Selection of(List<RemoteFile> files, String top) {
        // a pipeline keeps its weights in folders; what lies at its top is the same again in one file
        boolean pipeline = files.stream()
                .anyMatch(file -> file.folder().equals(top) && file.fileName().equals("model_index.json"));
        Set<Weights> safetensors = new HashSet<>();
        Set<Weights> all = new HashSet<>();
        for (RemoteFile file : files) {
            Weights weights = Weights.of(file);
            if (weights != null && !(pipeline && file.folder().equals(top))) {
                all.add(weights);
                if (ending(file).equals("safetensors")) {
                    safetensors.add(weights);
                }
            }
        }
        List<RemoteFile> chosen = new ArrayList<>();
        Map<Reason, List<RemoteFile>> leftOut = new EnumMap<>(Reason.class);
        for (RemoteFile file : files) {
            Reason reason = reason(file, pipeline && file.folder().equals(top), safetensors, all);
            if (reason == null) {
                chosen.add(file);
            } else {
                leftOut.computeIfAbsent(reason, key -> new ArrayList<>()).add(file);
            }
        }
        return new Selection(chosen, leftOut);
    }

    /** One file that was asked for by name. */
    static Selection only(RemoteFile file) {
        return new Selection(List.of(file), Map.of());
    }

    private static Reason reason(RemoteFile file, boolean topOfPipeline, Set<Weights> safetensors, Set<Weights> all) {
        String ending = ending(file);
        Weights weights = Weights.of(file);
        if (weights != null) {
            boolean pickle = PICKLES.contains(ending) || file.fileName().contains(".bin.index");
            if (topOfPipeline || pickle && safetensors.contains(weights)) {
                return Reason.SAME_WEIGHTS;
            }
            if (!weights.variant().isEmpty() && all.contains(weights.plain())) {
                return Reason.VARIANT;
            }
            return pickle && safetensors.contains(weights.plain()) ? Reason.SAME_WEIGHTS : null;
        }
        if (OTHERS.contains(ending)) {
            return Reason.OTHER_FRAMEWORK;
        }
        boolean text = TEXTS.contains(ending) || LEGAL.contains(file.fileName().toLowerCase(Locale.ROOT));
        return text ? null : Reason.NOT_NEEDED;
    }

    private static String ending(RemoteFile file) {
        String name = file.fileName();
        return name.contains(".") ? name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT) : "";
    }

    /**
     * What a file of weights holds, whatever its format and shard.
     *
     * @param name its name without ending, shard and variant
     * @param variant {@code fp16} in {@code model.fp16.safetensors}, else empty
     */
    private record Weights(String folder, String name, String variant) {
        /** Null where it holds no weights that are fetched. */
        static Weights of(RemoteFile file) {
            return WeightsName.of(file.fileName())
                    .filter(name -> name.safe() || PICKLES.contains(name.ending()))
                    .map(name -> new Weights(file.folder(), name.name(), name.variant()))
                    .orElse(null);
        }

        Weights plain() {
            return new Weights(folder, name, "");
        }
    }

    /** What a model cannot be loaded without: not what only people read, which other tools do not fetch. */
    List<RemoteFile> needed() {
        return chosen.size() == 1
                ? chosen
                : chosen.stream().filter(file -> !isReading(file)).toList();
    }

    /** The weights among the chosen files. */
    List<RemoteFile> weights() {
        return chosen.stream().filter(file -> Weights.of(file) != null).toList();
    }

    private static boolean isReading(RemoteFile file) {
        return ending(file).equals("md") || LEGAL.contains(file.fileName().toLowerCase(Locale.ROOT));
    }

    /** Bytes of the chosen files. */
    long bytes() {
        return bytes(chosen);
    }

    private static long bytes(List<RemoteFile> files) {
        return files.stream().mapToLong(RemoteFile::size).sum();
    }

    /** What is left out in a sentence, empty where nothing is. */
    String leftOutSentence(HubName name) {
        if (leftOut.isEmpty()) {
            return "";
        }
        return leftOut.entrySet().stream()
                .map(entry -> entry.getKey().text + " ("
                        + (entry.getValue().size() == 1
                                ? entry.getValue().get(0).path()
                                : entry.getValue().size() + " files")
                        + ", " + ByteSize.text(bytes(entry.getValue())) + ")")
                .collect(Collectors.joining(
                        ", ", "Left out: ", "; one of them comes by its name, hf:" + name.repository() + "/FILE"));
    }
}
