package dev.retort.model.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.ModelFolder;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("kernels")
class AutoencoderTest {
    private static final KlSpec KL = new KlSpec(3, 4, List.of(4, 8), 1, 2, true, true, true, LatentScale.of(0.5));
    private static final TinySpec TINY =
            new TinySpec(3, 4, 8, List.of(1, 1, 1), List.of(1, 1, 1), true, 3, 0.5, LatentScale.of(1));

    @TempDir
    private Path folder;

    private static Tensor image(int n, int side) {
        float[] values = new float[n * 3 * side * side];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) Math.sin(0.37 * i);
        }
        return Tensors.of(values, Device.CPU, n, 3, side, side);
    }

    /** Every tensor gets values of its own, biases and norms too. */
    private static <A extends Autoencoder> A random(A autoencoder) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            autoencoder
                    .state()
                    .forEach((name, tensor) ->
                            tensor.copy_(Init.of(7, Device.CPU).normal(name, 0.25, Tensors.shape(tensor))));
        }
        return autoencoder;
    }

    /** Weights, input and output of the reference case: two residual blocks and the attention between them. */
    @Test
    void the_middle_equals_the_reference() throws Exception {
        Path file = Path.of(
                AutoencoderTest.class.getResource("mid-block.safetensors").toURI());
        KlSpec spec = new KlSpec(3, 4, List.of(8, 16, 16, 16), 2, 4, true, true, true, LatentScale.of(0.18215));
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                KlMidBlock middle = new KlMidBlock(Init.blank(Device.CPU), spec)) {
            Map<String, Tensor> tensors = ModelFolder.read(file, Device.CPU);
            Tensor in = tensors.remove("in");
            Tensor out = tensors.remove("out");
            assertThat(middle.load(tensors)).isEmpty();
            assertThat(Tensors.floats(middle.forward(in))).containsExactly(Tensors.floats(out), within(2e-5f));
        }
    }

    /** Sums and some values, taken when the same code passed the reference case. */
    @Test
    void arithmetic_stays_what_it_was_when_it_equalled_the_reference() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autoencoder kl = random(new AutoencoderKl(KL, Init.of(7, Device.CPU)));
                Autoencoder tiny = random(new AutoencoderTiny(TINY, Init.of(7, Device.CPU)))) {
            Posterior posterior = kl.encode(image(1, 10));
            Tensor latent = tiny.encode(image(1, 12)).mode();
            double[] want = {
                9.726471796631813,
                6.637629448046965, // mean
                10.183924632146955,
                13.333519038647466, // log-variance
                -86.94649323821068,
                62.511843016206356, // decoded
                -361.1028000116348,
                87683.78371927778, // tiny latent
                43164.94527435303,
                9.848993654201733E7 // tiny decoded
            };
            double[] got = sums(
                    posterior.mean(),
                    posterior.logVariance(),
                    kl.decode(posterior.mean()),
                    latent,
                    tiny.decode(latent));
            for (int i = 0; i < want.length; i++) {
                assertThat(got[i]).as("number %d", i).isCloseTo(want[i], withinPercentage(0.02));
            }
        }
    }

    /** Sum and sum of squares of each. */
    private static double[] sums(Tensor... tensors) {
        double[] sums = new double[2 * tensors.length];
        for (int i = 0; i < tensors.length; i++) {
            for (float value : Tensors.floats(tensors[i])) {
                sums[2 * i] += value;
                sums[2 * i + 1] += (double) value * value;
            }
        }
        return sums;
    }

    @Test
    void networks_of_published_size_have_their_number_of_values() {
        KlSpec stable = new KlSpec(3, 4, List.of(128, 256, 512, 512), 2, 32, true, true, true, LatentScale.of(0.18215));
        assertThat(values(stable)).isEqualTo(83_653_863);
        assertThat(values(TinySpec.published(4, false))).isEqualTo(1_222_532 + 1_222_531);
        assertThat(values(TinySpec.published(32, true))).isEqualTo(1_338_528 + 1_338_499);
    }

    private static long values(AutoencoderSpec spec) {
        try (Scope scope = Scope.open();
                Autoencoder autoencoder = spec.build(Init.blank(Device.CPU))) {
            return autoencoder.stateCount();
        }
    }

    @Test
    void latents_of_the_tiny_one_are_certain_and_those_of_the_other_are_drawn() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autoencoder kl = random(KL.build(Init.of(7, Device.CPU)));
                Autoencoder tiny = random(TINY.build(Init.of(7, Device.CPU)))) {
            Posterior certain = tiny.encode(image(2, 8));
            Tensor noise = Tensors.full(1, Device.CPU, Tensors.shape(certain.mean()));
            assertThat(Tensors.floats(certain.sample(noise))).isEqualTo(Tensors.floats(certain.mode()));
            Posterior drawn = kl.encode(image(2, 8));
            Tensor unit = Tensors.full(1, Device.CPU, Tensors.shape(drawn.mean()));
            assertThat(Tensors.floats(drawn.sample(unit).sub(drawn.mode())))
                    .isEqualTo(Tensors.floats(drawn.mode().add(drawn.std()).sub(drawn.mode())));
            for (float spread : Tensors.floats(drawn.std())) {
                assertThat(spread).isPositive();
            }
        }
    }

    @Test
    void scales_are_undone_exactly_enough() {
        LatentScale scale = new LatentScale(0.36, 0.11, List.of(0.5, -1.0), List.of(2.0, 0.25));
        try (Scope scope = Scope.open()) {
            Tensor latents = Tensors.of(new float[] {1, 2, 3, -4}, Device.CPU, 2, 2, 1, 1);
            Tensor seen = scale.toNetwork(latents);
            assertThat(Tensors.floats(seen)[1]).isCloseTo((float) (0.36 * (2 - 0.11 + 1) / 0.25), within(1e-5f));
            assertThat(Tensors.floats(scale.toAutoencoder(seen)))
                    .containsExactly(new float[] {1, 2, 3, -4}, within(1e-5f));
        }
        assertThatThrownBy(() -> scale.requireChannels(4)).hasMessageContaining("mean is 2 values");
        assertThatThrownBy(() -> LatentScale.of(0)).hasMessageContaining("scale is 0");
    }

    @Test
    void tiles_fade_into_each_other_and_one_tile_is_the_plain_decoding() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autoencoder tiny =
                        random(new TinySpec(3, 4, 8, List.of(1, 1), List.of(1, 1), false, 3, 0.5, LatentScale.of(1))
                                .build(Init.of(7, Device.CPU)))) {
            tiny.state().values().forEach(tensor -> Ops.mulInPlace(tensor, 0.5));
            float[] values = new float[2 * 4 * 40 * 48];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) Math.sin(0.011 * i);
            }
            Tensor latents = Tensors.of(values, Device.CPU, 2, 4, 40, 48);
            float[] whole = Tensors.floats(tiny.decode(latents));
            float[] sliced = Tensors.floats(new TiledDecoding(48, 0.25).decode(tiny, latents));
            // one picture at a time is summed in another order where kernels look at the batch
            assertThat(sliced).containsExactly(whole, within(1e-5f));
            // a tile knows nothing beyond its edge: hard seams show it, faded ones hide most of it
            double[] hard = distance(whole, Tensors.floats(new TiledDecoding(24, 0).decode(tiny, latents)));
            double[] faded = distance(whole, Tensors.floats(new TiledDecoding(24, 0.5).decode(tiny, latents)));
            assertThat(faded[0]).as("largest difference").isLessThan(hard[0] / 2);
            assertThat(faded[1]).as("mean difference").isLessThan(hard[1] / 2);
        }
    }

    /** Largest and mean absolute difference. */
    private static double[] distance(float[] a, float[] b) {
        double[] distance = new double[2];
        for (int i = 0; i < a.length; i++) {
            distance[0] = Math.max(distance[0], Math.abs(a[i] - b[i]));
            distance[1] += (double) Math.abs(a[i] - b[i]) / a.length;
        }
        return distance;
    }

    @Test
    void weights_of_tiles_sum_to_one_everywhere() {
        // a decoder that returns ones shows the weights themselves
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autoencoder ones = new Ones()) {
            for (int size : new int[] {5, 16, 17, 23, 64}) {
                Tensor latents = Tensors.zeros(Device.CPU, 1, 4, size, 16);
                assertThat(Tensors.floats(new TiledDecoding(16, 0.3).decode(ones, latents)))
                        .hasSize(3 * size * 2 * 32)
                        .usingComparatorWithPrecision(1e-5f)
                        .containsOnly(1f);
            }
        }
    }

    private static final class Ones extends Autoencoder {
        @Override
        public AutoencoderSpec spec() {
            return new TinySpec(3, 4, 8, List.of(1, 1), List.of(1, 1), false, 3, 0.5, LatentScale.of(1));
        }

        @Override
        public Posterior encode(Tensor images) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Tensor decode(Tensor latents) {
            return Tensors.full(1, Device.CPU, latents.size(0), 3, 2 * latents.size(2), 2 * latents.size(3));
        }
    }

    @Test
    void what_is_no_autoencoder_is_refused_with_its_reason() throws IOException {
        refused("nowhere", "is no autoencoder");
        write("a/config.json", "{}");
        refused("a", "has no diffusion_pytorch_model.safetensors");
        write("a/diffusion_pytorch_model.safetensors", "");
        refused("a", "_class_name is , expected AutoencoderKL or AutoencoderTiny");
        write(
                "a/config.json",
                "{\"_class_name\": \"AutoencoderKL\", \"block_out_channels\": [6], \"norm_num_groups\": 4}");
        refused("a", "widths is 6, expected multiples of normGroups 4");
        write(
                "a/config.json",
                "{\"_class_name\": \"AutoencoderKL\", \"block_out_channels\": [4], \"act_fn\": \"mish\"}");
        refused("a", "act_fn is mish, expected silu");
        write("a/config.json", "{\"_class_name\": \"AutoencoderTiny\", \"upsampling_scaling_factor\": 4}");
        refused("a", "upsampling_scaling_factor is 4, expected 2");
        write("a/config.json", "[1, 2");
        refused("a", "cannot be read as an autoencoder's configuration");
        write("one_encoder.safetensors", "");
        refused("one", "one_decoder.safetensors is not there");
        write("two_encoder.safetensors", "");
        refused(".", "several autoencoders", "two");
    }

    @Test
    void weights_of_another_shape_are_refused_by_name() throws IOException {
        try (Scope scope = Scope.open();
                Autoencoder tiny = TINY.build(Init.of(7, Device.CPU))) {
            Map<String, Tensor> encoder = new LinkedHashMap<>();
            encoder.put("14.bias", Tensors.zeros(Device.CPU, 4));
            ModelFolder.writer(encoder, Dtype.F32).write(folder.resolve("odd_encoder.safetensors"));
            ModelFolder.writer(tiny.state(), Dtype.F32).write(folder.resolve("odd_decoder.safetensors"));
        }
        AutoencoderFiles files = AutoencoderFiles.find(folder.resolve("odd_decoder.safetensors"));
        assertThatThrownBy(() -> files.load(Device.CPU))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                .hasMessageContaining("missing encoder.layers.0.weight")
                .hasMessageContaining("more");
    }

    private void refused(String name, String... words) {
        assertThatThrownBy(() -> AutoencoderFiles.find(folder.resolve(name).normalize()))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                .message()
                .contains(words);
    }

    private void write(String name, String content) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
    }
}
