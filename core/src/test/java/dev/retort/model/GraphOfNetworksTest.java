package dev.retort.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.card.AutoencoderSpec;
import dev.retort.card.ClipTextSpec;
import dev.retort.card.ClipTextSpec.Activation;
import dev.retort.card.ConvSpec;
import dev.retort.card.ImageShape;
import dev.retort.card.KlSpec;
import dev.retort.card.LatentScale;
import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.card.TextToImageSpec;
import dev.retort.card.TinySpec;
import dev.retort.card.UNetSizes;
import dev.retort.card.UNetSpec;
import dev.retort.card.UNetSpec.Pooled;
import dev.retort.card.UNetSpec.Text;
import dev.retort.card.UNetSpec.Told;
import dev.retort.graph.Graph;
import dev.retort.graph.Node;
import dev.retort.graph.Op;
import dev.retort.graph.Value;
import dev.retort.io.Dtype;
import dev.retort.model.classifier.Classifier;
import dev.retort.model.classifier.ConvClassifier;
import dev.retort.model.classifier.ResNet20;
import dev.retort.model.vae.Autoencoder;
import dev.retort.model.vae.Posterior;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.LayerGraph;
import dev.retort.nn.Taps;
import dev.retort.pipeline.Architectures;
import dev.retort.torch.Device;
import dev.retort.torch.GraphReplay;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each network's forward, recorded for two and three samples, computes the same when it is replayed for others. */
class GraphOfNetworksTest {
    private static final int[] OTHER_BATCHES = {1, 5};

    static Stream<AutoencoderSpec> autoencoders() {
        LatentScale scale = LatentScale.of(0.5);
        return Stream.of(
                new KlSpec(3, 4, List.of(4, 8), 1, 2, true, true, true, scale),
                new KlSpec(1, 2, List.of(4, 8), 2, 2, false, false, false, scale),
                new TinySpec(3, 4, 8, List.of(1, 2), List.of(2, 1), false, 3, 0.5, scale),
                new TinySpec(3, 4, 8, List.of(1, 2), List.of(2, 1), true, 3, 0.5, scale));
    }

    @ParameterizedTest
    @MethodSource("autoencoders")
    void both_halves_of_an_autoencoder_equal_their_graphs(AutoencoderSpec spec) {
        try (Scope scope = Scope.open();
                Autoencoder autoencoder = randomised(Autoencoder.of(spec, Init.of(3, Device.CPU)))) {
            assertReplays(autoencoder, new long[] {spec.imageChannels(), 12, 8}, images -> {
                Posterior posterior = autoencoder.encode(images);
                return spec.hasVariance()
                        ? new Tensor[] {posterior.mode(), posterior.logVariance()}
                        : new Tensor[] {posterior.mode()};
            });
            assertReplays(autoencoder, new long[] {spec.latentChannels(), 6, 4}, latents ->
                    new Tensor[] {autoencoder.decode(latents)});
        }
    }

    static Stream<Classifier> classifiers() {
        ConvSpec plain = new ConvSpec(1, 14, 14, List.of(List.of(4, 6), List.of(8)), 10);
        return Stream.of(new ConvClassifier(plain, Init.of(3, Device.CPU)), new ResNet20(Init.of(3, Device.CPU)));
    }

    @ParameterizedTest
    @MethodSource("classifiers")
    void a_classifier_equals_its_graph(Classifier classifier) {
        try (Scope scope = Scope.open();
                Classifier network = randomised(classifier)) {
            long[] picture = {
                network.shape().channels(),
                network.shape().height(),
                network.shape().width()
            };
            Graph graph = assertReplays(network, picture, pixels -> {
                Classifier.Output output = network.forward(pixels, false);
                return new Tensor[] {output.features(), output.logits()};
            });
            assertThat(graph.parameters()).isEqualTo(network.parameterCount());
            assertThat(graph.outputs().get(1).shape()).hasToString("(N, 10)");
        }
    }

    @Test
    void the_counts_of_the_published_classifier_are_read_from_its_graph() {
        try (Scope scope = Scope.open();
                ResNet20 network = new ResNet20(Init.of(3, Device.CPU))) {
            Graph graph = LayerGraph.of(network, n -> Map.of("pixels", Tensors.zeros(Device.CPU, n, 3, 32, 32)), in ->
                    new Tensor[] {network.forward(in.get("pixels"), false).logits()});
            assertThat(graph.parameters()).isEqualTo(269_722); // 0.27 M in He et al. 2015, table 6
            assertThat(graph.macs(1)).isEqualTo(40_551_040); // 40.55 M in akamaster's table
            assertThat(graph.nodes().stream().map(Node::op).filter(Op.CONV2D::equals))
                    .hasSize(19);
        }
    }

