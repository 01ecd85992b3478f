package dev.retort.export;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.card.ModelCard;
import dev.retort.io.Dtype;
import dev.retort.layout.ModelFiles;
import dev.retort.onnx.OnnxWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxExportTest {
    private static final Path ZOO = Path.of("..", "zoo");

    @TempDir
    Path folder;

    @Test
    void the_zoo_s_models_are_exported_in_both_forms() {
        for (String name : new String[] {"fashion-few", "fashion-student"}) {
            for (boolean unrolled : new boolean[] {false, true}) {
                Path model = ZOO.resolve(name);
                ModelCard card = ModelFiles.card(model);
                OnnxExport.Written written = new OnnxExport(
                                OnnxExport.ways(card), unrolled, Dtype.F32, OnnxWriter.MOST_INSIDE)
                        .write(model, folder.resolve(name + unrolled + ".onnx"));
                assertThat(written.error()).isLessThan(1e-4);
            }
        }
    }
}
