package dev.retort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

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
    private final JsonNode root;
    private final JsonNode tensors;

    private ReferenceCase(Path folder) {
        this.folder = folder;
        this.root = JsonMapper.shared().readTree(folder.resolve("case.json").toFile());
        this.tensors = root.get("tensors");
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

    /**
     * The same for a value that stands in the file as part of a larger tensor. Every element must lie within
     * {@code abs}, those of row i within {@code abs_by_row[i]}, 99 % of them within {@code abs_for_99_percent}.
     */
    public void check(String label, JsonNode entry, Tensor want, Tensor got) {
        check(label, entry, want, got, Double.NaN);
    }

    /** The same with another {@code abs} than the tensor's own, such as one of {@code loose_parameters}; NaN for its own. */
    public void check(String label, JsonNode entry, Tensor want, Tensor got, double looser) {
        int rows = want.dim() == 0 ? 1 : Math.toIntExact(want.size(0));
        double abs = Double.isNaN(looser) ? entry.path("abs").asDouble(0) : looser;
        JsonNode byRow = entry.path("abs_by_row");
        double[] allowed = new double[rows];
        for (int i = 0; i < rows; i++) {
            allowed[i] = byRow.isArray() ? byRow.get(i).asDouble() : abs;
        }
        compare(
                label,
                entry,
                want,
                got,
                allowed,
                entry.path("abs_for_99_percent").asDouble(abs));
    }

    /** One row of a stored tensor, with the tolerance of that row. */
    public void checkRow(String label, JsonNode entry, int row, Tensor want, Tensor got) {
        JsonNode byRow = entry.path("abs_by_row");
        double allowed =
                byRow.isArray() ? byRow.get(row).asDouble() : entry.path("abs").asDouble(0);
        compare(label, entry, want, got, new double[] {allowed}, Double.POSITIVE_INFINITY);
    }

    private static void compare(String label, JsonNode entry, Tensor want, Tensor got, double[] allowed, double sharp) {
        assertThat(Tensors.shape(got)).as(label).containsExactly(Tensors.shape(want));
        double rel = entry.path("rel").asDouble(0);
        float[] g = Tensors.floats(got);
        float[] w = Tensors.floats(want);
        int row = Math.max(1, w.length / allowed.length);
        int beyondSharp = 0;
        for (int i = 0; i < g.length; i++) {
            double distance = Math.abs((double) g[i] - w[i]) - rel * Math.abs(w[i]);
            if (!(distance <= allowed[i / row])) {
                fail("%s[%d] is %s, expected %s within %s + %s of it", label, i, g[i], w[i], allowed[i / row], rel);
            }
            beyondSharp += distance <= sharp ? 0 : 1;
        }
        assertThat(beyondSharp).as(label + ": elements beyond " + sharp).isLessThanOrEqualTo(g.length / 100);
    }

    /** A value of case.json outside its tensors, such as {@code loose_parameters}. */
    public JsonNode setting(String name) {
        return root.get(name);
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
