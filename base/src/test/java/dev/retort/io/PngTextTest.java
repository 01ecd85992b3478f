package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PngTextTest {
    @TempDir
    private Path folder;

    @Test
    void texts_of_any_language_are_read_back_and_by_the_readers_of_the_jdk() throws Exception {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("parameters", "a cat\nSteps: 4");
        texts.put("retort", "{\"prompt\" : \"eine Kätzin, 猫\"}");
        Path file = folder.resolve("a.png");
        Png.write(file, new PixelImage(1, 2, 2, new byte[] {1, 2, 3, 4}), texts);
        byte[] png = Files.readAllBytes(file);
        assertThat(PngText.of(png)).isEqualTo(texts);
        assertThat(ImageDecoder.read(file).pixels()).containsExactly(1, 2, 3, 4);
        ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
        try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
            reader.setInput(in);
            IIOMetadataNode root = (IIOMetadataNode) reader.getImageMetadata(0).getAsTree("javax_imageio_png_1.0");
            IIOMetadataNode latin =
                    (IIOMetadataNode) root.getElementsByTagName("tEXtEntry").item(0);
            IIOMetadataNode wide =
                    (IIOMetadataNode) root.getElementsByTagName("iTXtEntry").item(0);
            assertThat(latin.getAttribute("value")).isEqualTo(texts.get("parameters"));
            assertThat(wide.getAttribute("keyword")).isEqualTo("retort");
            assertThat(wide.getAttribute("text")).isEqualTo(texts.get("retort"));
        }
    }

    @Test
    void what_is_no_png_has_no_texts_and_one_that_is_cut_off_those_before() {
        assertThat(PngText.of(new byte[100])).isEmpty();
        byte[] png =
                PngText.with(Png.encode(new PixelImage(1, 1, 1, new byte[1])), new LinkedHashMap<>(Map.of("one", "1")));
        assertThat(PngText.of(Arrays.copyOf(png, 60))).isEqualTo(Map.of("one", "1"));
        assertThat(PngText.of(Arrays.copyOf(png, 40))).isEmpty();
    }
}
