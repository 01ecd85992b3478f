package dev.retort;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.io.SafetensorsFile;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A folder of reference numbers: its tensors, and the check of ours against them within the tolerances it states. */
public final class ReferenceCase {
    private final Path folder;
    private final JsonNode tensors;

    private ReferenceCase(Path folder) {
        this.folder = folder;
        this.tensors = JsonMapper.shared()
                .readTree(folder.resolve("case.json").toFile())
                .get("tensors");
    }

    /** The case, where shared/ is present; elsewhere the test is skipped. */
    public static ReferenceCase open(String name) {
        return new ReferenceCase(Shared.path("reference/" + name));
    }

    /** Every tensor of a file; open a scope first. */
    public Map<String, Tensor> tensors(String file) {
        Map<String, Tensor> all = new LinkedHashMap<>();
        try (SafetensorsFile opened = SafetensorsFile.open(folder.resolve(file))) {
            opened.entries()
                    .forEach((name, entry) -> all.put(
                            name,
                            Tensors.of(
                                    opened.data(name),
                                    Dtype.valueOf(entry.dtype().name()),
                                    Device.CPU,
                                    entry.shape())));
        }
        return all;
    }

    /** Loads a file's weights into a network. */
    public <L extends Layer> L load(L layer, String file) {
        assertThat(layer.load(tensors(file))).isEmpty();
        return layer;
    }

    /** |got - want| &lt;= abs + rel·|want| for every element, as case.json says. */
    public void check(String file, String name, Tensor got) {
        JsonNode entry = tensors.get(file).get(name);
        check(file + ":" + name, entry, tensors(file).get(name), got);
    }

    /** The same for a value that stands in the file as part of a larger tensor. */
    public void check(String label, JsonNode entry, Tensor want, Tensor got) {
        assertThat(Tensors.shape(got)).as(label).containsExactly(Tensors.shape(want));
        double abs = entry.path("abs").asDouble(0);
        double rel = entry.path("rel").asDouble(0);
        float[] g = Tensors.floats(got);
        float[] w = Tensors.floats(want);
        double worst = 0;
        for (int i = 0; i < g.length; i++) {
            double excess = Math.abs(g[i] - w[i]) - rel * Math.abs(w[i]);
            worst = Double.isNaN(excess) ? Double.POSITIVE_INFINITY : Math.max(worst, excess);
        }
        assertThat(worst).as(label + " largest difference").isLessThanOrEqualTo(abs);
    }

    /** The description of a tensor in case.json. */
    public JsonNode describe(String file, String name) {
        return tensors.get(file).get(name);
    }

    /** The case's folder. */
    public Path folder() {
        return folder;
    }
}