    /** U-Nets told nothing, told states of a text, and with their encoders; with what SDXL adds, in either way to find a text's end. */
    static Stream<NetworkSpec> told() {
        ImageShape image = new ImageShape(2, 7, 6);
        List<Integer> layers = List.of(0, 1);
        Text text = new Text(5, 8);
        Told all = new Told(Optional.of(new Text(5, 16)), Optional.of(new Pooled(6, 6, 4)), 8);
        ClipTextSpec plain = new ClipTextSpec(12, 5, 8, 1, 2);
        ClipTextSpec pooling = new ClipTextSpec(12, 5, 8, 16, 2, 2, Activation.GELU, 1e-5, 6, 1, false, 11);
        ClipTextSpec largest =
                new ClipTextSpec(12, 5, 8, 16, 2, 2, Activation.GELU, 1e-5, 6, 1, false, ClipTextSpec.LARGEST_ID);
        UNetSpec pooled = UNetSizes.of(image, List.of(8, 12), 2, layers, 4, all);
        return Stream.of(
                UNetSizes.of(image, List.of(8, 12), 2, layers, 4, Told.NOTHING),
                UNetSizes.of(image, List.of(8, 12), 1, layers, 4, Told.of(text)),
                new TextToImageSpec(UNetSizes.of(image, List.of(8, 12), 1, layers, 4, Told.of(text)), List.of(plain)),
                new TextToImageSpec(pooled, List.of(plain, pooling)),
                new TextToImageSpec(pooled, List.of(plain, largest)));
    }

    @ParameterizedTest
    @MethodSource("told")
    void a_u_net_and_the_encoders_before_it_equal_their_graph(NetworkSpec spec) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Network network = randomised(Architectures.build(spec, Init.of(4, Device.CPU)))) {
            Graph graph = NetworkGraph.of(network, List.of());
            for (int batch : OTHER_BATCHES) {
                Map<String, Tensor> inputs = new LinkedHashMap<>();
                for (Value input : graph.inputs()) {
                    inputs.put(input.name(), input(input, batch));
                }
                Condition condition = Condition.empty(batch, Device.CPU);
                for (Part part : spec.condition().parts().keySet()) {
                    condition = condition.with(part, inputs.get(part.name().toLowerCase(Locale.ROOT)));
                }
                Tensor expected = network.forward(inputs.get("x"), inputs.get("time"), condition, Taps.none());
                Tensor replayed = new GraphReplay(graph, network.state(), Device.CPU)
                        .run(inputs.values().toArray(Tensor[]::new))[0];
                assertThat(Tensors.floats(replayed)).doesNotContain(Float.NaN).isEqualTo(Tensors.floats(expected));
            }
        }
    }

    /** Waves; ids go round, so that texts end at several places and some twice. */
    private static Tensor input(Value input, int batch) {
        long[] shape = input.shape().at(batch);
        int count = (int) input.shape().elements(batch);
        if (input.type() == Dtype.I64) {
            long[] ids = LongStream.range(0, count).map(i -> i * 7 % 12).toArray();
            return Ops.reshape(Tensors.of(ids, Device.CPU), shape);
        }
        return Ops.reshape(wave(1, 1, 1, count), shape);
    }

    /** Records, then compares with the forward at other batch sizes, bit by bit. */
    private static Graph assertReplays(Layer layer, long[] sample, Function<Tensor, Tensor[]> forward) {
        Graph graph = LayerGraph.of(layer, n -> Map.of("x", wave(n, sample)), in -> forward.apply(in.get("x")));
        try (NoGrad off = NoGrad.on()) {
            GraphReplay replay = new GraphReplay(graph, layer.state(), Device.CPU);
            for (int batch : OTHER_BATCHES) {
                Tensor x = wave(batch, sample);
                Tensor[] expected = forward.apply(x);
                Tensor[] replayed = replay.run(x);
                for (int i = 0; i < expected.length; i++) {
                    assertThat(graph.outputs().get(i).shape().at(batch)).isEqualTo(Tensors.shape(expected[i]));
                    assertThat(Tensors.floats(replayed[i]))
                            .doesNotContain(Float.NaN)
                            .isEqualTo(Tensors.floats(expected[i]));
                }
            }
        }
        return graph;
    }

    /** Values for everything, statistics included; variances are positive. */
    private static <L extends Layer> L randomised(L layer) {
        try (NoGrad off = NoGrad.on()) {
            Init init = Init.of(9, Device.CPU);
            layer.state().forEach((name, tensor) -> {
                Tensor value = init.normal(name, 0.3, Tensors.shape(tensor));
                tensor.copy_(name.endsWith("running_var") ? value.abs() : value);
            });
        }
        return layer;
    }

    private static Tensor wave(int batch, long... sample) {
        long[] shape = {batch, sample[0], sample[1], sample[2]};
        float[] values = new float[(int) (batch * sample[0] * sample[1] * sample[2])];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) Math.sin(0.1 * i + batch);
        }
        return Tensors.of(values, Device.CPU, shape);
    }
}
