package dev.retort.model.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.retort.TinyAutoencoder;
import dev.retort.card.AutoencoderSpec;
import dev.retort.card.KlLayers;
import dev.retort.card.KlSpec;
import dev.retort.card.LatentScale;
import dev.retort.card.TinySpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.io.TorchWriter;
import dev.retort.layout.AutoencoderFiles;
import dev.retort.layout.StableDiffusion;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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

    @Test
    void its_tensors_are_those_that_the_spec_lists_in_that_order() {
        try (Scope scope = Scope.open();
                Autoencoder kl = new AutoencoderKl(KL, Init.blank(Device.CPU))) {
            Map<String, long[]> listed = KlLayers.shapes(KL);
            Map<String, long[]> built = Weights.shapes(kl.state());
            assertThat(List.copyOf(built.keySet())).isEqualTo(List.copyOf(listed.keySet()));
            listed.forEach((name, shape) -> assertThat(built.get(name)).as(name).isEqualTo(shape));
        }
    }

    @Test
    void from_a_file_in_the_original_layout_it_computes_the_same_bits() throws IOException {
        KlSpec spec = new KlSpec(3, 4, List.of(32, 64), 1, 32, true, true, true, LatentScale.of(0.18215));
        Path own = Files.createDirectories(folder.resolve("vae"));
        Files.writeString(own.resolve("config.json"), """
                {"_class_name": "AutoencoderKL", "block_out_channels": [32, 64], "layers_per_block": 1}
                """);
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autoencoder kl = random(new AutoencoderKl(spec, Init.of(7, Device.CPU)))) {
            Weights.writer(kl.state(), Dtype.F32).write(own.resolve("diffusion_pytorch_model.safetensors"));
            AutoencoderFiles library = AutoencoderFiles.find(own);
            Path file = folder.resolve("model.safetensors");
            try (TensorFile weights = library.open()) {
                TensorFile keys = library.original(weights, StableDiffusion.SD_1);
                SafetensorsWriter writer = new SafetensorsWriter();
                keys.entries()
                        .forEach((key, entry) -> writer.add(
                                key,
                                entry.dtype(),
                                entry.shape(),
                                keys.values(key, 0, entry.elements(), entry.dtype())));
                writer.write(file);
            }
            try (Autoencoder again = Autoencoder.load(AutoencoderFiles.find(file), Device.CPU)) {
                assertThat(again.spec()).isEqualTo(spec);
                Tensor latents = kl.encode(image(1, 10)).mode();
                assertThat(Tensors.floats(again.encode(image(1, 10)).mode())).isEqualTo(Tensors.floats(latents));
                assertThat(Tensors.floats(again.decode(latents))).isEqualTo(Tensors.floats(kl.decode(latents)));
            }
        }
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
            Map<String, Tensor> tensors = Weights.read(file, Device.CPU);
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
                Autoencoder autoencoder = Autoencoder.of(spec, Init.blank(Device.CPU))) {
            return autoencoder.stateCount();
        }
    }

    @Test
    void latents_of_the_tiny_one_are_certain_and_those_of_the_other_are_drawn() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autoencoder kl = random(Autoencoder.of(KL, Init.of(7, Device.CPU)));
                Autoencoder tiny = random(Autoencoder.of(TINY, Init.of(7, Device.CPU)))) {
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
            Tensor seen = Autoencoder.toNetwork(scale, latents);
            assertThat(Tensors.floats(seen)[1]).isCloseTo((float) (0.36 * (2 - 0.11 + 1) / 0.25), within(1e-5f));
            assertThat(Tensors.floats(Autoencoder.toAutoencoder(scale, seen)))
                    .containsExactly(new float[] {1, 2, 3, -4}, within(1e-5f));
        }
        assertThatThrownBy(() -> scale.requireChannels(4)).hasMessageContaining("mean is 2 values");
        assertThatThrownBy(() -> LatentScale.of(0)).hasMessageContaining("scale is 0");
    }

    @Test
    void tiles_fade_into_each_other_and_one_tile_is_the_plain_decoding() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autoencoder tiny = random(Autoencoder.of(
                        new TinySpec(3, 4, 8, List.of(1, 1), List.of(1, 1), false, 3, 0.5, LatentScale.of(1)),
                        Init.of(7, Device.CPU)))) {
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
        refused("nowhere", "is not an autoencoder");
        write("a/config.json", "{}");
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
        refused("a", "cannot be read as JSON (line 1, column ", "); fetch it again");
        write("a/config.json", "[1, 2]");
        refused("a", "is not a JSON object");
        write(
                "a/config.json",
                "{\"_class_name\": \"AutoencoderKL\", \"block_out_channels\": [32], \"use_quant_conv\": \"no\"}");
        refused("a", "use_quant_conv is no, expected true or false");
        write("a/config.json", "{\"_class_name\": \"AutoencoderKL\", \"block_out_channels\": [32]}");
        refused("a", "it holds no weights");
        write("one_encoder.safetensors", "");
        refused("one", "one_decoder.safetensors is not there");
        write("two_encoder.safetensors", "");
        refused(".", "several autoencoders", "two");
    }

    @Test
    void weights_of_another_shape_are_refused_by_name() throws IOException {
        try (Scope scope = Scope.open();
                Autoencoder tiny = Autoencoder.of(TINY, Init.of(7, Device.CPU))) {
            Map<String, Tensor> encoder = new LinkedHashMap<>();
            encoder.put("14.bias", Tensors.zeros(Device.CPU, 4));
            Weights.writer(encoder, Dtype.F32).write(folder.resolve("odd_encoder.safetensors"));
            Weights.writer(tiny.state(), Dtype.F32).write(folder.resolve("odd_decoder.safetensors"));
        }
        AutoencoderFiles files = AutoencoderFiles.find(folder.resolve("odd_decoder.safetensors"));
        assertThatThrownBy(() -> Autoencoder.load(files, Device.CPU))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                .hasMessageContaining("missing encoder.layers.0.weight")
                .hasMessageContaining("more");
    }

    @Test
    void advice_stands_once_in_an_error() throws IOException {
        write("a/config.json", "{\"_class_name\": \"AutoencoderKL\", \"block_out_channels\": []}");
        assertThatThrownBy(() -> AutoencoderFiles.find(folder.resolve("a")))
                .hasMessageEndingWith("block_out_channels is missing or empty, expected a list of whole numbers;"
                        + " use an autoencoder of a known shape");
    }

    @Test
    void weights_are_read_in_every_format_from_which_they_are_read_for_a_network() throws IOException {
        Path plain = TinyAutoencoder.save(folder.resolve("plain"), 4, 0.5, 3);
        Path pickled = TinyAutoencoder.save(folder.resolve("pickled"), 4, 0.5, 3);
        Path sharded = TinyAutoencoder.save(folder.resolve("sharded"), 4, 0.5, 3);
        try (TensorFile file = TensorFiles.open(plain)) {
            TorchWriter pickle = new TorchWriter();
            SafetensorsWriter shards = new SafetensorsWriter();
            file.entries().values().forEach(entry -> {
                pickle.add(entry.name(), dev.retort.io.Dtype.F32, entry.shape(), bytes(file.floats(entry.name())));
                shards.add(entry.name(), entry.shape(), file.floats(entry.name()));
            });
            pickle.write(pickled.resolve("diffusion_pytorch_model.bin"));
            shards.writeShards(sharded, "diffusion_pytorch_model", 4000);
        }
        Files.delete(pickled.resolve("diffusion_pytorch_model.safetensors"));
        Files.delete(sharded.resolve("diffusion_pytorch_model.safetensors"));
        assertThat(sharded.toFile().list()).hasSizeGreaterThan(3);
        Files.writeString(plain.resolve("._diffusion_pytorch_model.safetensors"), "a sidecar");
        Files.writeString(plain.resolve("diffusion_pytorch_model.fp16.safetensors"), "a variant");
        float[] expected = latents(plain);
        assertThat(latents(pickled)).isEqualTo(expected);
        assertThat(latents(sharded)).isEqualTo(expected);
        assertThat(AutoencoderFiles.find(pickled).card().sha256()).hasSize(64);
    }

    private static float[] latents(Path folder) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autoencoder autoencoder = Autoencoder.load(AutoencoderFiles.find(folder), Device.CPU)) {
            return Tensors.floats(autoencoder
                    .encode(Tensors.full(0.25, Device.CPU, 1, 3, 8, 8))
                    .mode());
        }
    }

    @Test
    void a_published_pair_is_read_as_torch_files_too() {
        try (Scope scope = Scope.open();
                Autoencoder tiny = Autoencoder.of(TinySpec.published(4, false), Init.of(5, Device.CPU))) {
            TorchWriter encoder = new TorchWriter();
            TorchWriter decoder = new TorchWriter();
            tiny.state().forEach((name, tensor) -> {
                boolean first = name.startsWith("encoder.layers.");
                String[] parts = name.substring("encoder.layers.".length()).split("\\.", 2);
                String stored = Integer.parseInt(parts[0]) + (first ? 0 : 1) + "." + parts[1];
                (first ? encoder : decoder)
                        .add(stored, dev.retort.io.Dtype.F32, Tensors.shape(tensor), Weights.values(tensor, Dtype.F32));
            });
            encoder.write(folder.resolve("t_encoder.pth"));
            decoder.write(folder.resolve("t_decoder.pth"));
            for (String given : List.of("t", "t_encoder.pth", "t_decoder.pth", ".")) {
                AutoencoderFiles files =
                        AutoencoderFiles.find(folder.resolve(given).normalize());
                assertThat(files.spec()).isEqualTo(TinySpec.published(4, false));
                try (Autoencoder read = Autoencoder.load(files, Device.CPU)) {
                    assertThat(read.state().keySet()).isEqualTo(tiny.state().keySet());
                }
            }
            assertThat(AutoencoderFiles.exists(folder.resolve("t"))).isTrue();
            assertThat(AutoencoderFiles.mayBe(folder.resolve("t_encoder.pth"))).isTrue();
        }
    }

    @Test
    void a_file_of_a_like_name_alone_is_taken_for_no_autoencoder() throws IOException {
        write("text_encoder.bin", "weights of another model");
        assertThat(AutoencoderFiles.mayBe(folder.resolve("text_encoder.bin"))).isFalse();
        assertThat(AutoencoderFiles.mayBe(folder)).isFalse();
    }

    private static SafetensorsWriter.Values bytes(float[] values) {
        return out -> {
            ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(values);
            out.write(bytes);
        };
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
