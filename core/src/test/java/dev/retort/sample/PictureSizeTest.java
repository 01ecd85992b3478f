package dev.retort.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.DitSpec;
import dev.retort.card.FoldedDitSpec;
import dev.retort.card.ImageShape;
import dev.retort.card.LatentScale;
import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.UNetSizes;
import dev.retort.card.UNetSpec;
import dev.retort.data.Prompts;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.PixelImage;
import dev.retort.model.Denoiser;
import dev.retort.model.Network;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.ImageCodec;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pictures of another size than a network was trained on. */
class PictureSizeTest {
    private static final UNetSpec UNET =
            UNetSizes.of(new ImageShape(1, 8, 8), List.of(8, 16, 16), 1, List.of(0, 1, 0), 8, UNetSpec.Told.NOTHING);
    private static final DitSpec DIT = new DitSpec(8, 8, 1, 2, 16, 1, 2, 2, 3, 0.1, false, true);

    private static ModelCard card(NetworkSpec spec) {
        return ModelCard.of(
                spec,
                ProcessSpec.flow(),
                SamplingSpec.of("flow-euler", 3, 1),
                Collections.nCopies(spec.classes(), "a"),
                "shapes",
                0,
                1,
                "",
                Map.of());
    }

    private static ModelCard ofLatents(int levels) {
        UNetSpec spec = UNetSizes.of(
                new ImageShape(4, 64, 64),
                Collections.nCopies(levels, 8),
                1,
                Collections.nCopies(levels, 0),
                8,
                UNetSpec.Told.NOTHING);
        return card(spec).withAutoencoder(new AutoencoderCard("AutoencoderKL", "vae", "", 3, 4, 8, LatentScale.of(1)));
    }

    private static Network network(UNetSpec spec) {
        Network network = Architectures.build(spec, Init.blank(Device.CPU));
        Init init = Init.of(3, Device.CPU);
        try (NoGrad off = NoGrad.on()) {
            network.state().forEach((name, tensor) -> tensor.copy_(init.normal(name, 0.2, Tensors.shape(tensor))));
        }
        return network;
    }

    private static float[] drawn(
            Denoiser network, ModelCard card, Precision precision, Randomness noise, Optional<Start> start) {
        try (Scope scope = Scope.open()) {
            Tensor samples = Sampling.sampler(network, card, card.sampling(), precision, start)
                    .with(noise)
                    .sample(new Prompts.Labels(new int[] {0, 0}), 7, new long[] {0, 1});
            ImageShape shape = card.network().shape();
            assertThat(Tensors.shape(samples)).containsExactly(2, shape.channels(), shape.height(), shape.width());
            return Tensors.floats(samples);
        }
    }

    @ParameterizedTest
    @CsvSource({"ADDRESSED, 12, 20", "TORCH, 12, 20", "ADDRESSED, 4, 4", "ADDRESSED, 8, 8"})
    void one_network_draws_every_size_as_one_built_for_it(Randomness noise, int height, int width) {
        ModelCard card = card(UNET).atSize(height, width);
        try (Scope scope = Scope.open();
                Network one = network(UNET);
                Network built = network(UNET.withSize(height, width));
                Denoiser packed = Architectures.pack(one, Precision.FP32)) {
            float[] own = drawn(built, card, Precision.FP32, noise, Optional.empty());
            assertThat(drawn(one, card, Precision.FP32, noise, Optional.empty()))
                    .isEqualTo(own);
            assertThat(drawn(packed, card, Precision.FP32, noise, Optional.empty()))
                    .usingComparatorWithPrecision(1e-4f)
                    .containsExactly(own);
        }
    }

    @Test
    void a_part_of_a_picture_is_drawn_anew_at_the_size_asked_for() {
        ModelCard card = card(UNET).atSize(4, 12);
        byte[] grey = new byte[4 * 12];
        byte[] right = new byte[4 * 12];
        for (int i = 0; i < grey.length; i++) {
            grey[i] = (byte) (3 * i);
            right[i] = (byte) (i % 12 < 6 ? 0 : 255);
        }
        try (Network network = network(UNET);
                ImageCodec codec = ImageCodec.of(card, Device.CPU)) {
            Start start =
                    Start.of(codec, new PixelImage(1, 4, 12, grey), Optional.of(new PixelImage(1, 4, 12, right)), 1);
            Sampler sampler = Sampling.sampler(network, card, card.sampling(), Precision.FP32, Optional.of(start));
            new SampleJob(sampler, 1, 1)
                    .sample(new Prompts.Labels(new int[] {0}), (d, t, x) -> {}, (first, pixels, n) -> {
                        assertThat(pixels).hasSize(grey.length);
                        for (int i = 0; i < pixels.length; i++) {
                            boolean kept = Math.abs(pixels[i] - (3 * i / 127.5 - 1)) < 1e-6;
                            assertThat(kept).as("pixel %d", i).isEqualTo(i % 12 < 6);
                        }
                    });
        }
    }

    @Test
    void sizes_of_a_model_of_latents_are_those_of_its_pictures() {
        ModelCard card = ofLatents(4).atSize(512, 768);
        assertThat(card.network().shape()).isEqualTo(new ImageShape(4, 64, 96));
        assertThat(card.images()).isEqualTo(new ImageShape(3, 512, 768));
        assertThat(card.network().parameters()).isEqualTo(ofLatents(4).network().parameters());
        assertThat(card(DIT).atSize(8, 8)).isEqualTo(card(DIT));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            unet | 8 | 10 | size is 8x10, expected multiples of 4, as many pixels as become one cell in UNet-8-16-16; the nearest are 8x8 and 8x12
            unet | 1 | 4 | size is 1x4, expected multiples of 4, as many pixels as become one cell in UNet-8-16-16; take 4x4
            unet | 0 | 8 | size is 0x8, expected sides from 4 to 16384
            unet | 8 | 20000 | size is 8x20000, expected sides from 4 to 16384
            latents | 500 | 512 | size is 500x512, expected multiples of 64, as many pixels as become one cell in UNet-8-8-8-8; the nearest are 448x512 and 512x512
            dit | 16 | 16 | works on 8x8 alone: its table of positions has that size; leave it out
            folded | 16 | 16 | works on 8x8 alone: its table of positions has that size; leave it out
            """)
    void a_size_that_a_network_cannot_draw_is_refused(String model, int height, int width, String sentence) {
        ModelCard card =
                switch (model) {
                    case "unet" -> card(UNET);
                    case "latents" -> ofLatents(4);
                    case "dit" -> card(DIT);
                    default -> card(new FoldedDitSpec(DIT, List.of(1.0), List.of(), List.of(0)));
                };
        assertThatThrownBy(() -> card.atSize(height, width))
                .isInstanceOfSatisfying(RetortException.class, e -> {
                    assertThat(e.kind()).isEqualTo(Kind.USAGE);
                    assertThat(e.field()).isEqualTo("size");
                })
                .hasMessageContaining(sentence);
    }
}
