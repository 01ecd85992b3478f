package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StateDictTest {
    private static final List<String> MARKS = List.of("in.weight");

    @TempDir
    Path folder;

    /** A file of tensors of these names, each with its place in the list as its only value. */
    private StateDict of(String... names) {
        SafetensorsWriter writer = new SafetensorsWriter();
        for (int i = 0; i < names.length; i++) {
            writer.add(names[i], new long[] {1}, new float[] {i});
        }
        Path file = folder.resolve("file.safetensors");
        writer.write(file);
        return StateDict.of(TensorFiles.open(file), MARKS);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', nullValues = "-", textBlock = """
            in.weight;out.bias                                        | in.weight;out.bias | -
            model.in.weight;ema.in.weight;rng                         | 1 | took the 1 tensors of 'ema' of 3, an average of the weights; left out the other weights, 'model'
            model.in.weight;model_ema.module.in.weight;losses;step    | 1 | took the 1 tensors of 'model_ema.module' of 4, an average
            ema_weights.in.weight                                     | 0 | took the 1 tensors of 'ema_weights' of 1, an average
            ema.online_model.in.weight;ema.ema_model.in.weight        | 1 | 'ema.ema_model'
            state_dict.net.in.weight;state_dict.criterion.weight      | 0 | took the 1 tensors of 'state_dict.net' of 2
            state_dict.generator.in.weight;cuda_rng.0                 | 0 | 'state_dict.generator'
            teacher.in.weight;model.in.weight                         | 1 | took the 1 tensors of 'model' of 2; left out the other weights, 'teacher'
            model.in.weight;optimizer.exp_avg.in.weight               | 0 | took the 1 tensors of 'model' of 2
            optim.ema.in.weight;module.in.weight                      | 1 | took the 1 tensors of 'module' of 2
            a.b.c.d.in.weight;x                                       | 0 | 'a.b.c.d'
            model.in.weight;ema.shadow_params.0                       | 0 | did not use the averages in 'ema.shadow_params'
            model.in.weight;model.avg_pool.weight                     | 0 | -
            """)
    void the_dictionary_that_holds_the_network_is_taken_and_said(String names, String taken, String note) {
        try (StateDict dict = of(names.split(";"))) {
            if (note == null && taken.contains(";")) {
                assertThat(dict.entries().keySet()).containsExactlyInAnyOrder(taken.split(";"));
                assertThat(dict.notes()).isEmpty();
            } else {
                assertThat(dict.floats("in.weight")).containsExactly(Float.parseFloat(taken));
                assertThat(String.join("\n", dict.notes())).contains(note == null ? "took the 2 tensors" : note);
                assertThat(dict.notes()).noneMatch(said -> note == null && said.contains("averages"));
            }
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            student.in.weight;teacher.in.weight;step     | 'student' (1 tensors)
            ema_0.99.in.weight;ema_0.9999.in.weight      | 'ema_0.9999' (1 tensors)
            model.in.weight;net.in.weight;net.out.weight | 'net' (2 tensors)
            in.weight;model.in.weight                    | the file itself
            """)
    void several_that_fit_equally_are_listed_and_refused(String names, String listed) {
        assertThatThrownBy(() -> of(names.split(";")))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                .hasMessageContaining("file.safetensors holds several sets of weights that fit: ")
                .hasMessageContaining(listed)
                .hasMessageContaining("to a file of their own");
    }

    @Test
    void what_compilation_and_sharding_put_into_names_is_dropped_wherever_it_stands() {
        try (StateDict dict = of(
                "module._orig_mod.in.weight",
                "module._orig_mod.blocks.0._orig_mod.attn.weight",
                "module.blocks.1._fsdp_wrapped_module._checkpoint_wrapped_module.attn.weight",
                "module.blocks.2.my_orig_mod.weight")) {
            assertThat(dict.entries().keySet())
                    .containsExactlyInAnyOrder(
                            "in.weight", "blocks.0.attn.weight", "blocks.1.attn.weight", "blocks.2.my_orig_mod.weight");
            assertThat(dict.floats("blocks.1.attn.weight")).containsExactly(2);
            assertThat(dict.notes())
                    .containsExactlyInAnyOrder(
                            "dropped _orig_mod. and _fsdp_wrapped_module. and _checkpoint_wrapped_module."
                                    + " from the names of 3 tensors",
                            "took the 4 tensors of 'module' of 4");
        }
        assertThatThrownBy(() -> of("in.weight", "_orig_mod.in.weight"))
                .hasMessageContaining("are two tensors for 'in.weight'");
    }

    @Test
    void a_file_without_the_network_is_taken_as_it_is() {
        try (StateDict dict = of("model.conv.weight", "step")) {
            assertThat(dict.entries().keySet()).containsExactlyInAnyOrder("model.conv.weight", "step");
            assertThat(dict.notes()).isEmpty();
        }
    }
}
