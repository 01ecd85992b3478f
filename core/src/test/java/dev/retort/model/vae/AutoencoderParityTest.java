package dev.retort.model.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.ReferenceCase;
import dev.retort.Shared;
import dev.retort.card.AutoencoderSpec;
import dev.retort.card.KlSpec;
import dev.retort.card.LatentScale;
import dev.retort.card.TinySpec;
import dev.retort.io.ImageDecoder;
import dev.retort.io.PixelImage;
import dev.retort.layout.AutoencoderConfig;
import dev.retort.layout.AutoencoderFiles;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Tag("kernels")
class AutoencoderParityTest {
    private static final int SIDE = 256;
    private static final int PHOTOS = 12;

    @ParameterizedTest
    @ValueSource(strings = {"kl", "kl-oldnames"})
    void the_autoencoder_equals_the_reference_under_old_and_new_names(String folder) {
        ReferenceCase reference = ReferenceCase.open("vae");
        AutoencoderFiles files = AutoencoderFiles.find(reference.folder().resolve(folder));
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                AutoencoderKl autoencoder = (AutoencoderKl) Autoencoder.load(files, Device.CPU)) {
            assertThat(autoencoder.spec().scale()).isEqualTo(LatentScale.of(0.18215));
            assertThat(autoencoder.spec().downscale()).isEqualTo(8);
            for (String file : List.of("kl-32x48.safetensors", "kl-36x44.safetensors")) {
                Map<String, Tensor> io = reference.tensors(file);
                reference.check(file, "moments", autoencoder.moments(io.get("image"), Taps.none()));
                Posterior posterior = autoencoder.encode(io.get("image"));
                reference.check(file, "mean", posterior.mode());
                reference.check(file, "logvar", posterior.logVariance());
                reference.check(file, "std", posterior.std());
                reference.check(file, "sample", posterior.sample(io.get("noise")));
                reference.check(file, "kl", posterior.kl());
                reference.check(file, "decoded", autoencoder.decode(io.get("latent")));
            }
        }
    }

    @Test
    void every_block_equals_the_reference() {
        ReferenceCase reference = ReferenceCase.open("vae");
        String file = "kl-32x48.safetensors";
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                AutoencoderKl autoencoder = (AutoencoderKl) Autoencoder.load(
                        AutoencoderFiles.find(reference.folder().resolve("kl")), Device.CPU)) {
            Map<String, Tensor> io = reference.tensors(file);
            List<String> inside =
                    List.of("encoder.down.1", "encoder.down.2", "encoder.down.3", "encoder.mid", "encoder_conv_out");
            Taps encoding = Taps.of(inside);
            autoencoder.moments(io.get("image"), encoding);
            inside.forEach(name -> reference.check(file, name, encoding.get(name)));
            List<String> outwards = List.of("decoder.mid", "decoder.up.0", "decoder.up.1");
            Taps decoding = Taps.of(outwards);
            autoencoder.decode(io.get("latent"), decoding);
            outwards.forEach(name -> reference.check(file, name, decoding.get(name)));
        }
    }

    @Test
    void small_activations_show_the_right_epsilon() {
        ReferenceCase reference = ReferenceCase.open("vae");
        String file = "kl-scaled.safetensors";
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                AutoencoderKl autoencoder = (AutoencoderKl) Autoencoder.load(
                        AutoencoderFiles.find(reference.folder().resolve("kl")), Device.CPU)) {
            autoencoder.state().forEach((name, tensor) -> {
                if (!name.contains("norm")) {
                    Ops.mulInPlace(tensor, 0.03f);
                }
            });
            Map<String, Tensor> io = reference.tensors(file);
            reference.check(file, "moments", autoencoder.moments(io.get("image"), Taps.none()));
            reference.check(file, "decoded", autoencoder.decode(io.get("latent")));
        }
    }

    @Test
    void the_tiny_autoencoder_equals_the_reference() {
        ReferenceCase reference = ReferenceCase.open("vae");
        assertThat(AutoencoderConfig.read(reference.folder().resolve("tiny/config.json")))
                .isEqualTo(TinySpec.published(4, false));
        String file = "tiny.safetensors";
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                AutoencoderTiny autoencoder = (AutoencoderTiny) Autoencoder.load(
                        AutoencoderFiles.find(Shared.path("weights/taesd").resolve("taesd")), Device.CPU)) {
            Map<String, Tensor> io = reference.tensors(file);
            Tensor latents = autoencoder.encode(io.get("image")).mode();
            reference.check(file, "latents", latents);
            reference.check(file, "latents_scaled01", autoencoder.toUnit(latents));
            Tensor decoded = autoencoder.decode(latents);
            reference.check(file, "decoded", decoded);
            reference.check(file, "decoded_wide", autoencoder.decode(io.get("latents_wide")));
            double psnr = psnr(Tensors.floats(io.get("image")), Tensors.floats(decoded));
            assertThat(psnr)
                    .isCloseTo(reference.setting("psnr_db_tiny_roundtrip").asDouble(), within(0.01));
        }
    }

    @ParameterizedTest
    @CsvSource({"taesd, 4, 23.44, 17.49, 29.06", "taef2, 32, 27.534, 20.375, 34.714"})
    void photographs_survive_the_tiny_autoencoders_as_published(
            String name, int channels, double mean, double least, double most) throws IOException {
        List<float[]> photos = photos();
        List<Double> reached = new ArrayList<>();
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autoencoder autoencoder = Autoencoder.load(
                        AutoencoderFiles.find(Shared.path("weights/taesd").resolve(name + "_encoder.safetensors")),
                        Device.CPU)) {
            assertThat(autoencoder.spec().latentChannels()).isEqualTo(channels);
            for (float[] photo : photos) {
                try (Scope one = Scope.open()) {
                    Tensor image = Tensors.of(photo, Device.CPU, 1, 3, SIDE, SIDE);
                    Tensor decoded =
                            autoencoder.decode(autoencoder.encode(image).mode());
                    reached.add(psnr(photo, Tensors.floats(Ops.clamp(decoded, -1, 1))));
                }
            }
        }
        // the published numbers were taken with another JPEG decoder
        assertThat(reached.stream().mapToDouble(x -> x).average().orElseThrow()).isCloseTo(mean, within(0.05));
        assertThat(reached.stream().mapToDouble(x -> x).min().orElseThrow()).isCloseTo(least, within(0.1));
        assertThat(reached.stream().mapToDouble(x -> x).max().orElseThrow()).isCloseTo(most, within(0.1));
    }

    @ParameterizedTest
    @CsvSource({"vae-sd", "vae-tiny"})
    void full_size_networks_have_the_published_names_and_shapes(String name) {
        JsonNode published = JsonMapper.shared()
                .readTree(Shared.path("reference/shapes/" + name + ".json").toFile());
        AutoencoderSpec spec = name.equals("vae-sd")
                ? new KlSpec(3, 4, List.of(128, 256, 512, 512), 2, 32, true, true, true, LatentScale.of(0.18215))
                : TinySpec.published(4, false);
        Map<String, String> expected = new TreeMap<>();
        published
                .properties()
                .forEach(entry ->
                        expected.put(entry.getKey(), entry.getValue().get(0).toString()));
        Map<String, String> ours = new TreeMap<>();
        try (Scope scope = Scope.open();
                Autoencoder autoencoder = Autoencoder.of(spec, Init.blank(Device.CPU))) {
            autoencoder
                    .state()
                    .forEach((key, tensor) ->
                            ours.put(key, Arrays.toString(Tensors.shape(tensor)).replace(" ", "")));
        }
        assertThat(ours).isEqualTo(expected);
    }

    /** The centres of the first photographs by name. */
    private static List<float[]> photos() throws IOException {
        List<float[]> photos = new ArrayList<>();
        try (Stream<Path> files = Files.list(Shared.path("data/imagenet-samples"))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".JPEG"))
                    .sorted()
                    .limit(PHOTOS)
                    .toList()) {
                PixelImage whole = ImageDecoder.decode(Files.readAllBytes(file), file.toString())
                        .rgb();
                float[] pixels = new float[3 * SIDE * SIDE];
                whole.crop((whole.height() - SIDE) / 2, (whole.width() - SIDE) / 2, SIDE, SIDE)
                        .toFloats(pixels, 0);
                photos.add(pixels);
            }
        }
        return photos;
    }

    /** Peak signal to noise in dB of values in [-1, 1]. */
    private static double psnr(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (double) (a[i] - b[i]) / 4;
        }
        return -10 * Math.log10(sum / a.length);
    }
}
