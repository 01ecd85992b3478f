package dev.retort.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.retort.error.RetortException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigsTest {
    record Run(
            String name,
            Model model,
            long images,
            double lr,
            List<Double> ema,
            Precision precision,
            boolean amsgrad,
            Schedule schedule,
            List<Stage> stages) {}

    record Model(int depth, int width) {
        Model {
            Require.atLeast("depth", depth, 1);
            if (width % 2 != 0) {
                throw new IllegalArgumentException("width is " + width + ", expected an even number");
            }
        }
    }

    record Stage(long images, Schedule rate) {}

    enum Precision {
        FP32,
        BF16,
        MIXED_FP8
    }

    sealed interface Schedule permits Constant, WarmupCosine {}

    record Constant() implements Schedule {}

    record WarmupCosine(long warmup) implements Schedule {
        WarmupCosine {
            Require.atLeast("warmup", warmup, 0);
        }
    }

    private static Run load(String... overrides) {
        return Configs.load(Run.class, "testing", "small", List.of(overrides));
    }

    private static String refusal(String... overrides) {
        RetortException e = catchThrowableOfType(RetortException.class, () -> load(overrides));
        assertThat(e).as("refused").isNotNull();
        assertThat(e.getMessage().lines()).hasSize(1);
        return e.getMessage();
    }

    @Test
    void a_preset_binds_to_records() {
        Run run = load();
        assertThat(run.model()).isEqualTo(new Model(4, 64));
        assertThat(run.images()).isEqualTo(400_000);
        assertThat(run.lr()).isEqualTo(1e-4);
        assertThat(run.precision()).isEqualTo(Precision.BF16);
        assertThat(run.schedule()).isEqualTo(new WarmupCosine(1000));
        assertThat(run.stages())
                .containsExactly(new Stage(1000, new Constant()), new Stage(2000, new WarmupCosine(10)));
    }

    @Test
    void overrides_reach_fields_lists_and_whole_groups() {
        Run run = load(
                "model.depth=2",
                "images=2e6",
                "ema.1=0.5",
                "stages.1.rate.warmup=7",
                "stages.0.rate={type: warmup-cosine, warmup: 3}",
                "schedule={type: constant}",
                "precision=mixed-fp8",
                "name=x=y");
        assertThat(run.model().depth()).isEqualTo(2);
        assertThat(run.images()).isEqualTo(2_000_000);
        assertThat(run.ema()).containsExactly(0.99, 0.5);
        assertThat(run.stages())
                .containsExactly(new Stage(1000, new WarmupCosine(3)), new Stage(2000, new WarmupCosine(7)));
        assertThat(run.schedule()).isEqualTo(new Constant());
        assertThat(run.precision()).isEqualTo(Precision.MIXED_FP8);
        assertThat(run.name()).isEqualTo("x=y");
    }

    @Test
    void the_resolved_configuration_reads_back_equal() {
        Run run = load("model.depth=2", "lr=3e-5", "name='12'", "precision=mixed-fp8", "images=3000000000");
        String yaml = Configs.write(run);
        assertThat(yaml).contains("mixed-fp8").contains("warmup-cosine");
        assertThat(Configs.load(Run.class, Preset.of("testing", "written", yaml), List.of()))
                .isEqualTo(run);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            model.dept=3         | --set model.dept=3: model.dept is not a field here; did you mean 'depth'? Known: depth, width
            modle.depth=3        | --set modle.depth=3: there is no field 'modle'; did you mean 'model'?
            model.depth=0        | --set model.depth=0: model.depth is 0, expected at least 1
            model.width=3        | --set model.width=3: model.width is 3, expected an even number
            model.depth=deep     | --set model.depth=deep: model.depth is 'deep', expected a whole number
            model.depth=1.5      | --set model.depth=1.5: model.depth is 1.5, expected a whole number
            model.depth=99999999999 | --set model.depth=99999999999: model.depth is 99999999999, expected a whole number up to 2147483647
            model.depth=null        | --set model.depth=null: model.depth is empty, expected a whole number
            model.depth=         | --set model.depth=: model.depth is '', expected a whole number
            model=3              | --set model=3: model is 3, expected the fields depth, width
            name=null               | --set name=null: name is empty, expected text
            amsgrad=1            | --set amsgrad=1: amsgrad is 1, expected true or false
            precision=bf61       | --set precision=bf61: precision is 'bf61', which is not known; did you mean 'bf16'? Known: fp32, bf16, mixed-fp8
            precision=1          | --set precision=1: precision is 1, expected one of fp32, bf16, mixed-fp8
            ema=0.9              | --set ema=0.9: ema is 0.9, expected a list
            ema.2=0.9            | --set ema.2=0.9: ema is a list of 2; '2' is no position in it, expected 0 to 1
            ema.0=high           | --set ema.0=high: ema.0 is 'high', expected a number
            lr=NaN               | --set lr=NaN: lr is 'NaN', expected a number
            lr=Infinity          | --set lr=Infinity: lr is 'Infinity', expected a number
            lr=.inf              | --set lr=.inf: lr is
            ema.1=-.inf          | --set ema.1=-.inf: ema.1 is
            lr=1e999             | --set lr=1e999: lr is
            lr=true              | --set lr=true: lr is true, expected a number
            lr.x=1               | --set lr.x=1: lr is a single value and has no field 'x'
            schedule={}          | --set schedule={}: schedule.type is missing, expected one of constant, warmup-cosine
            schedule.type=cosin  | --set schedule.type=cosin: schedule.type is 'cosin', which is not known
            schedule.type=constant | schedule.warmup is not a field here
            stages.1.rate.warmup=-1 | --set stages.1.rate.warmup=-1: stages.1.rate.warmup is -1, expected at least 0
            stages.0={images: 3} | --set stages.0={images: 3}: stages.0.rate is missing, expected fields with a type
            name=[               | --set name=[: the value is not YAML
            """)
    void a_bad_override_is_refused_with_its_path_its_value_and_what_is_allowed(String override, String start) {
        assertThat(refusal(override)).contains(start);
    }

    @Test
    void an_override_without_a_path_is_a_usage_error() {
        assertThatThrownBy(() -> load("=3")).isInstanceOfSatisfying(RetortException.class, e -> assertThat(e.kind())
                .isEqualTo(RetortException.Kind.USAGE));
    }

    @Test
    void a_missing_key_names_the_file_the_field_and_its_type(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("mine.yaml");
        Files.writeString(file, Presets.open("testing", "small").yaml().replace("  width: 64\n", ""));
        assertThatThrownBy(() -> Configs.load(Run.class, "testing", file.toString(), List.of()))
                .hasMessage(file + ": model.width is missing, expected a whole number up to 2147483647; add it");
    }

    @Test
    void broken_yaml_names_the_line(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("broken.yaml");
        Files.writeString(file, "name: small\nmodel: {depth: 1\nimages: 3\n");
        assertThatThrownBy(() -> Configs.load(Run.class, "testing", file.toString(), List.of()))
                .hasMessageContaining(file + " is not valid YAML at line 3");
    }

    @Test
    void a_key_given_twice_is_refused(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("twice.yaml");
        Files.writeString(file, "name: a\nname: b\n");
        assertThatThrownBy(() -> Configs.load(Run.class, "testing", file.toString(), List.of()))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("name");
    }

    @Test
    void an_empty_file_is_refused(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("empty.yaml");
        Files.writeString(file, "");
        assertThatThrownBy(() -> Configs.load(Run.class, "testing", file.toString(), List.of()))
                .hasMessageStartingWith(file + " holds no fields");
    }
}
