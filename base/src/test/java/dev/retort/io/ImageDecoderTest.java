package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Shared;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The files hold one drawing of ours, 48 by 32, as Pillow 12.3.0 encodes it. */
class ImageDecoderTest {
    private static final Path IMAGES = Path.of("src/test/resources/images");
    private static final int[][] PLACES = {{4, 4}, {4, 30}, {24, 4}, {24, 37}};
    private static final int[][] COLOURS = {{220, 40, 50}, {40, 160, 70}, {40, 80, 210}, {250, 200, 30}};

    @ParameterizedTest
    @CsvSource({
        "drawing.png, 0",
        "drawing.bmp, 0",
        "palette.png, 6",
        "alpha.png, 0",
        "lossless.webp, 0",
        "turned.webp, 0",
        "lossy.webp, 8",
        "plain.jpg, 6",
        "progressive.jpg, 6",
        "turned.jpg, 9",
        "cmyk.jpg, 12"
    })
    void colour_pictures_of_every_format_come_upright_with_their_colours(String file, int tolerance) {
        PixelImage image = ImageDecoder.read(IMAGES.resolve(file)).rgb();
        assertThat(new int[] {image.height(), image.width()}).containsExactly(32, 48);
        for (int i = 0; i < PLACES.length; i++) {
            for (int channel = 0; channel < 3; channel++) {
                assertThat(image.at(PLACES[i][0], PLACES[i][1], channel))
                        .as(file + " " + Arrays.toString(PLACES[i]) + " channel " + channel)
                        .isBetween(COLOURS[i][channel] - tolerance, COLOURS[i][channel] + tolerance);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"grey.png", "grey-alpha.png", "grey16.png", "grey.jpg"})
    void grey_pictures_keep_their_stored_values(String file) {
        PixelImage image = ImageDecoder.read(IMAGES.resolve(file));
        assertThat(image.channels()).isEqualTo(1);
        assertThat(image.at(4, 4, 0)).isBetween(94, 96);
        assertThat(image.at(4, 30, 0)).isBetween(113, 115);
        assertThat(image.rgb().at(4, 30, 2)).isEqualTo(image.at(4, 30, 0));
    }

    @Test
    void colours_turn_grey_with_pillows_weights() {
        assertThat(ImageDecoder.read(IMAGES.resolve("drawing.png")).grey().pixels())
                .isEqualTo(ImageDecoder.read(IMAGES.resolve("grey.png")).pixels());
    }

    @Test
    void of_16_bits_the_upper_8_are_kept() throws IOException {
        var raster =
                java.awt.image.Raster.createInterleavedRaster(java.awt.image.DataBuffer.TYPE_USHORT, 2, 1, 3, null);
        raster.setPixel(0, 0, new int[] {0x12ff, 0xff00, 0x0080});
        raster.setPixel(1, 0, new int[] {0xffff, 0x7fff, 0x8000});
        var model = new java.awt.image.ComponentColorModel(
                java.awt.color.ColorSpace.getInstance(java.awt.color.ColorSpace.CS_sRGB),
                false,
                false,
                java.awt.Transparency.OPAQUE,
                java.awt.image.DataBuffer.TYPE_USHORT);
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(model, raster, false, null), "png", png);
        assertThat(ImageDecoder.decode(png.toByteArray(), "deep").pixels())
                .containsExactly(0x12, 0xff, 0x00, 0xff, 0x7f, 0x80);
    }

    @Test
    void all_eight_orientations_turn_the_right_way() {
        PixelImage stored = new PixelImage(1, 2, 3, new byte[] {1, 2, 3, 4, 5, 6});
        List<byte[]> seen = List.of(
                new byte[] {1, 2, 3, 4, 5, 6},
                new byte[] {3, 2, 1, 6, 5, 4},
                new byte[] {6, 5, 4, 3, 2, 1},
                new byte[] {4, 5, 6, 1, 2, 3},
                new byte[] {1, 4, 2, 5, 3, 6},
                new byte[] {4, 1, 5, 2, 6, 3},
                new byte[] {6, 3, 5, 2, 4, 1},
                new byte[] {3, 6, 2, 5, 1, 4});
        for (int orientation = 1; orientation <= 8; orientation++) {
            PixelImage upright = Orientation.upright(stored, orientation);
            assertThat(upright.pixels()).as("orientation " + orientation).isEqualTo(seen.get(orientation - 1));
            assertThat(upright.height()).isEqualTo(orientation < 5 ? 2 : 3);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"drawing.png", "plain.jpg", "lossless.webp", "drawing.bmp", "cmyk.jpg"})
    void a_picture_that_is_cut_off_is_refused_by_name(String file) throws IOException {
        byte[] whole = Files.readAllBytes(IMAGES.resolve(file));
        for (int share = 1; share <= 9; share++) {
            byte[] cut = Arrays.copyOf(whole, whole.length * share / 10);
            assertThatThrownBy(() -> ImageDecoder.decode(cut, "a/" + file))
                    .as(cut.length + " of " + whole.length)
                    .isInstanceOfSatisfying(
                            RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.DATA))
                    .hasMessageContaining("cannot decode the picture a/" + file);
        }
    }

    @Test
    void damaged_pictures_are_decoded_or_refused_but_never_crash() throws IOException {
        SplittableRandom random = new SplittableRandom(3);
        for (String file : List.of("drawing.png", "plain.jpg", "lossy.webp", "palette.png")) {
            byte[] whole = Files.readAllBytes(IMAGES.resolve(file));
            for (int i = 0; i < 150; i++) {
                try {
                    ImageDecoder.decode(Mutation.of(whole, random), file);
                } catch (RetortException e) {
                    assertThat(e.kind()).isEqualTo(Kind.DATA);
                }
            }
        }
    }

    @Test
    void text_is_no_picture() {
        assertThatThrownBy(() -> ImageDecoder.decode("hello".getBytes(), "note.txt"))
                .hasMessage(
                        "cannot decode the picture note.txt: it is not a JPEG, PNG, WebP, BMP or GIF; repair or remove it");
    }

    @Test
    void real_photos_decode_to_their_noted_size() throws IOException {
        Path folder = Shared.path("data/imagenet-samples");
        List<String> rows = Files.readAllLines(folder.resolve("index.csv"));
        for (String row : rows.subList(1, rows.size())) {
            String[] cells = row.split(",");
            PixelImage image = ImageDecoder.read(folder.resolve(cells[0]));
            assertThat(cells).as(row).contains(Integer.toString(image.width()), Integer.toString(image.height()));
            assertThat(image.channels()).isEqualTo(row.contains(",L,") ? 1 : 3);
        }
    }
}
