package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What stands in files beside the pixels, or packs them: it must not change which values are read. */
class ImageMarksTest {
    private static final Path IMAGES = Path.of("src/test/resources/images");
    private static final byte[] LINEAR =
            ICC_Profile.getInstance(ColorSpace.CS_LINEAR_RGB).getData();
    private static final byte[] DAMAGED = "no profile".getBytes(StandardCharsets.US_ASCII);

    @ParameterizedTest
    @CsvSource({"plain.jpg", "progressive.jpg", "cmyk.jpg", "grey.jpg"})
    void the_profile_of_a_jpeg_changes_nothing_whole_or_damaged(String file) throws IOException {
        byte[] plain = Files.readAllBytes(IMAGES.resolve(file));
        PixelImage expected = ImageDecoder.decode(plain, file);
        for (byte[] profile : new byte[][] {LINEAR, DAMAGED, Arrays.copyOf(LINEAR, 200)}) {
            byte[] body = bytes("ICC_PROFILE\0\1\1".getBytes(StandardCharsets.ISO_8859_1), profile);
            PixelImage image = ImageDecoder.decode(withSegment(plain, 0xe2, body), file);
            assertThat(image.pixels()).isEqualTo(expected.pixels());
            assertThat(image.channels()).isEqualTo(expected.channels());
        }
    }

    @Test
    void damaged_notes_of_a_jpeg_do_not_matter_either() throws IOException {
        byte[] plain = Files.readAllBytes(IMAGES.resolve("plain.jpg"));
        byte[] expected = ImageDecoder.decode(plain, "plain").pixels();
        byte[] exif = "Exif\0\0MM\0".getBytes(StandardCharsets.ISO_8859_1);
        byte[] thumbnail = "JFXX\0\20\377\330".getBytes(StandardCharsets.ISO_8859_1);
        byte[] noted = withSegment(withSegment(withSegment(plain, 0xe1, exif), 0xe0, thumbnail), 0xfe, DAMAGED);
        assertThat(ImageDecoder.decode(noted, "noted").pixels()).isEqualTo(expected);
        assertThatThrownBy(() -> ImageDecoder.decode(Arrays.copyOf(noted, noted.length / 2), "cut"))
                .isInstanceOf(RetortException.class);
    }

    @Test
    void the_profile_of_a_webp_changes_nothing_whole_or_damaged() throws IOException {
        byte[] plain = Files.readAllBytes(IMAGES.resolve("lossless.webp"));
        byte[] expected = ImageDecoder.decode(plain, "plain").pixels();
        for (byte[] profile : new byte[][] {LINEAR, DAMAGED}) {
            byte[] noted = riff(
                    chunk("VP8X", new byte[] {0x20, 0, 0, 0, 47, 0, 0, 31, 0, 0}),
                    chunk("ICCP", profile),
                    Arrays.copyOfRange(plain, 12, plain.length));
            assertThat(ImageDecoder.decode(noted, "noted").pixels()).isEqualTo(expected);
            byte[] cut = Arrays.copyOf(noted, noted.length - 20);
            assertThatThrownBy(() -> ImageDecoder.decode(cut, "cut")).hasMessageContaining("it is cut off");
        }
    }

    @Test
    void the_first_picture_of_an_animated_webp_lies_on_its_canvas() throws IOException {
        byte[] plain = Files.readAllBytes(IMAGES.resolve("lossless.webp"));
        byte[] place = {4, 0, 0, 3, 0, 0, 47, 0, 0, 31, 0, 0, 100, 0, 0, 0};
        byte[] animated = riff(
                chunk("VP8X", new byte[] {0x02, 0, 0, 0, 59, 0, 0, 39, 0, 0}),
                chunk("ANIM", new byte[6]),
                chunk("ANMF", bytes(place, Arrays.copyOfRange(plain, 12, plain.length))));
        PixelImage canvas = ImageDecoder.decode(animated, "animated");
        assertThat(new int[] {canvas.height(), canvas.width()}).containsExactly(40, 60);
        assertThat(canvas.crop(6, 8, 32, 48).pixels())
                .isEqualTo(ImageDecoder.decode(plain, "plain").pixels());
        assertThat(canvas.at(0, 0, 0)).isZero();
    }

