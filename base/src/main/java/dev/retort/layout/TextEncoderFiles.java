package dev.retort.layout;

import dev.retort.card.ClipTextSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.StateDict;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.text.ClipTokenizer;
import dev.retort.tokenizer.PublishedTokenizer;
import dev.retort.tokenizer.TokenizerFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A text encoder on disk, with its tokenizer: the folder {@code text_encoder} or {@code text_encoder_2} of a pipeline, such a
 * folder alone, or a part of one file in the original layout.
 */
public final class TextEncoderFiles {
    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "model";
    private static final String ENCODER = "text_encoder";
    private static final String TOKENIZER = "tokenizer";

    /** What files hold that no network reads. */
    private static final List<String> UNREAD =
            List.of("text_model.embeddings.position_ids", "embeddings.position_ids", "logit_scale", "text_projection*");

    private final Path place;
    private final ClipTextSpec spec;
    /** Null where it lies in a folder. */
    private final OriginalTextEncoder original;
    /** Null where none belongs to it. */
    private final Path tokenizer;

    private TextEncoderFiles(Path place, ClipTextSpec spec, OriginalTextEncoder original, Path tokenizer) {
        this.place = place;
        this.spec = spec;
        this.original = original;
        this.tokenizer = tokenizer;
    }

    /**
     * Finds the text encoders that a model reads, in its order; only headers are read.
     *
     * @param path a pipeline folder, the folder of one encoder, or a file in the original layout
     * @return none where there are none, as beside a model of classes
     * @throws RetortException of kind CHECKPOINT, naming the file and what is wrong with it: damaged, not of CLIP, or tensors that
     *     are missing, unexpected or of another shape
     */
    public static List<TextEncoderFiles> find(Path path) {
        if (!Files.isDirectory(path)) {
            return inFile(path);
        }
        List<String> ends = ends(path);
        if (ends.isEmpty()) {
            return ClipTextConfig.isOne(path.resolve(CONFIG)) ? List.of(inFolder(path, false, null)) : List.of();
        }
        // SDXL, whose refiner has the second alone, reads penultimate states without the final norm
        boolean xl = ends.contains("_2");
        List<TextEncoderFiles> found = new ArrayList<>();
        for (String end : ends) {
            Path beside = path.resolve(TOKENIZER + end);
            found.add(inFolder(path.resolve(ENCODER + end), xl, Files.isDirectory(beside) ? beside : null));
        }
        return found;
    }

    private static List<String> ends(Path pipeline) {
        return Stream.of("", "_2")
                .filter(end ->
                        Files.isRegularFile(pipeline.resolve(ENCODER + end).resolve(CONFIG)))
                .toList();
    }

    /** Whether a pipeline's folder or file has encoders; they are not opened, and may be damaged. */
    static boolean areIn(Path pipeline) {
        if (Files.isDirectory(pipeline)) {
            return !ends(pipeline).isEmpty();
        }
        try (TensorFile file = opened(pipeline)) {
            return !OriginalTextEncoder.in(file).isEmpty();
        }
    }

    private static TextEncoderFiles inFolder(Path folder, boolean xl, Path tokenizer) {
        boolean projects;
        try (TensorFile file = TensorFiles.open(folder)) {
            projects = file.entries().containsKey(ClipTextLayout.PROJECTION);
        }
        ClipTextSpec last = ClipTextConfig.read(folder.resolve(CONFIG), projects);
        ClipTextSpec spec = xl ? last.handing(1, false) : last;
        return new TextEncoderFiles(folder, spec, null, tokenizer).checked();
    }

    private static List<TextEncoderFiles> inFile(Path path) {
        try (TensorFile file = opened(path)) {
            return OriginalTextEncoder.in(file).stream()
                    .map(place -> new TextEncoderFiles(path, place.spec(file), place, null).checked())
                    .toList();
        }
    }

    /** Without what training wrapped around all of it. */
    private static TensorFile opened(Path path) {
        TensorFile file = TensorFiles.open(path);
        try {
            List<String> marks = Arrays.stream(OriginalTextEncoder.values())
                    .map(place -> place.prefix() + place.layout().key(ClipTextLayout.TOKENS))
                    .toList();
            return StateDict.of(file, marks);
        } catch (RetortException e) {
            file.close();
            throw e;
        }
    }

