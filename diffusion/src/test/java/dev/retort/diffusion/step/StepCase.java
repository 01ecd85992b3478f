package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.diffusion.ReferenceTensors;
import dev.retort.diffusion.Shared;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;

/**
 * One family of the reference numbers for step methods: inputs by name, outputs compared within the case's tolerance, and a book of what was compared. Families of which
 * this module has a copy ({@code golden/steps}) run everywhere, the others where the reference lies beside the checkout.
 */
public final class StepCase {
    private final JsonNode about;
    private final ReferenceTensors tensors;
    private final Set<String> open = new TreeSet<>();

    private StepCase(JsonNode about, ReferenceTensors tensors) {
        this.about = about;
        this.tensors = tensors;
        about.get("tensors").properties().stream()
                .filter(entry -> entry.getValue().get("role").asString().equals("output"))
                .forEach(entry -> open.add(entry.getKey()));
    }

    /** Opens a family; skips the test, saying so, where it is nowhere. */
    public static StepCase of(String family) {
        Path beside = Path.of(System.getProperty("retort.shared", "../../shared"), "reference/steps", family);
        try (InputStream golden = StepCase.class.getResourceAsStream("/golden/steps/" + family + ".json")) {
            if (golden != null && !Files.exists(beside)) {
                try (InputStream numbers =
                        StepCase.class.getResourceAsStream("/golden/steps/" + family + ".safetensors")) {
                    return new StepCase(
                            ReferenceTensors.JSON.readTree(golden), new ReferenceTensors(numbers.readAllBytes()));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Path folder = Shared.path("reference/steps/" + family);
        return new StepCase(
                ReferenceTensors.json(folder.resolve("case.json")),
                new ReferenceTensors(folder.resolve("tensors.safetensors")));
    }

    /** An input or output. */
    public double[] get(String name) {
        return tensors.get(name);
    }

    /** Its rows. */
    public double[][] rows(String name) {
        return tensors.rows(name);
    }

    /** The settings of a check. */
    public JsonNode config(String check) {
        for (JsonNode entry : about.get("checks")) {
            if (entry.get("name").asString().equals(check)) {
                return entry.get("config");
            }
        }
        throw new IllegalArgumentException("no check " + check);
    }

    /** Compares an output. */
    public void check(String name, double... got) {
        check(name, 0, 0, got);
    }

    /** Compares an output that was computed in fp32, within what the cases allow for that. */
    public void checkFp32(String name, float... got) {
        double[] wide = new double[got.length];
        for (int i = 0; i < got.length; i++) {
            wide[i] = got[i];
        }
        check(name, 2e-5, 2e-6, wide);
    }

    private void check(String name, double leastRel, double leastAbs, double... got) {
        double[] wanted = get(name);
        assertThat(got).as(name).hasSameSizeAs(wanted);
        JsonNode tolerance = about.get("tensors").get(name).get("tolerance");
        double rel = Math.max(leastRel, tolerance.get("rtol").asDouble());
        double abs = Math.max(leastAbs, tolerance.get("atol").asDouble());
        for (int i = 0; i < got.length; i++) {
            if (!(Math.abs(got[i] - wanted[i]) <= abs + rel * Math.abs(wanted[i]))) {
                throw new AssertionError(name + "[" + i + "] is " + got[i] + ", expected " + wanted[i] + " within "
                        + (abs + rel * Math.abs(wanted[i])));
            }
        }
        open.remove(name);
    }

    /** Compares an output given by rows. */
    void check(String name, double[][] rows) {
        check(name, flat(rows));
    }

    /** The outputs that nothing was compared with. */
    public List<String> open() {
        return new ArrayList<>(open);
    }

    /** Rows one after the other. */
    static double[] flat(double[]... rows) {
        double[] flat = new double[rows.length * rows[0].length];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows[i], 0, flat, i * rows[i].length, rows[i].length);
        }
        return flat;
    }
}
