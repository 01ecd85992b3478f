package dev.retort.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DomainImagesTest {
    private static final List<String> NAMES = List.of("cat", "dog", "bird");

    @TempDir
    Path folder;

    private void picture(String name, int rgb) throws IOException {
        BufferedImage image = new BufferedImage(4, 4, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 16; i++) {
            image.setRGB(i % 4, i / 4, rgb);
        }
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        ImageIO.write(image, "png", file.toFile());
    }

    private ImageSource pictures() throws IOException {
        picture("birds/1.png", 0xff0000);
        picture("fish/1.png", 0x00ff00);
        picture("hounds/1.png", 0x0000ff);
        picture("hounds/2.png", 0xffffff);
        return FolderImages.open(folder, "train", 4);
    }

    @Test
    void pictures_of_some_classes_come_in_their_order_under_other_labels() throws IOException {
        DomainImages images = new DomainImages(pictures(), NAMES, false, 2, -1, 1);
        assertThat(images.size()).isEqualTo(3);
        assertThat(images.classNames()).isEqualTo(NAMES);
        assertThat(images.labels()).containsExactly(1, 2);
        float[] out = new float[1 + images.pixels()];
        assertThat(images.read(0, out, 1).label()).isEqualTo(2);
        assertThat(out[1]).isEqualTo(1);
        assertThat(out[1 + 16]).isEqualTo(-1);
        assertThat(images.readAugmented(2, true, Rng.at(1, Purpose.DATA, 2, 0), out, 1)
                        .label())
                .isEqualTo(1);
        assertThat(out[1]).isEqualTo(1);
        assertThat(images.label(1)).isEqualTo(1);
    }

    @Test
    void colours_become_grey_for_a_network_that_knows_none() throws IOException {
        DomainImages images = new DomainImages(pictures(), NAMES, true, 2, 0, 1);
        assertThat(images.channels()).isEqualTo(1);
        float[] out = new float[16];
        images.read(0, out, 0);
        assertThat(out[0]).isCloseTo(2 * 0.299f - 1, within(1e-6f));
        images.read(3, out, 0);
        assertThat(out[15]).isCloseTo(1, within(1e-6f));
    }

    @Test
    void of_pictures_without_end_those_of_the_classes_have_no_end_either() {
        Shapes shapes = new Shapes(16, 1);
        int[] labelOf = new int[shapes.classNames().size()];
        java.util.Arrays.fill(labelOf, -1);
        labelOf[3] = 3;
        DomainImages stars = new DomainImages(shapes, shapes.classNames(), false, labelOf);
        assertThat(stars.size()).isEqualTo(ImageSource.INFINITE);
        float[] out = new float[stars.pixels()];
        float[] before = new float[out.length];
        for (long i = 0; i < 50; i++) {
            assertThat(stars.read(i, out, 0).label()).isEqualTo(3);
            assertThat(out).isNotEqualTo(before);
            System.arraycopy(out, 0, before, 0, out.length);
        }
        assertThatThrownBy(() -> new DomainImages(shapes, NAMES, false, new int[] {-1, -1}))
                .hasMessageContaining("all classes of shapes are left out");
    }

    @Test
    void another_split_is_chosen_from_likewise_where_it_has_the_same_classes_and_some_of_the_pictures()
            throws IOException {
        DomainImages birds = new DomainImages(pictures(), NAMES, false, 2, -1, -1);
        ImageSource others = birds.among(FolderImages.open(folder, "train", 4)).orElseThrow();
        assertThat(others.size()).isEqualTo(1);
        assertThat(others.label(0)).isEqualTo(2);
        assertThat(birds.among(new Shapes(16, 1))).isEmpty();
    }

    @Test
    void the_pair_of_a_picture_stays_with_it() throws IOException {
        ImageSource small = pictures();
        DomainImages images = new DomainImages(
                new PairedImages(small, FolderImages.open(folder, "train", 8)), NAMES, false, -1, -1, 0);
        ImageSource other = images.paired().orElseThrow();
        assertThat(other.size()).isEqualTo(2);
        assertThat(other.height()).isEqualTo(8);
        float[] out = new float[other.pixels()];
        assertThat(other.read(1, out, 0).label()).isZero();
        assertThat(out[0]).isEqualTo(1);
    }
}
