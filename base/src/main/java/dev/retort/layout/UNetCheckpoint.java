package dev.retort.layout;

import dev.retort.card.ClipTextSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * A pipeline of the Stable Diffusion family as another program saved it, opened: its U-Net and text encoders as one network, with their
 * tokenizers, scheduler and autoencoder; or a U-Net by itself. Either a folder of the diffusers library or one file in the original
 * layout. Weights are read tensor by tensor.
 */
final class UNetCheckpoint implements Checkpoint {
    /** What the library's pipelines are guided by where nobody says otherwise. */
    private static final double GUIDANCE = 7.5;

    private static final double XL_GUIDANCE = 5;

    private final WeightLayout<?> layout;
    private final ModelCard card;
    private final Optional<AutoencoderFiles> autoencoder;
    private final TensorFile weights;
    private final TensorFile parameters;
    private final List<String> notes;

    private UNetCheckpoint(
            WeightLayout<?> layout,
            ModelCard card,
            Optional<AutoencoderFiles> autoencoder,
            TensorFile weights,
            TensorFile parameters,
            List<String> notes) {
        this.layout = layout;
        this.card = card;
        this.autoencoder = autoencoder;
        this.weights = weights;
        this.parameters = parameters;
        this.notes = List.copyOf(notes);
    }

    /** Whether something says that it is, or has, a U-Net of this kind, however damaged it may be. */
    static boolean claims(Path path) {
        if (Files.isDirectory(path)) {
            return DiffusersFolder.claims(PipelineFolder.network(path), List.of(UNetConfig.CLASS));
        }
        try {
            return Files.isRegularFile(path) && OriginalUNetFile.is(path);
        } catch (RetortException e) {
            return false; // it is no file of tensors, or none that can be read
        }
    }

    /** Whether text encoders lie beside the network. */
    static boolean isPipeline(Path path) {
        return TextEncoderFiles.areIn(path) && (PipelineFolder.is(path) || !Files.isDirectory(path));
    }

    /** The U-Net of a folder or file, by itself. */
    static UNetCheckpoint unet(Path path, Hints hints) {
        if (!Files.isDirectory(path)) {
            OriginalUNetFile file = OriginalUNetFile.open(path, hints);
            return original(UNetFileLayout.ORIGINAL, path, file, file.parameters(), card(path, file, file.spec()));
        }
        Path inside = PipelineFolder.network(path);
        DiffusersFolder folder = DiffusersFolder.of(inside);
        UNetSpec spec =
                UNetConfig.read(folder.config(), UNetSpec.Text.CLIP_TOKENS, OptionalInt.empty(), folder.version());
        ModelCard card = card(path, folder, spec);
        return diffusers(UNetFileLayout.DIFFUSERS, folder, fitted(inside, spec, hints), card);
    }

    /** A whole pipeline of a folder or file. */
    static UNetCheckpoint pipeline(Path path, Hints hints) {
        List<TextEncoderFiles> encoders = TextEncoderFiles.find(path);
        TextCard text = new TextCard(
                List.of(),
                encoders.stream().map(encoder -> tokenizer(path, encoder)).toList());
        if (!Files.isDirectory(path)) {
            OriginalUNetFile file = OriginalUNetFile.open(path, hints);
            try {
                ModelCard card = card(
                                path,
                                file,
                                whole(path, file.spec(), text, encoders, file.generation() == StableDiffusion.SDXL))
                        .withText(text);
                TensorFile parameters = joined(path, file.parameters(), encoders);
                return original(TextToImageLayout.ORIGINAL, path, file, parameters, card);
            } catch (RetortException e) {
                file.close();
                throw e;
            }
        }
        Path inside = PipelineFolder.network(path);
        DiffusersFolder folder = DiffusersFolder.of(inside);
        int projection = encoders.get(encoders.size() - 1).spec().projection();
        UNetSpec unet = UNetConfig.read(
                folder.config(),
                encoders.stream()
                        .mapToInt(encoder -> encoder.spec().length())
                        .min()
                        .orElseThrow(),
                projection > 0 ? OptionalInt.of(projection) : OptionalInt.empty(),
                folder.version());
        ModelCard card = card(path, folder, whole(path, unet, text, encoders, folder.zeroNone()))
                .withText(text);
        return diffusers(
                TextToImageLayout.DIFFUSERS, folder, joined(path, fitted(inside, unet, hints), encoders), card);
    }