    @ParameterizedTest
    @CsvSource({"7, 9, 2, 3, -1, 0, 7, 9", "7, 11, 2, 3, 2, 2, 7, 11", "4, 3, 1, 2, -1, 0, 5, 8"})
    void a_gif_is_its_canvas_which_grows_with_the_picture_on_it(
            int width, int height, int left, int top, int transparent, int free, int columns, int rows)
            throws IOException {
        int[] reds = {200, 40, 90, 7};
        byte[] levels = {(byte) reds[0], (byte) reds[1], (byte) reds[2], (byte) reds[3]};
        IndexColorModel palette = transparent < 0
                ? new IndexColorModel(2, 4, levels, levels, levels)
                : new IndexColorModel(2, 4, levels, levels, levels, transparent);
        BufferedImage frame = new BufferedImage(4, 6, BufferedImage.TYPE_BYTE_INDEXED, palette);
        for (int i = 0; i < 24; i++) {
            frame.getRaster().setSample(i % 4, i / 4, 0, i % 4 == 2 ? 1 : 3);
        }
        ByteArrayOutputStream gif = new ByteArrayOutputStream();
        ImageIO.write(frame, "gif", gif);
        byte[] file = placed(gif.toByteArray(), width, height, left, top);
        PixelImage image = ImageDecoder.decode(file, "a.gif");
        assertThat(new int[] {image.width(), image.height()}).containsExactly(columns, rows);
        for (int y = 0; y < rows; y++) {
            for (int x = 0; x < columns; x++) {
                boolean inside = x >= left && x < left + 4 && y >= top && y < top + 6;
                int expected = inside ? reds[(x - left) % 4 == 2 ? 1 : 3] : reds[free];
                assertThat(image.at(y, x, 0)).as(x + ", " + y).isEqualTo(expected);
            }
        }
        assertThatThrownBy(() -> ImageDecoder.decode(placed(file, 65535, 65535, 0, 0), "large.gif"))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.DATA))
                .hasMessageContaining("pixels are too many");
    }

    /** Values of 1, 4, 5, 6, 8 and 10 bits are spread over 0 to 255, as Pillow does where it reads them. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            16 | f800     | 7e0   | 1f  | 89ab     | 139, 52, 90
            16 | 7c00     | 3e0   | 1f  | 7fff     | 255, 255, 255
            16 | f00      | f0    | f   | 7a3      | 119, 170, 51
            16 | f        | f0    | f00 | 7a3      | 51, 170, 119
            32 | ff0000   | ff00  | ff  | 102030   | 16, 32, 48
            32 | 3ff00000 | ffc00 | 3ff | 200803ff | 128, 128, 255
            """)
    void packed_bmps_are_spread_over_all_levels(
            int bits, String red, String green, String blue, String pixel, String expected) {
        ByteBuffer bmp = ByteBuffer.allocate(70).order(ByteOrder.LITTLE_ENDIAN);
        bmp.put((byte) 'B').put((byte) 'M').putInt(70).putInt(0).putInt(66);
        bmp.putInt(40).putInt(1).putInt(1).putShort((short) 1).putShort((short) bits);
        bmp.putInt(3).putInt(4).putInt(0).putInt(0).putInt(0).putInt(0);
        for (String mask : new String[] {red, green, blue}) {
            bmp.putInt(Integer.parseUnsignedInt(mask, 16));
        }
        bmp.putInt(Integer.parseUnsignedInt(pixel, 16));
        PixelImage image = ImageDecoder.decode(bmp.array(), "packed.bmp");
        assertThat(image.at(0, 0, 0) + ", " + image.at(0, 0, 1) + ", " + image.at(0, 0, 2))
                .isEqualTo(expected);
    }

    private static byte[] withSegment(byte[] jpeg, int marker, byte[] body) {
        byte[] head = {(byte) 0xff, (byte) marker, (byte) (body.length + 2 >> 8), (byte) (body.length + 2)};
        return bytes(Arrays.copyOf(jpeg, 2), head, body, Arrays.copyOfRange(jpeg, 2, jpeg.length));
    }

    private static byte[] riff(byte[]... chunks) {
        byte[] body = bytes("WEBP".getBytes(StandardCharsets.US_ASCII), bytes(chunks));
        return chunk("RIFF", body);
    }

    private static byte[] chunk(String name, byte[] body) {
        byte[] length = ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(body.length)
                .array();
        return bytes(name.getBytes(StandardCharsets.US_ASCII), length, body, new byte[body.length % 2]);
    }

    /** A GIF with another canvas, and its picture elsewhere on it. */
    private static byte[] placed(byte[] gif, int width, int height, int left, int top) {
        ByteBuffer file = ByteBuffer.wrap(gif.clone()).order(ByteOrder.LITTLE_ENDIAN);
        file.putShort(6, (short) width).putShort(8, (short) height);
        int at = 13 + ((gif[10] & 0x80) == 0 ? 0 : 3 * (2 << (gif[10] & 7)));
        while (gif[at] != 0x2c) {
            at += 2;
            while (gif[at] != 0) {
                at += 1 + (gif[at] & 0xff);
            }
            at++;
        }
        file.putShort(at + 1, (short) left).putShort(at + 3, (short) top);
        return file.array();
    }

    private static byte[] bytes(byte[]... parts) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        Arrays.stream(parts).forEach(joined::writeBytes);
        return joined.toByteArray();
    }
}
