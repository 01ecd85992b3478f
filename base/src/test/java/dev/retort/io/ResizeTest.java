package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Shared;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The golden arrays were made with Pillow 12.3.0; the small ones from a picture given by a rule. */
class ResizeTest {
    private static final Path GOLDEN = Path.of("src/test/resources/images/resize.npz");

    @ParameterizedTest
    @EnumSource(ResizeFilter.class)
    void small_pictures_equal_pillow_bit_for_bit(ResizeFilter filter) {
        String name = filter.name().toLowerCase(Locale.ROOT);
        try (NpzFile golden = NpzFile.open(GOLDEN)) {
            assertThat(Resize.bytes(ruled(), 9, 11, filter).pixels())
                    .isEqualTo(golden.array(name + "_9x11").bytes());
            assertThat(Resize.bytes(ruled(), 40, 23, filter).pixels())
                    .isEqualTo(golden.array(name + "_40x23").bytes());
            float[] plane = new float[17 * 23];
            for (int i = 0; i < plane.length; i++) {
                plane[i] = ruled().at(i / 23, i % 23, 0);
            }
            assertThat(Resize.floats(plane, 17, 23, 9, 31, filter))
                    .containsExactly(golden.array(name + "_float_9x31").floats(), within(1e-4f));
        }
    }

    @Test
    void small_crops_equal_the_published_crop() {
        try (NpzFile golden = NpzFile.open(GOLDEN)) {
            for (int size : new int[] {5, 8, 12}) {
                assertThat(CentreCrop.square(ruled(), size).pixels())
                        .isEqualTo(golden.array("crop_" + size).bytes());
            }
        }
    }

    @Test
    void an_unchanged_size_is_the_same_picture() {
        assertThat(Resize.bytes(ruled(), 17, 23, ResizeFilter.LANCZOS).pixels()).isEqualTo(ruled().pixels());
    }

    @Test
    void the_reference_pictures_are_exact() {
        Path folder = Shared.path("reference/image");
        try (NpzFile expected = NpzFile.open(folder.resolve("expected.npz"))) {
            int checked = 0;
            for (String name : expected.names()) {
                PixelImage got = resized(folder, name);
                if (got != null) {
                    assertThat(got.pixels())
                            .as(name)
                            .isEqualTo(expected.array(name).bytes());
                    checked++;
                }
            }
            assertThat(checked).as("of " + expected.names()).isEqualTo(15);
        }
    }

    @Test
    void the_reference_floats_are_within_a_thousandth() {
        Path folder = Shared.path("reference/image");
        PixelImage source = ImageDecoder.read(folder.resolve("source.png"));
        try (NpzFile expected = NpzFile.open(folder.resolve("expected-float.npz"))) {
            assertThat(expected.names()).isNotEmpty();
            for (String name : expected.names()) {
                NpyArray array = expected.array(name);
                float[] want = array.floats();
                ResizeFilter filter = filter(name);
                int side = (int) array.shape()[0];
                for (int channel = 0; channel < 3; channel++) {
                    float[] plane = new float[source.height() * source.width()];
                    for (int i = 0; i < plane.length; i++) {
                        plane[i] = source.at(i / source.width(), i % source.width(), channel);
                    }
                    float[] got = Resize.floats(plane, source.height(), source.width(), side, side, filter);
                    for (int i = 0; i < got.length; i++) {
                        assertThat(got[i]).as(name).isCloseTo(want[3 * i + channel], within(1e-3f));
                    }
                }
            }
        }
    }

    /** The names say what was done: FILTER-SIZE, FILTER-WIDTHxHEIGHT, centercrop-SOURCE-SIZE. */
    private static PixelImage resized(Path folder, String name) {
        String[] parts = name.split("-");
        if (parts[0].equals("source")) {
            return null;
        }
        String last = parts[parts.length - 1];
        if (parts[0].equals("centercrop")) {
            if (parts[1].equals("rotated")) {
                PixelImage source = ImageDecoder.read(folder.resolve("source.png"));
                return CentreCrop.square(Orientation.upright(source, 8), Integer.parseInt(last));
            }
            String file = parts[1].equals("source") ? "source.png" : "source-" + parts[1] + ".png";
            return CentreCrop.square(ImageDecoder.read(folder.resolve(file)), Integer.parseInt(last));
        }
        String file =
                name.startsWith("grey") ? "source-grey.png" : name.contains("big") ? "source-big.png" : "source.png";
        int width = Integer.parseInt(last.split("x")[0]);
        int height = last.contains("x") ? Integer.parseInt(last.split("x")[1]) : width;
        return Resize.bytes(ImageDecoder.read(folder.resolve(file)), height, width, filter(name));
    }

    private static ResizeFilter filter(String name) {
        for (ResizeFilter filter : ResizeFilter.values()) {
            if (name.contains(filter.name().toLowerCase(Locale.ROOT))) {
                return filter;
            }
        }
        throw new AssertionError(name);
    }

    private static PixelImage ruled() {
        byte[] pixels = new byte[17 * 23 * 3];
        for (int i = 0; i < pixels.length; i++) {
            int y = i / 69;
            int x = i / 3 % 23;
            pixels[i] = (byte) (x * 37 + y * 91 + i % 3 * 53 + x * y % 17 * 13);
        }
        return new PixelImage(3, 17, 23, pixels);
    }
}