    private static ClipTokenizer tokenizer(Path path, TextEncoderFiles encoder) {
        return encoder.tokenizer()
                .orElseThrow(() -> new RetortException(
                        Kind.CHECKPOINT,
                        path + " has no tokenizer for its encoder of "
                                + encoder.spec().vocabulary() + " tokens in "
                                + encoder.path().getFileName()
                                + ": expected the folder tokenizer, of a second encoder tokenizer_2; fetch it again"));
    }

    private static UNetCheckpoint diffusers(
            WeightLayout<?> layout, DiffusersFolder folder, TensorFile parameters, ModelCard card) {
        return new UNetCheckpoint(
                layout, card, Optional.ofNullable(folder.autoencoder()), parameters, parameters, folder.notes());
    }

    private static UNetCheckpoint original(
            WeightLayout<?> layout, Path path, OriginalUNetFile file, TensorFile parameters, ModelCard card) {
        return new UNetCheckpoint(
                layout, card, AutoencoderFiles.inFile(path), file.weights(), parameters, file.notes());
    }

    private static NetworkSpec whole(
            Path path, UNetSpec unet, TextCard text, List<TextEncoderFiles> encoders, boolean zeroNone) {
        try {
            List<ClipTextSpec> specs =
                    encoders.stream().map(TextEncoderFiles::spec).toList();
            text.requireFit(specs);
            return new TextToImageSpec(unet, specs, zeroNone);
        } catch (RetortException e) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    path + " is no pipeline whose parts fit: " + e.getMessage() + "; fetch it again",
                    e);
        }
    }

    private static ModelCard card(Path path, OriginalUNetFile file, NetworkSpec spec) {
        return card(
                path, spec, file.process(), file.sampling(), file.generation().name());
    }

    private static ModelCard card(Path path, DiffusersFolder folder, NetworkSpec spec) {
        boolean sizes =
                TextToImageSpec.unet(spec).flatMap(unet -> unet.told().pooled()).isPresent();
        ProcessSpec process = folder.process(StableDiffusion.process(Prediction.EPSILON, false));
        SamplingSpec sampling = folder.sampling(StableDiffusion.SD_1.sampling(process))
                .withGuidance(sizes ? XL_GUIDANCE : GUIDANCE, 0, 1, 0);
        return card(path, spec, process, sampling, "DIFFUSERS");
    }

    private static ModelCard card(
            Path path, NetworkSpec spec, ProcessSpec process, SamplingSpec sampling, String family) {
        Map<String, String> provenance =
                Map.of("source", path.toAbsolutePath().normalize().toString(), "family", family);
        List<String> classes =
                IntStream.range(0, spec.classes()).mapToObj(String::valueOf).toList();
        return ModelCard.of(spec, process, sampling, classes, "", 0, 0, "", provenance);
    }

    /** The weights of all networks; none stays open where one cannot be opened. */
    private static TensorFile joined(Path path, TensorFile unet, List<TextEncoderFiles> encoders) {
        Map<String, TensorFile> files = new LinkedHashMap<>();
        files.put(TextToImageSpec.UNET, unet);
        try {
            for (int i = 0; i < encoders.size(); i++) {
                files.put(TextToImageSpec.encoder(i), encoders.get(i).open());
            }
        } catch (RetortException e) {
            files.values().forEach(TensorFile::close);
            throw e;
        }
        return new JoinedFiles(path, files);
    }

    /** The weights of a folder's U-Net in the order of the network's state, every one of them there. */
    private static TensorFile fitted(Path folder, UNetSpec spec, Hints hints) {
        TensorFile file = TensorFiles.open(folder);
        try {
            Map<String, long[]> shapes = UNetLayers.of(spec).shapes();
            Fit.of(shapes, file.entries()).allowing(hints.allowed()).require(file.path());
            List<WeightLayout.Part> all = UNetFileLayout.DIFFUSERS.parts(spec);
            List<WeightLayout.Part> there = all.stream()
                    .filter(part -> file.entries().containsKey(part.key()))
                    .toList();
            return new RowsView(new ParameterView(file, shapes, there, Map.of()), all, file);
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
        return card.provenance().get("family");
    }

    @Override
    public ModelCard card() {
        return autoencoder.map(found -> card.withAutoencoder(found.card())).orElse(card);
    }

    @Override
    public ModelCard networkCard() {
        return card;
    }

    @Override
    public List<String> notes() {
        return notes;
    }

    @Override
    public TensorFile weights() {
        return weights;
    }

    @Override
    public TensorFile parameters() {
        return parameters;
    }

    @Override
    public List<String> rounded(String to, String type) {
        return List.of();
    }

    @Override
    public void close() {
        parameters.close();
        weights.close();
    }
}
