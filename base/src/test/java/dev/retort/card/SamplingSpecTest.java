package dev.retort.card;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.config.Configs;
import dev.retort.config.OneLine;
import dev.retort.config.Presets;
import dev.retort.diffusion.NoiseScale;
import dev.retort.diffusion.Plan;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SamplingSpecTest {
    private static final SamplingSpec USUAL = SamplingSpec.of("ddim", 50, 4);

    @TempDir
    private Path folder;

    record Run(SamplingSpec sampling) {}

    private SamplingSpec load(String yaml, String... overrides) throws Exception {
        Path file = folder.resolve("run.yaml");
        Files.writeString(file, yaml);
        return Configs.load(Run.class, Presets.open("testing", file.toString()), List.of(overrides))
                .sampling();
    }

    private static final String OLD =
            "sampling: {solver: DPMPP_2M, steps: 8, guidanceScale: 1.5, guidanceFrom: 0, guidanceTo: 1, guidanceChannels: 0}";

    @Test
    void a_preset_of_today_means_what_it_meant() throws Exception {
        SamplingSpec spec = load(OLD);
        assertThat(spec).isEqualTo(SamplingSpec.of("dpmpp-2m", 8, 1.5));
        assertThat(spec.grid()).isEqualTo(new GridSpec.Default());
        assertThat(spec.clamp()).isEqualTo(new ClampSpec.Default());
        assertThat(SamplingPlan.of(ProcessSpec.ddpm(), spec, false).times())
                .containsExactly(999, 874, 749, 624, 499, 374, 249, 124);
        assertThat(SamplingPlan.of(ProcessSpec.flow(), spec, false).times())
                .containsExactly(1000, 875, 750, 625, 500, 375, 250, 125);
        ProcessSpec karras = ProcessSpec.of("karras", dev.retort.diffusion.Prediction.X0, 0);
        assertThat(SamplingPlan.of(karras, spec, false).times()).startsWith(80).endsWith(0.002);
    }

    @Test
    void a_preset_says_options_in_the_same_line_as_the_command() throws Exception {
        SamplingSpec spec = load(
                OLD,
                "sampling.solver=ddim:eta=0.5",
                "sampling.grid=leading:offset=1,end=lowest",
                "sampling.clamp=dynamic:quantile=0.9");
        assertThat(spec)
                .isEqualTo(new SamplingChange(
                                "ddim:eta=0.5",
                                null,
                                "leading:offset=1,end=lowest",
                                null,
                                null,
                                "dynamic:quantile=0.9",
                                null)
                        .of(SamplingSpec.of("ddpm", 8, 1.5)));
        assertThat(spec.solver()).isEqualTo(new SolverSpec.Ddim(0.5, false, false));
        assertThat(spec.grid()).isEqualTo(new TableGrid.Leading(1, false, GridSpec.End.LOWEST));
        String written = Configs.write("testing", new Run(spec));
        assertThat(written).contains("ddim:eta=0.5").contains("leading:offset=1,end=lowest");
        assertThat(load(written)).isEqualTo(spec);
        assertThatThrownBy(() -> load(OLD, "sampling.solver=ddim:etta=1"))
                .hasMessage("sampling.solver=ddim:etta=1: sampling.solver is 'ddim:etta=1', but ddim has no option"
                        + " 'etta'; did you mean 'eta'? Known: eta, rawEps, strided");
        assertThatThrownBy(() -> load(OLD, "sampling.grid=[1, 2]"))
                .hasMessageContaining(
                        "sampling.grid is a list, expected one line that opens with one of default, leading");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ddpm",
                "ddpm:variance=fixed-large",
                "ddim:eta=0.5,rawEps=true",
                "pndm:rungeKuttaStart=true",
                "euler:sChurn=2,sTmin=0.05,sTmax=10,sNoise=1.003",
                "euler-ancestral:eta=0.5",
                "heun",
                "dpmpp-2m",
                "dpmpp-3m",
                "dpmpp-2m-sde",
                "dpmpp:order=1",
                "dpmpp-3m:rule=exact,eulerAtFinal=true",
                "dpm:order=1",
                "unipc:order=3,base=bh1,lowerOrderFinal=false",
                "lcm:timeScaling=5",
                "tcd:gamma=0.5",
                "flow-euler:stochastic=true",
                "flow-heun",
                "flow-map:stochastic=true",
                "parallel-euler"
            })
    void a_solver_reads_back_from_its_line(String line) {
        assertThat(OneLine.parse(SolverSpec.class, line).text()).isEqualTo(line);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "default",
                "even",
                "leading:offset=1,dropLast=true,end=lowest",
                "trailing",
                "linspace:fractional=true",
                "respaced:counts=10,15,20",
                "respaced:counts=ddim50",
                "consistency:original=100",
                "karras:rho=5,min=0.03,max=14.6",
                "karras:range=leading,offset=1",
                "exponential:wholeTimes=true",
                "flow:shift=3,lowest=0.003",
                "flow-dynamic:tokens=1024,maxShift=1.2",
                "times:at=999,499.5",
                "sigmas:at=14.6,1,0.03,end=lowest"
            })
    void a_grid_reads_back_from_its_line(String line) {
        assertThat(OneLine.parse(GridSpec.class, line).text()).isEqualTo(line);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ddimm             | solver is 'ddimm', which is not known; did you mean 'ddim'? Known: ddpm, ddim,
            ddim:eta          | solver is 'ddim:eta', where 'eta' is not an option; write ddim:OPTION=VALUE,OPTION=VALUE
            ddim:eta=x        | solver is 'ddim:eta=x': eta is 'x', expected a number
            ddim:eta=NaN      | solver is 'ddim:eta=NaN': eta is 'NaN', expected a number
            ddim:eta=-1       | solver is 'ddim:eta=-1': eta is -1, expected at least 0
            ddim:eta=1,eta=2  | solver is 'ddim:eta=1,eta=2', which gives eta twice; leave one out
            unipc:order=2.5   | solver is 'unipc:order=2.5': order is '2.5', expected a whole number
            unipc:order=4     | solver is 'unipc:order=4': order is 4, expected between 1 and 3
            unipc:base=bh3    | solver is 'unipc:base=bh3': base is 'bh3', which is not known; did you mean 'bh1'? Known: bh1, bh2
            pndm:strided=yes  | solver is 'pndm:strided=yes': strided is 'yes', expected true or false
            dpmpp-2m:order=3  | solver is 'dpmpp-2m:order=3', but dpmpp-2m has no option 'order'
            heun:eta=1        | solver is 'heun:eta=1', but heun has no option 'eta'. Known: none
            """)
    void a_slip_is_answered_with_option_value_and_what_is_allowed(String line, String sentence) {
        assertThatThrownBy(() -> new SamplingChange(line, null, null, null, null, null, null).of(USUAL))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.USAGE))
                .hasMessageStartingWith(sentence);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            times:at=5,7        | grid is 'times:at=5,7': at is 7, expected below 5.0, the one before it
            times               | grid is 'times', which lacks the option at
            times:at=5,x        | grid is 'times:at=5,x': at holds 'x', expected numbers
            respaced:counts=a   | grid is 'respaced:counts=a': counts is 'a', expected whole numbers
            leading:ofset=1     | grid is 'leading:ofset=1', but leading has no option 'ofset'; did you mean 'offset'?
            karras:offset=1     | grid is 'karras:offset=1': offset is 1, expected 0, or the range leading beside it
            """)
    void so_is_one_in_a_grid(String line, String sentence) {
        assertThatThrownBy(() -> new SamplingChange(null, null, line, null, null, null, null).of(USUAL))
                .hasMessageStartingWith(sentence);
    }

    @Test
    void a_grid_that_names_its_points_says_how_many_steps_there_are() {
        SamplingSpec asked = new SamplingChange("heun", null, "times:at=999,499,9", null, null, null, null).of(USUAL);
        assertThat(asked.steps()).isEqualTo(3);
        assertThat(new SamplingChange(null, null, "respaced:counts=10,15,20", null, null, null, null)
                        .of(USUAL)
                        .steps())
                .isEqualTo(45);
        assertThatThrownBy(() -> new SamplingChange(null, 7, "times:at=999,499,9", null, null, null, null).of(USUAL))
                .hasMessage("steps is 7, expected 3, as many as the grid times:at=999,499,9 has");
        assertThatThrownBy(() -> new SamplingChange(null, 7, null, null, null, null, null).of(asked))
                .hasMessageContaining("as many as the grid");
    }

    @Test
    void guidance_is_a_strength_with_interval_and_channels() {
        SamplingSpec asked =
                new SamplingChange(null, null, null, "2.5:from=0.2,to=0.8,channels=3", null, null, null).of(USUAL);
        assertThat(asked).isEqualTo(USUAL.withGuidance(2.5, 0.2, 0.8, 3));
        assertThat(new SamplingChange(null, null, null, "3", null, null, null).of(asked))
                .isEqualTo(USUAL.withGuidance(3, 0.2, 0.8, 3));
        assertThatThrownBy(() -> new SamplingChange(null, null, null, "3:form=0.2", null, null, null).of(USUAL))
                .hasMessage(
                        "guidance is 3:form=0.2, which has no option 'form'; did you mean 'from'? Known: from, to, channels");
        assertThatThrownBy(() -> new SamplingChange(null, null, null, "3:from=2", null, null, null).of(USUAL))
                .hasMessage("guidance is 3:from=2: guidanceFrom is 2, expected between 0 and 1");
    }

    @Test
    void temperature_scales_the_noise_of_the_steps_and_nothing_else() {
        ProcessSpec flow = ProcessSpec.flow();
        for (String solver :
                List.of("lcm", "tcd", "flow-euler:stochastic=true", "ddim:eta=1", "euler-ancestral", "ddpm")) {
            ProcessSpec process = solver.equals("euler-ancestral") ? ProcessSpec.ddpm() : flow;
            SamplingSpec usual = SamplingSpec.of(solver, 4, 1);
            SamplingSpec cool = new SamplingChange(null, null, null, null, null, null, 0.5).of(usual);
            Plan plan = SamplingPlan.of(process, usual, false);
            Plan scaled = SamplingPlan.of(process, cool, false);
            assertThat(scaled.startScale()).isEqualTo(plan.startScale());
            int noisy = 0;
            for (int k = 0; k < 4; k++) {
                Plan.Step step = plan.steps().get(k);
                assertThat(scaled.steps().get(k).call()).isEqualTo(step.call());
                assertThat(scaled.steps().get(k).next()).isEqualTo(step.next());
                if (step.noise() instanceof NoiseScale.Fixed fixed) {
                    assertThat(scaled.steps().get(k).noise()).isEqualTo(NoiseScale.fixed(fixed.scale() / 2));
                    noisy++;
                }
            }
            assertThat(noisy).as(solver).isGreaterThan(1);
            assertThat(SamplingPlan.of(process, usual.withTemperature(0), false).addsNoise())
                    .isFalse();
            assertThat(SamplingPlan.of(process, cool.withTemperature(1), false)).isEqualTo(plan);
        }
        SamplingSpec learned = SamplingSpec.of("ddpm:variance=learned-range", 4, 1);
        NoiseScale.LearnedRange before = (NoiseScale.LearnedRange) SamplingPlan.of(ProcessSpec.ddpm(), learned, true)
                .steps()
                .get(1)
                .noise();
        NoiseScale.LearnedRange after =
                (NoiseScale.LearnedRange) SamplingPlan.of(ProcessSpec.ddpm(), learned.withTemperature(0.5), true)
                        .steps()
                        .get(1)
                        .noise();
        assertThat(after.at(0.3)).isCloseTo(before.at(0.3) / 2, within(1e-15));
    }

    @Test
    void a_temperature_of_noise_that_nobody_adds_is_refused_with_the_solver() {
        SamplingSpec hot = SamplingSpec.of("flow-heun", 4, 1).withTemperature(1.5);
        assertThatThrownBy(() -> SamplingPlan.of(ProcessSpec.flow(), hot, false))
                .hasMessageContaining("temperature is 1.5, but flow-heun in 4 steps adds no noise that it could scale");
        SamplingSpec once = SamplingSpec.of("lcm", 1, 1).withTemperature(0.5);
        assertThatThrownBy(() -> SamplingPlan.of(ProcessSpec.flow(), once, false))
                .hasMessageContaining("lcm in 1 steps adds no noise");
        assertThatThrownBy(() -> new SamplingChange(null, null, null, null, null, null, -1.0).of(USUAL))
                .hasMessage("temperature is -1, expected between 0 and 10");
    }

    @Test
    void flows_are_shifted_by_a_number_or_by_the_size_of_the_image() {
        SamplingSpec flow = SamplingSpec.of("flow-euler", 4, 1);
        Plan shifted = SamplingPlan.of(ProcessSpec.flow(), flow.with(4, new FlowGrid.Flow(3, 0)), false);
        assertThat(shifted.times()).containsExactly(1000, 900, 750, 500);
        Plan dynamic = SamplingPlan.of(ProcessSpec.flow(), flow.with(4, new FlowGrid.FlowDynamic(4096)), false);
        double shift = Math.exp(1.15);
        assertThat(dynamic.times()[2]).isCloseTo(1000 * shift * 0.5 / (1 + (shift - 1) * 0.5), within(1e-9));
    }

    @Test
    void what_cannot_be_planned_names_the_grid_and_what_to_use() {
        SamplingSpec spec = SamplingSpec.of("ddim", 4, 1).with(4, new TableGrid.Leading());
        assertThatThrownBy(() -> SamplingPlan.of(ProcessSpec.flow(), spec, false))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                .hasMessageContaining("the grid leading needs a table of noise levels, but the schedule is flow");
        SamplingSpec learned = SamplingSpec.of("ddpm:variance=learned-range", 4, 1);
        assertThatThrownBy(() -> SamplingPlan.of(ProcessSpec.ddpm(), learned, false))
                .hasMessageContaining("the network learns no variance");
        assertThat(SamplingPlan.of(ProcessSpec.ddpm(), learned, true).learnsVariance())
                .isTrue();
    }
}