    private TextEncoderFiles checked() {
        open().close(); // weights that are missing or damaged are told where they are found
        return this;
    }

    /** What lies there, and what of it its model reads. */
    public ClipTextSpec spec() {
        return spec;
    }

    /** The folder or file. */
    public Path path() {
        return place;
    }

    /** Opens its weights as the parameters of the network, under their names. */
    public TensorFile open() {
        TensorFile file = original == null ? TensorFiles.open(place) : opened(place);
        try {
            return original == null ? parameters(file) : original.parameters(file, spec);
        } catch (RetortException e) {
            file.close();
            throw e;
        }
    }

    private TensorFile parameters(TensorFile file) {
        boolean bare = file.entries().keySet().stream().noneMatch(name -> name.startsWith(ClipTextLayout.MODEL));
        ClipTextLayout layout = bare ? ClipTextLayout.BARE : ClipTextLayout.TRANSFORMERS;
        Fit.of(layout.shapes(spec, ""), file.entries()).allowing(UNREAD).require(file.path());
        return layout.parameters(file, spec, "");
    }

    /**
     * Reads its tokenizer; in one file there is none, and it is CLIP's published one where the encoder has that vocabulary. Empty where
     * there is neither.
     *
     * @throws RetortException of kind CHECKPOINT where it is damaged or does not fit the encoder
     */
    public Optional<ClipTokenizer> tokenizer() {
        if (tokenizer == null) {
            return original != null && spec.vocabulary() == PublishedTokenizer.VOCABULARY
                    ? Optional.of(original.tokenizer(spec))
                    : Optional.empty();
        }
        ClipTokenizer read = TokenizerFolder.read(tokenizer);
        try {
            spec.requireFits(read);
        } catch (RetortException e) {
            throw new RetortException(Kind.CHECKPOINT, tokenizer + " does not fit " + place + ": " + e.getMessage(), e);
        }
        return Optional.of(read);
    }

    /**
     * Writes the folder of an encoder, as a pipeline of the diffusers library has it: {@code config.json} and weights. Blocks
     * at the end that nothing reads are left out.
     *
     * @param parameters the network's parameters under their names
     * @return in what the library will compute otherwise than we do, a sentence each
     */
    public static List<String> write(Path folder, ClipTextSpec spec, TensorFile parameters, Storage how) {
        ClipTextSpec written = spec.withoutUnused();
        ConvertedWeights.requireFinite(parameters, how.dtype());
        AtomicWrite.text(folder.resolve(CONFIG), ClipTextConfig.json(written));
        ConvertedWeights.writer(ClipTextLayout.TRANSFORMERS.keys(parameters, written, ""), how.dtype())
                .writeShards(folder, WEIGHTS, how.mostBytes());
        boolean known = written.skip() == 0 && written.finalNorm() || written.skip() == 1 && !written.finalNorm();
        return known
                ? List.of()
                : List.of(
                        "the library's pipelines hand on the last state with the final norm (SD) or the penultimate without"
                                + " (SDXL), so this encoder's states will differ");
    }

    /** The tokenizers that programs take for a model's file in the original layout, which has none. */
    static List<ClipTokenizer> originalTokenizers(List<ClipTextSpec> specs) {
        List<OriginalTextEncoder> places = OriginalTextEncoder.of(specs);
        return IntStream.range(0, places.size())
                .mapToObj(i -> places.get(i).tokenizer(specs.get(i)))
                .toList();
    }

    /**
     * The encoders of a model as its file in the original layout has them: for each its tensors under the keys of that file.
     *
     * @param parameters of each encoder, in the order of the pipeline, as {@code specs}
     */
    public static List<TensorFile> original(List<ClipTextSpec> specs, List<TensorFile> parameters) {
        List<OriginalTextEncoder> places = OriginalTextEncoder.of(specs);
        List<TensorFile> keyed = new ArrayList<>();
        for (int i = 0; i < places.size(); i++) {
            OriginalTextEncoder place = places.get(i);
            keyed.add(place.layout().keys(parameters.get(i), specs.get(i).withoutUnused(), place.prefix()));
        }
        return keyed;
    }
}
