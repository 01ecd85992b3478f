package dev.retort.layout;

import dev.retort.card.ClipTextSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScheduleSpec;
import dev.retort.card.TableGrid;
import dev.retort.card.TextCard;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.UNetLayers;
import dev.retort.card.UNetSpec;
import dev.retort.diffusion.Prediction;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.text.ClipTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * A pipeline of the Stable Diffusion family as another program saved it, opened: its U-Net and text encoders as one network, with their
 * tokenizers, scheduler and autoencoder; or a U-Net by itself. Weights are read tensor by tensor.
 */
final class UNetCheckpoint implements Checkpoint {
    /** What the library's pipelines are guided by where nobody says otherwise. */
    private static final double GUIDANCE = 7.5;

    private static final double XL_GUIDANCE = 5;
    private static final String UNET = "unet";

    private final WeightLayout<?> layout;
    private final Path path;
    private final NetworkSpec spec;
    private final TensorFile weights;
    private final DiffusersFolder pipeline;
    private final TextCard text;
    private final List<String> notes = new ArrayList<>();

    private UNetCheckpoint(
            WeightLayout<?> layout,
            Path path,
            NetworkSpec spec,
            TensorFile weights,
            TextCard text,
            DiffusersFolder pipeline) {
        this.layout = layout;
        this.path = path;
        this.spec = spec;
        this.weights = weights;
        this.text = text;
        this.pipeline = pipeline;
        notes.addAll(pipeline.notes());
    }

    /** Whether a folder's configuration says that it is, or has, a U-Net of this kind. */
    static boolean claims(Path path) {
        return Files.isDirectory(path)
                && DiffusersFolder.claims(PipelineFolder.network(path), List.of(UNetConfig.CLASS));
    }

    /** Whether a folder has text encoders beside its network. */
    static boolean isPipeline(Path path) {
        return PipelineFolder.is(path) && TextEncoderFiles.areIn(path);
    }

    /** The U-Net of a folder, by itself. */
    static UNetCheckpoint unet(WeightLayout<?> layout, Path path, Hints hints) {
        Path inside = PipelineFolder.network(path);
        DiffusersFolder folder = DiffusersFolder.of(inside);
        UNetSpec spec =
                UNetConfig.read(folder.config(), UNetSpec.Text.CLIP_TOKENS, OptionalInt.empty(), folder.version());
        return new UNetCheckpoint(layout, path, spec, fitted(inside, spec, hints), null, folder);
    }

    /** A whole pipeline of a folder. */
    static UNetCheckpoint pipeline(WeightLayout<?> layout, Path path, Hints hints) {
        Path inside = PipelineFolder.network(path);
        DiffusersFolder folder = DiffusersFolder.of(inside);
        List<TextEncoderFiles> encoders = TextEncoderFiles.find(path);
        List<ClipTextSpec> specs = encoders.stream().map(TextEncoderFiles::spec).toList();
        ClipTextSpec last = specs.get(specs.size() - 1);
        UNetSpec unet = UNetConfig.read(
                folder.config(),
                specs.stream().mapToInt(ClipTextSpec::length).min().orElseThrow(),
                last.projection() > 0 ? OptionalInt.of(last.projection()) : OptionalInt.empty(),
                folder.version());
        TextCard text = new TextCard(
                List.of(),
                encoders.stream().map(encoder -> tokenizer(path, encoder)).toList());
        NetworkSpec spec;
        try {
            text.requireFit(specs);
            spec = new TextToImageSpec(unet, specs);
        } catch (RetortException e) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    path + " is no pipeline whose parts fit: " + e.getMessage() + "; fetch it again",
                    e);
        }
        Map<String, TensorFile> files = new LinkedHashMap<>();
        try {
            files.put(UNET, fitted(inside, unet, hints));
            for (int i = 0; i < encoders.size(); i++) {
                files.put(TextToImageSpec.encoder(i), encoders.get(i).open());
            }
        } catch (RetortException e) {
            files.values().forEach(TensorFile::close);
            throw e;
        }
        return new UNetCheckpoint(layout, path, spec, new JoinedFiles(path, files), text, folder);
    }

    private static ClipTokenizer tokenizer(Path path, TextEncoderFiles encoder) {
        return encoder.tokenizer()
                .orElseThrow(() -> new RetortException(
                        Kind.CHECKPOINT,
                        path + " has no tokenizer for " + encoder.path().getFileName()
                                + ": expected the folder tokenizer, of a second encoder tokenizer_2; fetch it again"));
    }

    /** Its weights in the order of the network's state, every one of them there. */
    private static TensorFile fitted(Path folder, UNetSpec spec, Hints hints) {
        TensorFile file = TensorFiles.open(folder);
        try {
            Map<String, long[]> shapes = UNetLayers.of(spec).shapes();
            Fit.of(shapes, file.entries()).allowing(hints.allowed()).require(file.path());
            List<WeightLayout.Part> parts = new ArrayList<>();
            shapes.forEach((name, shape) -> {
                if (file.entries().containsKey(name)) {
                    parts.add(WeightLayout.Part.whole(name, name, shape));
                }
            });
            List<WeightLayout.Part> all = new ArrayList<>();
            shapes.forEach((name, shape) -> all.add(WeightLayout.Part.whole(name, name, shape)));
            return new RowsView(new ParameterView(file, shapes, parts, Map.of()), all, file);
        } catch (RetortException e) {
            file.close();
            throw e;
        }
    }

    @Override
    public WeightLayout<?> layout() {
        return layout;
    }

    @Override
    public String trainedBy() {
        return "DIFFUSERS";
    }

    @Override
    public ModelCard card() {
        return Optional.ofNullable(pipeline.autoencoder())
                .map(found -> networkCard().withAutoencoder(found.card()))
                .orElseGet(this::networkCard);
    }

    @Override
    public ModelCard networkCard() {
        Map<String, String> provenance =
                Map.of("source", path.toAbsolutePath().normalize().toString(), "family", trainedBy());
        ModelCard card = ModelCard.of(spec, process(), sampling(), classes(), "", 0, 0, "", provenance);
        return text == null ? card : card.withText(text);
    }

    private List<String> classes() {
        return IntStream.range(0, spec.classes()).mapToObj(String::valueOf).toList();
    }

    private ProcessSpec process() {
        return pipeline.process(new ProcessSpec(new ScheduleSpec.ScaledLinear(), Prediction.EPSILON, 0));
    }

    private SamplingSpec sampling() {
        boolean sizes =
                TextToImageSpec.unet(spec).flatMap(unet -> unet.told().pooled()).isPresent();
        return pipeline.sampling(SamplingSpec.of("ddim", 50, 1).with(50, new TableGrid.Leading()))
                .withGuidance(sizes ? XL_GUIDANCE : GUIDANCE, 0, 1, 0);
    }

    @Override
    public List<String> notes() {
        return Collections.unmodifiableList(notes);
    }

    @Override
    public TensorFile weights() {
        return weights;
    }

    @Override
    public TensorFile parameters() {
        return weights;
    }

    @Override
    public List<String> rounded(String to, String type) {
        return List.of();
    }

    @Override
    public void close() {
        weights.close();
    }
}
