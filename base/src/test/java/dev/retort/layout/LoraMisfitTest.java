package dev.retort.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.io.SafetensorsWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is wrong with an adapter file is said, and nothing of it applied. */
class LoraMisfitTest {
    private static final LoraModules MODEL = new LoraModules(
            "models/base",
            Map.of(
                    "a.b.weight", new long[] {3, 4},
                    "a.c.weight", new long[] {3, 4, 3, 3},
                    "x.y_z.weight", new long[] {3, 4},
                    "x_y.z.weight", new long[] {3, 4},
                    "down_blocks.0.attn2.to_k.weight", new long[] {3, 768}),
            Map.of());

    private final Map<String, float[]> values = new LinkedHashMap<>();
    private final Map<String, long[]> shapes = new LinkedHashMap<>();

    @TempDir
    private Path temp;

    private void add(String name, long... shape) {
        int count = 1;
        for (long size : shape) {
            count *= (int) size;
        }
        shapes.put(name, shape);
        values.put(name, new float[count]);
    }

    private void pair(String module, int rank, int inputs, int outputs) {
        add(module + ".lora_A.weight", rank, inputs);
        add(module + ".lora_B.weight", outputs, rank);
    }

    private AbstractThrowableAssert<?, ?> refusal() {
        Path path = temp.resolve("adapter.safetensors");
        SafetensorsWriter writer = new SafetensorsWriter();
        shapes.forEach((name, shape) -> writer.add(name, shape, values.get(name)));
        writer.write(path);
        return assertThatThrownBy(() -> {
                    try (LoraFile file = LoraFile.open(path)) {
                        MODEL.resolve(file).forEach(placed -> {
                            placed.pair().down().get();
                            placed.pair().up().get();
                        });
                    }
                })
                .isInstanceOfSatisfying(RetortException.class, refused -> assertThat(refused.kind())
                        .isEqualTo(RetortException.Kind.CHECKPOINT))
                .hasMessageContaining("adapter.safetensors");
    }

    @Test
    void a_layer_that_the_model_lacks_is_named_with_the_nearest_that_it_has() {
        pair("unet.a.b", 2, 4, 3);
        pair("unet.a.d", 2, 4, 3);
        refusal()
                .hasMessageContaining("models/base has no layer 'a.d' (the nearest is 'a.")
                .hasMessageContaining("which 'unet.a.d.lora_A.weight' adapts; 1 of its 2 modules has no place");
    }

    @Test
    void an_underscored_name_that_fits_two_layers_is_not_guessed() {
        add("lora_unet_x_y_z.lora_down.weight", 2, 4);
        add("lora_unet_x_y_z.lora_up.weight", 3, 2);
        refusal()
                .hasMessageContaining("x.y_z")
                .hasMessageContaining("x_y.z")
                .hasMessageContaining("a layout with dots");
    }

    @Test
    void an_adapter_of_another_shape_is_refused() {
        pair("unet.a.b", 2, 5, 3);
        refusal().hasMessageContaining("do not fit 'a.b' of models/base, a weight of shape [3, 4]");
    }

    @Test
    void halves_of_different_ranks_are_refused() {
        add("unet.a.b.lora_A.weight", 2, 4);
        add("unet.a.b.lora_B.weight", 3, 4);
        refusal()
                .hasMessageContaining("'unet.a.b.lora_A.weight' has A of shape [2, 4] and B of shape [3, 4]")
                .hasMessageContaining("no one rank");
    }

    @Test
    void half_a_pair_is_refused() {
        add("unet.a.b.lora_A.weight", 2, 4);
        refusal().hasMessageContaining("'unet.a.b.lora_A.weight' has no counterpart: the module's B");
    }

    @Test
    void an_adapter_of_another_family_is_refused_in_a_sentence() {
        pair("unet.down_blocks.0.attn2.to_k", 2, 2048, 3);
        refusal()
                .hasMessageEndingWith("it was made for Stable Diffusion XL (tokens of 2048 values), and models/base is"
                        + " Stable Diffusion 1 (tokens of 768 values); give an adapter of the model's own family");
    }

    @Test
    void a_value_that_is_no_number_is_refused() {
        pair("unet.a.b", 2, 4, 3);
        values.get("unet.a.b.lora_B.weight")[4] = Float.NaN;
        refusal().hasMessageContaining("'unet.a.b.lora_B.weight' has the value NaN at place 4");
    }

    @Test
    void an_empty_file_is_refused() {
        refusal().hasMessageContaining("it is empty");
    }

    @ParameterizedTest
    @CsvSource({
        "unet.a.b.dora_scale, dora_scale",
        "lora_unet_a_b.dora_scale, dora_scale",
        "unet.a.b.lora_magnitude_vector, DoRA",
        "lora_unet_a_c.lora_mid.weight, Tucker",
        "lora_unet_a_b.hada_w1_a, LoHa",
        "lora_unet_a_b.lokr_w1, LoKr",
        "lora_unet_a_b.diff, whole difference",
        "unet.a.b.lora_B.bias, biases"
    })
    void another_kind_of_adapter_is_refused_by_its_name(String key, String kind) {
        pair("unet.a.b", 2, 4, 3);
        add(key, 3, 2);
        refusal().hasMessageContaining("'" + key + "'").hasMessageContaining(kind);
    }

    @Test
    void an_unknown_ending_is_refused_by_its_name() {
        pair("unet.a.b", 2, 4, 3);
        add("unet.a.b.lora_C.weight", 3, 2);
        refusal().hasMessageContaining("'unet.a.b.lora_C.weight' has none of the endings .lora_A.weight");
    }

    @Test
    void two_spellings_of_one_layer_are_refused() {
        pair("unet.a.b", 2, 4, 3);
        add("lora_unet_a_b.lora_down.weight", 2, 4);
        add("lora_unet_a_b.lora_up.weight", 3, 2);
        refusal().hasMessageContaining("are both for 'a.b'");
    }
}
