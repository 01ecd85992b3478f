package dev.retort.layout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Shared;
import dev.retort.card.DitSizes;
import dev.retort.card.ProcessSpec;
import dev.retort.io.Dtype;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** From file to file, without a network. */
class DitLayoutTest {
    private static final Hints THREE_HEADS = new Hints(3, 0, 0, null, List.of());

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "facebook-DiT-XL-2-256, DiT-XL/2, 32, ORIGINAL",
        "facebook-DiT-XL-2-512, DiT-XL/2, 64, ORIGINAL",
        "facebook-DiT-XL-4-256, DiT-XL/4, 32, ORIGINAL",
        "facebook-DiT-L-2-256, DiT-L/2, 32, ORIGINAL",
        "facebook-DiT-B-2-256, DiT-B/2, 32, ORIGINAL",
        "facebook-DiT-S-2-256, DiT-S/2, 32, ORIGINAL",
        "facebook-DiT-S-8-256, DiT-S/8, 32, ORIGINAL",
        "diffusers-DiT-XL-2-256, DiT-XL/2, 32, DIFFUSERS",
        "diffusers-DiT-XL-2-512, DiT-XL/2, 64, DIFFUSERS"
    })
    void full_size_files_have_exactly_the_published_keys_and_shapes(
            String list, String size, int side, DitLayout layout) {
        JsonNode root = JsonMapper.shared()
                .readTree(Shared.path("reference/shapes/" + list + ".json").toFile());
        JsonNode keys = root.has("tensors") ? root.get("tensors") : root;
        Map<String, String> expected = new LinkedHashMap<>();
        keys.properties()
                .forEach(key -> expected.put(key.getKey(), key.getValue().toString()));
        Map<String, String> ours = new LinkedHashMap<>();
        layout.shapes(DitSizes.paper(size, side))
                .forEach((key, shape) -> ours.put(
                        key, Arrays.toString(shape).replace(" ", "").replaceFirst("^", "[") + ",\"float32\"]"));
        assertThat(ours).containsExactlyInAnyOrderEntriesOf(expected);
        if (layout == DitLayout.ORIGINAL) {
            assertThat(List.copyOf(ours.keySet())).isEqualTo(List.copyOf(expected.keySet()));
        }
    }

    @Test
    void what_is_written_in_the_diffusers_layout_has_the_keys_shapes_and_configuration_of_the_librarys_own()
            throws Exception {
        Path original = Shared.path("reference/dit-diffusers/transformer");
        for (long most : new long[] {Long.MAX_VALUE, 150_000}) {
            Path out = folder.resolve("pipeline-" + most);
            try (DitCheckpoint checkpoint = DitCheckpoint.open(original, Hints.NONE)) {
                List<String> notes = DitLayout.DIFFUSERS.write(
                        out, checkpoint.card(), checkpoint.parameters(), new Storage(Dtype.F32, most));
                assertThat(notes).singleElement().asString().contains("cannot guide a network of 10 classes");
            }
            assertThat(Files.exists(out.resolve("transformer/diffusion_pytorch_model.safetensors.index.json")))
                    .isEqualTo(most < Long.MAX_VALUE);
            requireSame(original, out.resolve("transformer"));
            JsonNode ours = JsonMapper.shared().readTree(Files.readString(out.resolve("transformer/config.json")));
            JsonNode theirs = JsonMapper.shared().readTree(Files.readString(original.resolve("config.json")));
            assertThat(without(ours)).isEqualTo(without(theirs));
            try (DitCheckpoint again = DitCheckpoint.open(out, Hints.NONE)) {
                assertThat(again.card().process()).isEqualTo(ProcessSpec.ddpm());
                assertThat(again.card().classes()).hasSize(10);
            }
        }
    }

    private static JsonNode without(JsonNode config) {
        return ((ObjectNode) config).without("_diffusers_version");
    }

    @ParameterizedTest
    @ValueSource(strings = {"copy.pt", "copy.safetensors"})
    void weights_go_to_the_other_layout_and_back_bit_by_bit(String name) {
        Path weights = Shared.path("reference/dit-facebook/weights");
        Path pipeline = folder.resolve("pipeline");
        Path back = folder.resolve(name);
        try (DitCheckpoint checkpoint = DitCheckpoint.open(weights.resolve("bare.pt"), THREE_HEADS)) {
            List<String> notes = DitLayout.DIFFUSERS.write(
                    pipeline, checkpoint.card(), checkpoint.parameters(), Storage.of(Dtype.F32));
            assertThat(notes).anyMatch(note -> note.contains("other frequencies"));
        }
        try (DitCheckpoint checkpoint = DitCheckpoint.open(pipeline, Hints.NONE)) {
            DitLayout.ORIGINAL.write(back, checkpoint.card(), checkpoint.parameters(), Storage.of(Dtype.F32));
        }
        requireSame(weights.resolve("bare.pt"), back);
    }

    private static void requireSame(Path expected, Path got) {
        try (TensorFile a = TensorFiles.open(expected);
                TensorFile b = TensorFiles.open(got)) {
            assertThat(b.entries().keySet())
                    .containsExactlyInAnyOrderElementsOf(a.entries().keySet());
            for (TensorEntry entry : a.entries().values()) {
                assertThat(b.entry(entry.name()).dtype()).isEqualTo(entry.dtype());
                assertThat(b.entry(entry.name()).shape()).isEqualTo(entry.shape());
                assertThat(b.floats(entry.name())).as(entry.name()).isEqualTo(a.floats(entry.name()));
            }
        }
    }
}
