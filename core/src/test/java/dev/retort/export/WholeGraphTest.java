package dev.retort.export;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Plain;
import dev.retort.card.AutoencoderSpec;
import dev.retort.card.ClipTextSpec;
import dev.retort.card.DitConvention;
import dev.retort.card.DitSpec;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.graph.Graph;
import dev.retort.graph.Value;
import dev.retort.io.Dtype;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.model.Network;
import dev.retort.model.NetworkGraph;
import dev.retort.model.Weights;
import dev.retort.model.classifier.Classifier;
import dev.retort.model.clip.ClipText;
import dev.retort.model.dit.Dit;
import dev.retort.model.vae.Autoencoder;
import dev.retort.model.vae.Posterior;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.LayerGraph;
import dev.retort.onnx.OnnxWriter;
import dev.retort.pipeline.Architectures;
import dev.retort.torch.Device;
import dev.retort.torch.GraphReplay;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The graphs of whole networks, run by ONNX Runtime for batches that they were not recorded with. */
class WholeGraphTest {
    private static final DitSpec ORIGINAL = new DitSpec(8, 12, 4, 2, 48, 2, 3, 4, 10, 0.1, true, false);
    private static final DitSpec MODERN = new DitSpec(8, 12, 3, 2, 48, 2, 3, 4, 10, 0, false, true);

    @TempDir
    Path folder;

    static Stream<DitSpec> transformers() {
        return Stream.of(
                ORIGINAL,
                ORIGINAL.with(DitConvention.DIFFUSERS),
                ORIGINAL.with(new ScalarInputs(true, 1000)),
                ORIGINAL.withOutputs(1),
                MODERN,
                MODERN.with(new ScalarInputs(false, 1)),
                MODERN.withOutputs(3));
    }

    @ParameterizedTest
    @MethodSource("transformers")
    void a_diffusion_transformer(DitSpec spec) {
        try (Scope scope = Scope.open();
                Dit dit = randomised(new Dit(spec, Init.of(1, Device.CPU)))) {
            assertAgrees(dit, NetworkGraph.of(dit, List.of("blocks.0", "final_tokens")));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.retort.model.GraphOfNetworksTest#autoencoders")
    void both_halves_of_an_autoencoder(AutoencoderSpec spec) {
        try (Scope scope = Scope.open();
                Autoencoder autoencoder = randomised(Autoencoder.of(spec, Init.of(3, Device.CPU)))) {
            assertAgrees(autoencoder, recorded(autoencoder, new long[] {spec.imageChannels(), 12, 8}, images -> {
                Posterior posterior = autoencoder.encode(images);
                return new Tensor[] {posterior.mode()};
            }));
            assertAgrees(autoencoder, recorded(autoencoder, new long[] {spec.latentChannels(), 6, 4}, latents ->
                    new Tensor[] {autoencoder.decode(latents)}));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.retort.model.GraphOfNetworksTest#classifiers")
    void a_classifier(Classifier classifier) {
        try (Scope scope = Scope.open();
                Classifier network = randomised(classifier)) {
            long[] picture = {
                network.shape().channels(),
                network.shape().height(),
                network.shape().width()
            };
            assertAgrees(network, recorded(network, picture, pixels -> {
                Classifier.Output output = network.forward(pixels, false);
                return new Tensor[] {output.features(), output.logits()};
            }));
        }
    }

    @Test
    void the_states_of_a_text_encoder() {
        try (Scope scope = Scope.open();
                ClipText encoder =
                        randomised(new ClipText(new ClipTextSpec(10, 6, 16, 2, 2), Init.of(3, Device.CPU)))) {
            assertAgrees(
                    encoder,
                    LayerGraph.of(
                            encoder,
                            n -> Map.of(
                                    "tokens",
                                    Tensors.of(new int[6 * n], Device.CPU).view(n, 6)),
                            in -> new Tensor[] {
                                encoder.forward(in.get("tokens")).states()
                            }));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.retort.model.GraphOfNetworksTest#told")
    void a_u_net_and_the_encoders_before_it(NetworkSpec spec) {
        try (Scope scope = Scope.open();
                Network network = randomised(Architectures.build(spec, Init.of(4, Device.CPU)))) {
            assertAgrees(network, NetworkGraph.of(network, List.of()));
        }
    }

    private static Graph recorded(Layer layer, long[] sample, Function<Tensor, Tensor[]> forward) {
        return LayerGraph.of(
                layer,
                n -> Map.of("x", Tensors.full(1.0 / n, Device.CPU, n, sample[0], sample[1], sample[2])),
                in -> forward.apply(in.get("x")));
    }

    private void assertAgrees(Layer layer, Graph graph) {
        Path weights = folder.resolve("weights.safetensors");
        Path file = folder.resolve("network.onnx");
        Weights.writer(layer.state(), dev.retort.torch.Dtype.F32).write(weights);
        try (TensorFile stored = TensorFiles.open(weights)) {
            OnnxWriter.write(file, OnnxFiles.of(graph, stored), OnnxWriter.MOST_INSIDE);
        }
        try (NoGrad off = NoGrad.on();
                OnnxSession session = OnnxSession.open(file)) {
            for (int batch : new int[] {1, 4}) {
                Map<String, Object> inputs = new LinkedHashMap<>();
                List<Tensor> tensors = new ArrayList<>();
                for (Value input : graph.inputs()) {
                    int count = (int) input.shape().elements(batch);
                    if (input.type() == Dtype.I64) {
                        long[] labels = new long[count];
                        Arrays.setAll(labels, i -> Math.floorMod(9 - i, 10));
                        inputs.put(input.name(), labels);
                        tensors.add(Tensors.of(labels, Device.CPU)
                                .view(input.shape().at(batch)));
                    } else {
                        float[] values = new float[count];
                        for (int i = 0; i < count; i++) {
                            values[i] = (float) Math.sin(0.1 * i + batch);
                        }
                        inputs.put(input.name(), values);
                        tensors.add(Tensors.of(values, Device.CPU, input.shape().at(batch)));
                    }
                }
                Tensor[] expected =
                        new GraphReplay(graph, layer.state(), Device.CPU).run(tensors.toArray(Tensor[]::new));
                Map<String, float[]> there = session.run(inputs);
                for (int i = 0; i < expected.length; i++) {
                    float[] values = there.get(i == 0 ? "output" : "output." + i);
                    assertThat(Plain.error(values, Tensors.floats(expected[i])))
                            .as("output %d of %d", i, batch)
                            .isLessThan(1e-5);
                }
            }
        }
    }

    private static <L extends Layer> L randomised(L layer) {
        try (NoGrad off = NoGrad.on()) {
            Init init = Init.of(9, Device.CPU);
            layer.state().forEach((name, tensor) -> {
                Tensor value = init.normal(name, 0.1, Tensors.shape(tensor));
                tensor.copy_(name.endsWith("running_var") ? value.abs() : value);
            });
        }
        return layer;
    }
}
