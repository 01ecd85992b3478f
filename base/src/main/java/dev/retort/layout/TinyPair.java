package dev.retort.layout;

import dev.retort.card.TinySpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The two files in which a tiny autoencoder is published.
 *
 * @param stem their common beginning, {@code FOLDER/NAME}
 */
record TinyPair(Path stem, Path encoder, Path decoder) {
    private static final String ENCODER = "encoder";
    private static final String DECODER = "decoder";
    /** The safer format first. */
    private static final List<String> ENDINGS = List.of("safetensors", "pth", "pt", "bin", "ckpt");

    private static final Pattern HALF =
            Pattern.compile("([^.].*)_(" + ENCODER + "|" + DECODER + ")\\.(" + String.join("|", ENDINGS) + ")");

    /** The common beginning that a path means, as one half or as the beginning itself; empty where no half is there. */
    static Optional<Path> stem(Path path) {
        Optional<Path> ofHalf = stemOfHalf(path);
        return ofHalf.isPresent()
                ? ofHalf
                : Optional.of(path)
                        .filter(stem -> half(stem, ENCODER).isPresent()
                                || half(stem, DECODER).isPresent());
    }

    /** The beginning of a file that is named like one of two halves. */
    static Optional<Path> stemOfHalf(Path file) {
        Matcher half = HALF.matcher(String.valueOf(file.getFileName()));
        return half.matches() ? Optional.of(file.resolveSibling(half.group(1))) : Optional.empty();
    }

    private static Optional<Path> half(Path stem, String which) {
        return ENDINGS.stream()
                .map(ending -> Path.of(stem + "_" + which + "." + ending))
                .filter(Files::isRegularFile)
                .findFirst();
    }

    /** The pair of that beginning; a half that is missing is an error. */
    static TinyPair of(Path stem) {
        return new TinyPair(stem, there(stem, ENCODER), there(stem, DECODER));
    }

    /** Whether both halves are there and the first is an encoder of these. */
    static boolean isWhole(Path stem) {
        try {
            return half(stem, DECODER).isPresent() && of(stem).spec() != null;
        } catch (RetortException e) {
            return false;
        }
    }

    private static Path there(Path stem, String which) {
        return half(stem, which)
                .orElseThrow(() -> new RetortException(
                        Kind.CHECKPOINT,
                        stem + "_" + which + ".safetensors is not there, nor in another format; an encoder and its"
                                + " decoder must be in the same folder"));
    }

    /** Its shape, as far as the published ones differ: by the channels of a latent, and the branch of TAEF2. */
    TinySpec spec() {
        try (TensorFile file = TensorFiles.open(encoder)) {
            TensorEntry last = file.entries().get("14.bias");
            if (last == null) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        encoder + " is not an encoder of a tiny autoencoder: it has no tensor 14.bias;"
                                + " give a folder with config.json instead");
            }
            boolean pooled = file.entries().keySet().stream().anyMatch(key -> key.contains(".pool."));
            return TinySpec.published(Math.toIntExact(last.shape()[0]), pooled);
        }
    }

    /** Both files as one, under the names that the library gives their tensors. */
    TensorFile open() {
        TensorFile first = TensorFiles.open(encoder);
        try {
            return new Both(stem, first, TensorFiles.open(decoder));
        } catch (RetortException e) {
            first.close();
            throw e;
        }
    }

    /** In the decoder the first layer is the bend of the latents, which has no tensors and no number in the library. */
    private static String ofDecoder(String name) {
        int dot = name.indexOf('.');
        return name.matches("[1-9]\\d{0,3}\\..*")
                ? "decoder.layers." + (Integer.parseInt(name.substring(0, dot)) - 1) + name.substring(dot)
                : "decoder.layers." + name;
    }

    private static final class Both implements TensorFile {
        private final Path stem;
        private final TensorFile encoder;
        private final TensorFile decoder;
        private final Map<String, TensorEntry> entries = new LinkedHashMap<>();
        private final Map<String, String> stored = new LinkedHashMap<>();

        Both(Path stem, TensorFile encoder, TensorFile decoder) {
            this.stem = stem;
            this.encoder = encoder;
            this.decoder = decoder;
            encoder.entries().values().forEach(entry -> add("encoder.layers." + entry.name(), entry));
            decoder.entries().values().forEach(entry -> add(ofDecoder(entry.name()), entry));
        }

        private void add(String name, TensorEntry entry) {
            entries.put(name, new TensorEntry(name, entry.type(), entry.shape()));
            stored.put(name, entry.name());
        }

        @Override
        public Path path() {
            return stem;
        }

        @Override
        public List<Path> files() {
            return Stream.of(encoder, decoder)
                    .flatMap(file -> file.files().stream())
                    .toList();
        }

        @Override
        public Map<String, String> metadata() {
            Map<String, String> all = new LinkedHashMap<>(decoder.metadata());
            all.putAll(encoder.metadata());
            return all;
        }

        @Override
        public Map<String, TensorEntry> entries() {
            return Collections.unmodifiableMap(entries);
        }

        @Override
        public void read(String name, long from, ByteBuffer target) {
            entry(name);
            (name.startsWith("encoder.") ? encoder : decoder).read(stored.get(name), from, target);
        }

        @Override
        public void verify() {
            encoder.verify();
            decoder.verify();
        }

        @Override
        public void close() {
            encoder.close();
            decoder.close();
        }
    }
}
