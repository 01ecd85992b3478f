package dev.retort.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.retort.error.RetortException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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
        String yaml = Configs.write("testing", run);
        assertThat(yaml).contains("mixed-fp8").contains("warmup-cosine");
        assertThat(Configs.load(Run.class, Preset.of("testing", "written", yaml), List.of()))
                .isEqualTo(run);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            model.dept=3         | model.dept=3: model.dept is not a field here; did you mean 'depth'? Known: depth, width
            modle.depth=3        | modle.depth=3: there is no field 'modle'; did you mean 'model'?
            model.depth=0        | model.depth=0: model.depth is 0, expected at least 1
            model.width=3        | model.width=3: model.width is 3, expected an even number
            model.depth=deep     | model.depth=deep: model.depth is 'deep', expected a whole number
            model.depth=1.5      | model.depth=1.5: model.depth is 1.5, expected a whole number
            model.depth=99999999999 | model.depth=99999999999: model.depth is 99999999999, expected a whole number up to 2147483647
            model.depth=null        | model.depth=null: model.depth is empty, expected a whole number
            model.depth=         | model.depth=: model.depth is '', expected a whole number
            model=3              | model=3: model is 3, expected the fields depth, width
            name=null               | name=null: name is empty, expected text
            amsgrad=1            | amsgrad=1: amsgrad is 1, expected true or false
            precision=bf61       | precision=bf61: precision is 'bf61', which is not known; did you mean 'bf16'? Known: fp32, bf16, mixed-fp8
            precision=1          | precision=1: precision is 1, expected one of fp32, bf16, mixed-fp8
            ema=0.9              | ema=0.9: ema is 0.9, expected a list
            ema.2=0.9            | ema.2=0.9: ema is a list of 2; '2' is not a position in it, expected 0 to 1
            ema.0=high           | ema.0=high: ema.0 is 'high', expected a number
            lr=NaN               | lr=NaN: lr is 'NaN', expected a number
            lr=Infinity          | lr=Infinity: lr is 'Infinity', expected a number
            lr=.inf              | lr=.inf: lr is
            ema.1=-.inf          | ema.1=-.inf: ema.1 is
            lr=1e999             | lr=1e999: lr is
            lr=true              | lr=true: lr is true, expected a number
            lr.x=1               | lr.x=1: lr is a single value and has no field 'x'
            schedule={}          | schedule={}: schedule.type is missing, expected one of constant, warmup-cosine
            schedule.type=cosin  | schedule.type=cosin: schedule.type is 'cosin', which is not known
            schedule.type=constant | schedule.warmup is not a field here
            stages.1.rate.warmup=-1 | stages.1.rate.warmup=-1: stages.1.rate.warmup is -1, expected at least 0
            stages.0={images: 3} | stages.0={images: 3}: stages.0.rate is missing, expected fields with a type
            name=[               | name=[: the value is not YAML
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

    record Whole(long images, Part part, Schedule schedule, List<Part> parts) {
        static Map<String, ?> defaults() {
            return Map.of("images", 7, "schedule", new WarmupCosine(5), "parts", List.of(Map.of("name", "only")));
        }
    }

    record Part(String name, double rate, Inner inner) {
        static Map<String, ?> defaults() {
            return Map.of("rate", 0.5, "inner", Map.of("b", 3));
        }
    }

    record Inner(int a, int b) {
        static Map<String, ?> defaults() {
            return Map.of("a", 1, "b", 2);
        }
    }

    private static Whole whole(String yaml, String... overrides) {
        return Configs.load(Whole.class, Preset.of("testing", "whole", yaml), List.of(overrides));
    }

    @Test
    void what_a_record_has_a_default_for_may_be_left_out_and_is_written() {
        Whole expected = new Whole(
                7,
                new Part("p", 0.5, new Inner(1, 3)),
                new WarmupCosine(5),
                List.of(new Part("only", 0.5, new Inner(1, 3))));
        Whole read = whole("part: {name: p}");
        assertThat(read).isEqualTo(expected);
        String written = Configs.write("testing", read);
        assertThat(written.lines()).startsWith("kind: testing", "images: 7").contains("  warmup: 5", "    a: 1");
        assertThat(whole(written)).isEqualTo(expected);
    }

    @Test
    void a_group_given_in_part_keeps_the_defaults_of_the_rest() {
        assertThat(whole("part: {name: p, inner: {a: 9}}").part().inner()).isEqualTo(new Inner(9, 3));
        assertThat(whole("part: {name: p}\nschedule: {warmup: 8}").schedule()).isEqualTo(new WarmupCosine(8));
        assertThat(whole("part: {name: p}\nschedule: {type: constant}").schedule())
                .as("of another type, nothing of the default is left")
                .isEqualTo(new Constant());
    }

    @Test
    void an_override_reaches_fields_that_were_left_out() {
        Whole read = whole(
                "part: {name: p}",
                "part.inner.a=4",
                "schedule.warmup=6",
                "parts.0.rate=0.25",
                "images=8",
                "part.rate=2");
        assertThat(read)
                .isEqualTo(new Whole(
                        8,
                        new Part("p", 2, new Inner(4, 3)),
                        new WarmupCosine(6),
                        List.of(new Part("only", 0.25, new Inner(1, 3)))));
        assertThat(whole("part: {name: p}", "schedule.type=constant").schedule())
                .isEqualTo(new Constant());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            images: 3                       |                    | whole: part.name is missing, expected text; add it
            part: {name: p, inner: {c: 3}}  |                    | whole: part.inner.c is not a field here
            part: {name: p}                 | part.inner.c=3     | part.inner.c=3: part.inner.c is not a field here. Known: a, b
            part: {name: p}                 | part.iner.a=3      | part.iner.a=3: there is no field 'part.iner'; did you mean 'inner'?
            part: {name: p}                 | imagse=3           | imagse=3: there is no field 'imagse'; did you mean 'images'?
            part: {name: p}                 | parts.1.rate=3     | parts.1.rate=3: parts is a list of 1
            part: {name: p}                 | inner.a=3          | there is no field 'inner'; did you mean part.inner.a or parts.0.inner.a?
            part: {name: p, rate: }         |                    | whole: part.rate is empty, expected a number
            kind: distill                   |                    | whole: kind is "distill", expected testing
            """)
    void what_no_default_is_known_for_is_missed_and_what_is_no_field_refused(
            String yaml, String override, String start) {
        assertThatThrownBy(() -> whole(yaml, override == null ? new String[0] : new String[] {override}))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining(start);
    }

    record Pictured(Source source) {}

    sealed interface Source permits Stored, Drawn {
        String CHOSEN_BY = "kind";
    }

    record Stored(String path, int size) implements Source {}

    record Drawn(int size) implements Source {}

    private static Source source(String yaml, String... overrides) {
        return Configs.load(Pictured.class, Preset.of("testing", "pictured", "source: " + yaml), List.of(overrides))
                .source();
    }

    @Test
    void another_kind_drops_what_the_kind_of_the_preset_alone_had() {
        String preset = "{kind: stored, path: here, size: 3}";
        assertThat(source(preset, "source.kind=drawn")).isEqualTo(new Drawn(3));
        assertThat(source(preset, "source.kind=stored")).isEqualTo(new Stored("here", 3));
        assertThat(source("{kind: drawn, size: 3}", "source.path=there", "source.kind=stored"))
                .isEqualTo(new Stored("there", 3));
        assertThat(source(preset, "source={kind: drawn, size: 4}", "source.kind=stored", "source.path=there"))
                .as("in the order in which they are given")
                .isEqualTo(new Stored("there", 4));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {kind: stored, path: here, size: 3} | source.kind=drawn  | source.path=there | source.path=there: source.path is not a field here
            {kind: stored, path: here, size: 3} | source.path=there  | source.kind=drawn | source.path=there: source.path is not a field here
            {kind: stored, pth: here, size: 3}  | source.kind=drawn  | source.size=4     | pictured: source.pth is not a field here
            {kind: stored, path: here, size: 3} | source.kind=drwan  | source.size=4     | source.kind=drwan: source.kind is 'drwan', which is not known; did you mean 'drawn'?
            {kind: drawn, path: here, size: 3}  | source.size=4      | source.size=5     | pictured: source.path is not a field here
            """)
    void what_no_kind_of_the_preset_had_is_not_dropped(String yaml, String first, String second, String start) {
        assertThatThrownBy(() -> source(yaml, first, second))
                .isInstanceOf(RetortException.class)
                .hasMessageStartingWith(start);
    }

    @Test
    void a_file_differs_only_where_it_means_something_else(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("old.yaml"), "part: {name: p}\n");
        Whole here = whole("part: {name: p}");
        assertThat(Configs.kind(file)).isEmpty();
        assertThat(Configs.differences("testing", file, here)).isEmpty();
        assertThat(Configs.differences("testing", file, whole("part: {name: p, inner: {a: 9}}")))
                .extracting(Difference::toString)
                .containsExactly("part.inner.a is 1 there, 9 here");
        Files.writeString(file, Configs.write("testing", here));
        assertThat(Configs.kind(file)).isEqualTo("testing");
        assertThat(Configs.differences("testing", file, here)).isEmpty();
    }
}
