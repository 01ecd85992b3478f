package dev.retort.export;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Plain;
import dev.retort.card.AutoencoderSpec;
import dev.retort.card.DitSpec;
import dev.retort.card.TapPoint;
import dev.retort.graph.Graph;
import dev.retort.graph.Value;
import dev.retort.model.NetworkGraph;
import dev.retort.model.classifier.Classifier;
import dev.retort.model.dit.Dit;
import dev.retort.model.vae.Autoencoder;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.LayerGraph;
import dev.retort.torch.Device;
import dev.retort.torch.GraphReplay;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.ScriptModule;
import dev.retort.torch.Tensors;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Networks as archives: opened again, they compute what their graphs do for other batches. */
class TorchScriptNetworksTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @MethodSource("dev.retort.model.dit.DitGraphTest#specs")
    void a_diffusion_transformer_and_its_taps_in_an_archive_equal_their_graph(DitSpec spec) {
        try (Scope scope = Scope.open();
                Dit dit = randomised(new Dit(spec, Init.of(1, Device.CPU)))) {
            assertSame(
                    dit,
                    NetworkGraph.of(
                            dit, spec.taps().stream().map(TapPoint::name).toList()));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.retort.model.GraphOfNetworksTest#autoencoders")
    void both_halves_of_an_autoencoder_in_archives_equal_their_graphs(AutoencoderSpec spec) {
        try (Scope scope = Scope.open();
                Autoencoder autoencoder = randomised(Autoencoder.of(spec, Init.of(3, Device.CPU)))) {
            assertSame(autoencoder, graph(autoencoder, new long[] {spec.imageChannels(), 12, 8}, images ->
                    new Tensor[] {autoencoder.encode(images).mode()}));
            assertSame(autoencoder, graph(autoencoder, new long[] {spec.latentChannels(), 6, 4}, latents ->
                    new Tensor[] {autoencoder.decode(latents)}));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.retort.model.GraphOfNetworksTest#classifiers")
    void a_classifier_in_an_archive_equals_its_graph(Classifier classifier) {
        try (Scope scope = Scope.open();
                Classifier network = randomised(classifier)) {
            long[] picture = {
                network.shape().channels(),
                network.shape().height(),
                network.shape().width()
            };
            assertSame(network, graph(network, picture, pixels -> {
                Classifier.Output output = network.forward(pixels, false);
                return new Tensor[] {output.features(), output.logits()};
            }));
        }
    }

    @Test
    void an_archive_has_the_names_of_checkpoints_one_class_for_all_blocks_and_the_texts_that_were_given()
            throws IOException {
        DitSpec spec = new DitSpec(8, 8, 3, 2, 48, 2, 3, 4, 10, 0.1, false, false);
        Path file = folder.resolve("dit.pt");
        try (Scope scope = Scope.open();
                Dit dit = randomised(new Dit(spec, Init.of(1, Device.CPU)))) {
            TorchScriptFile.write(
                    file,
                    NetworkGraph.of(dit, List.of()),
                    dit.state(),
                    Optional.empty(),
                    Map.of("retort.json", "{\"name\":\"ü\"}"));
            try (ScriptModule module = ScriptModule.load(file)) {
                Map<String, Tensor> state = module.state();
                assertThat(state.keySet())
                        .containsAll(dit.state().keySet())
                        .contains("blocks.1.attn.qkv.weight", "constant.0")
                        .hasSize(dit.state().size() + 1);
                assertThat(Tensors.floats(state.get("blocks.1.attn.qkv.weight")))
                        .isEqualTo(Tensors.floats(dit.state().get("blocks.1.attn.qkv.weight")));
            }
        }
        try (ZipFile zip = new ZipFile(file.toFile());
                Stream<Path> files = Files.list(folder)) {
            assertThat(zip.getInputStream(zip.getEntry("dit/extra/retort.json")).readAllBytes())
                    .isEqualTo("{\"name\":\"ü\"}".getBytes(StandardCharsets.UTF_8));
            String code = new String(
                    zip.getInputStream(zip.getEntry("dit/code/__torch__/retort.py"))
                            .readAllBytes(),
                    StandardCharsets.UTF_8);
            assertThat(code.lines().filter(line -> line.startsWith("class "))).hasSizeLessThan(15);
            assertThat(files).containsExactly(file);
        }
    }

    private void assertSame(Layer layer, Graph graph) {
        Path file = folder.resolve("network.pt");
        assertThat(TorchScriptFile.write(file, graph, layer.state(), Optional.empty(), Map.of()))
                .isLessThan(1e-5);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                ScriptModule module = ScriptModule.load(file)) {
            for (int batch : new int[] {1, 4}) {
                Tensor[] inputs = graph.inputs().stream()
                        .map(input -> values(input, batch))
                        .toArray(Tensor[]::new);
                Tensor[] expected = new GraphReplay(graph, layer.state(), Device.CPU).run(inputs);
                Tensor[] found = module.call("forward", (Object[]) inputs);
                assertThat(found).hasSameSizeAs(expected);
                for (int i = 0; i < expected.length; i++) {
                    assertThat(Plain.error(Plain.values(found[i]), Plain.values(expected[i])))
                            .isLessThan(1e-5);
                }
            }
        }
    }

    private static Tensor values(Value input, int batch) {
        if (!input.type().floating()) {
            return Tensors.of(new int[] {9, 0, 3, 2}, Device.CPU).narrow(0, 0, batch);
        }
        int count = (int) input.shape().elements(batch);
        return Plain.tensor(Plain.normal(batch, 1, count), input.shape().at(batch));
    }

    private static Graph graph(Layer layer, long[] sample, Function<Tensor, Tensor[]> forward) {
        return LayerGraph.of(
                layer,
                n -> Map.of("x", Tensors.full(1.0 / n, Device.CPU, n, sample[0], sample[1], sample[2])),
                in -> forward.apply(in.get("x")));
    }

    /** Values for everything, statistics included; variances are positive. */
    private static <L extends Layer> L randomised(L layer) {
        try (NoGrad off = NoGrad.on()) {
            Init init = Init.of(9, Device.CPU);
            layer.state().forEach((name, tensor) -> {
                Tensor value = init.normal(name, 0.2, Tensors.shape(tensor));
                tensor.copy_(name.endsWith("running_var") ? value.abs() : value);
            });
        }
        return layer;
    }
}
