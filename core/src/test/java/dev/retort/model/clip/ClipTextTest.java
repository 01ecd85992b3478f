package dev.retort.model.clip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.ReferenceCase;
import dev.retort.card.ClipTextSpec;
import dev.retort.card.ClipTextSpec.Activation;
import dev.retort.graph.Graph;
import dev.retort.io.TensorFile;
import dev.retort.layout.ClipTextLayout;
import dev.retort.layout.TextEncoderFiles;
import dev.retort.model.TextEncoder.Encoded;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.nn.LayerGraph;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.GraphReplay;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class ClipTextTest {
    /** The encoder of a folder of the reference. */
    private static TextEncoderFiles files(ReferenceCase reference, String model) {
        return TextEncoderFiles.find(reference.folder().resolve(model)).get(0);
    }

    private static ClipText load(TextEncoderFiles files, ClipTextSpec spec) {
        ClipText encoder = new ClipText(spec, Init.blank(Device.CPU));
        try (TensorFile file = files.open()) {
            Weights.fill(encoder, file);
        }
        return encoder;
    }

    @Test
    void an_encoder_of_sd_1_equals_the_reference_in_every_state() {
        ReferenceCase reference = ReferenceCase.open("clip-text");
        String file = "model-a.safetensors";
        TextEncoderFiles files = files(reference, "model-a");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                ClipText encoder = load(files, files.spec());
                ClipText skipping = load(files, files.spec().handing(1, true));
                ClipText penultimate = load(files, files.spec().handing(1, false))) {
            Map<String, Tensor> io = reference.tensors(file);
            for (String which : List.of("", "short.")) {
                Tensor tokens = io.get(which.isEmpty() ? "input_ids" : "input_ids_short");
                Taps taps = Taps.of(List.of("hidden.0", "hidden.1", "hidden.2", "hidden.3"));
                Encoded encoded = encoder.forward(tokens, taps);
                for (int i = 0; i <= 3 && which.isEmpty(); i++) {
                    reference.check(file, "hidden." + i, taps.get("hidden." + i));
                }
                reference.check(file, which + "last_hidden_state", encoded.states());
                reference.check(file, which + "pooled", encoder.pooled(taps.get("hidden.3"), tokens));
                assertThat(encoded.pooled()).isNull();
                reference.check(
                        file, which + "penultimate", penultimate.forward(tokens).states());
                reference.check(
                        file,
                        which + "penultimate_normed",
                        skipping.forward(tokens).states());
            }
        }
    }

    @Test
    void an_encoder_of_sdxl_equals_the_reference_with_its_projection() {
        ReferenceCase reference = ReferenceCase.open("clip-text");
        String file = "model-b.safetensors";
        TextEncoderFiles files = files(reference, "model-b");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                ClipText encoder = load(files, files.spec().handing(1, false));
                ClipText last = load(files, files.spec())) {
            Map<String, Tensor> io = reference.tensors(file);
            for (String which : List.of("", "short.")) {
                Tensor tokens = io.get(which.isEmpty() ? "input_ids" : "input_ids_short");
                Encoded encoded = encoder.forward(tokens);
                reference.check(file, which + "penultimate", encoded.states());
                reference.check(file, which + "text_embeds", encoded.pooled());
                reference.check(
                        file, which + "last_hidden_state", last.forward(tokens).states());
            }
        }
    }

    @Test
    void the_eps_of_the_norms_is_that_of_the_spec() {
        ReferenceCase reference = ReferenceCase.open("clip-text");
        for (String model : List.of("model-a", "model-b")) {
            TextEncoderFiles files = files(reference, model);
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on();
                    ClipText encoder = load(files, files.spec())) {
                encoder.state().forEach((name, tensor) -> {
                    if (!name.contains("norm")) {
                        tensor.copy_(Ops.mul(tensor, 0.03));
                    }
                });
                String file = model + ".safetensors";
                Tensor tokens = Ops.narrow(reference.tensors(file).get("input_ids"), 0, 0, 1);
                reference.check(
                        file,
                        "scaled.last_hidden_state",
                        encoder.forward(tokens).states());
            }
        }
    }

    @Test
    void packed_for_sampling_it_gives_the_same_states() {
        ClipTextSpec spec = new ClipTextSpec(50, 12, 32, 2, 4);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                ClipText encoder = new ClipText(spec, Init.of(1, Device.CPU))) {
            Tensor tokens = tokens(49, 3, 7, 7, 1, 49, 49, 49, 49, 49, 49, 49);
            float[] expected = Tensors.floats(encoder.forward(tokens).states());
            Map<Precision, Double> tolerance = Map.of(Precision.FP32, 1e-5, Precision.BF16, 0.05);
            tolerance.forEach((precision, distance) -> {
                try (ClipText packed = new ClipText(
                        spec, Init.packed((name, dtype) -> encoder.state().get(name), Device.CPU, precision))) {
                    float[] states = Tensors.floats(packed.forward(tokens).states());
                    for (int i = 0; i < states.length; i++) {
                        assertThat((double) states[i]).as(precision + " " + i).isCloseTo(expected[i], within(distance));
                    }
                    assertThat(packed.parameters().keySet()).noneMatch(name -> name.endsWith("fc1.weight"));
                }
            });
        }
    }

    @Test
    void gradients_reach_every_parameter() {
        ClipTextSpec spec = new ClipTextSpec(9, 6, 16, 32, 2, 2, Activation.GELU, 1e-5, 8, 1, true, 8);
        try (Scope scope = Scope.open();
                ClipText encoder = new ClipText(spec, Init.of(1, Device.CPU))) {
            Encoded encoded = encoder.forward(tokens(7, 3, 2, 8, 8, 8));
            Tensor loss = Ops.add(
                    Ops.meanPerSample(Ops.square(Ops.add(encoded.states(), 1))),
                    Ops.meanPerSample(Ops.square(Ops.add(encoded.pooled(), 1))));
            loss.backward();
            encoder.parameters().forEach((name, tensor) -> {
                assertThat(tensor.grad().defined()).as(name).isTrue();
                double most = 0;
                for (float value : Tensors.floats(tensor.grad())) {
                    most = Math.max(most, Math.abs(value));
                }
                // softmax does not see what all keys of a query have in common
                assertThat(most).as(name).isGreaterThan(name.endsWith("k_proj.bias") ? -1 : 1e-7);
            });
        }
    }

    @Test
    void a_token_does_not_see_those_behind_it() {
        ClipTextSpec spec = new ClipTextSpec(20, 8, 16, 2, 2);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                ClipText encoder = new ClipText(spec, Init.of(1, Device.CPU))) {
            Tensor one = encoder.forward(tokens(18, 3, 4, 5, 19)).states();
            Tensor other = encoder.forward(tokens(18, 3, 4, 6, 7)).states();
            assertThat(Tensors.floats(Ops.narrow(one, 1, 0, 3))).isEqualTo(Tensors.floats(Ops.narrow(other, 1, 0, 3)));
            assertThat(Tensors.floats(one)).isNotEqualTo(Tensors.floats(other));
        }
    }

    @Test
    void an_encoder_has_as_many_parameters_as_its_spec_says_in_the_order_of_its_layout() {
        for (ClipTextSpec spec : List.of(
                new ClipTextSpec(60, 16, 64, 3, 4),
                new ClipTextSpec(90, 77, 24, 56, 2, 2, Activation.GELU, 1e-5, 20, 1, false, 89))) {
            try (Scope scope = Scope.open();
                    ClipText encoder = new ClipText(spec, Init.of(3, Device.CPU))) {
                assertThat(encoder.parameterCount()).isEqualTo(spec.parameters());
                assertThat(List.copyOf(encoder.state().keySet()))
                        .isEqualTo(List.copyOf(ClipTextLayout.parameters(spec).keySet()));
            }
        }
    }

    @Test
    void states_equal_their_graph_for_other_numbers_of_texts() {
        ClipTextSpec spec = new ClipTextSpec(20, 5, 16, 2, 2);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                ClipText encoder = new ClipText(spec, Init.of(1, Device.CPU))) {
            Graph graph = LayerGraph.of(encoder, n -> Map.of("tokens", texts(n, 5)), in ->
                    new Tensor[] {encoder.forward(in.get("tokens")).states()});
            GraphReplay replay = new GraphReplay(graph, encoder.state(), Device.CPU);
            for (int texts : List.of(1, 4)) {
                assertThat(Tensors.floats(replay.run(texts(texts, 5))[0]))
                        .isEqualTo(
                                Tensors.floats(encoder.forward(texts(texts, 5)).states()));
            }
        }
    }

    private static Tensor texts(int count, int length) {
        return Ops.view(
                Tensors.of(
                        IntStream.range(0, count * length).map(i -> i * 7 % 19).toArray(), Device.CPU),
                count,
                length);
    }

    @Test
    void a_text_that_is_too_long_is_refused() {
        try (Scope scope = Scope.open();
                ClipText encoder = new ClipText(new ClipTextSpec(9, 4, 8, 1, 1), Init.of(1, Device.CPU))) {
            assertThatThrownBy(() -> encoder.forward(tokens(7, 1, 2, 3, 8)))
                    .hasMessageContaining("a text has 5 tokens, expected at most 4");
        }
    }

    private static Tensor tokens(int... ids) {
        return Ops.unsqueeze(Tensors.of(ids, Device.CPU), 0);
    }
}
