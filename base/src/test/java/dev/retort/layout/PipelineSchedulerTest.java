package dev.retort.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.ClampSpec;
import dev.retort.card.GridSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingChange;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScheduleSpec;
import dev.retort.card.SolverSpec;
import dev.retort.config.OneLine;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class PipelineSchedulerTest {
    @TempDir
    private Path pipeline;

    /** A configuration with the fields beside the class, single quotes standing for double ones. */
    private PipelineScheduler read(String className, String fields) throws IOException {
        Path file = pipeline.resolve("scheduler/scheduler_config.json");
        Files.createDirectories(file.getParent());
        String named = "\"_class_name\": \"" + className + "\", \"_diffusers_version\": \"0.30.0\"";
        Files.writeString(file, ("{" + named + (fields.isEmpty() ? "" : ", " + fields) + "}").replace('\'', '"'));
        Path index = pipeline.resolve("model_index.json");
        LibraryConfig read = Files.exists(index) ? LibraryConfig.read(index, "") : LibraryConfig.none(index);
        return PipelineScheduler.of(pipeline, read).orElseThrow();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            DDIMScheduler | linear | 0.0001 | 0.02 | 1 | ddim:rawEps=true | leading | 50 | 4
            DDPMScheduler | linear | 0.0001 | 0.02 | 1 | ddpm:variance=fixed-small | leading | 50 | 4
            PNDMScheduler | linear | 0.0001 | 0.02 | 0 | pndm:rungeKuttaStart=true | leading:end=lowest | 50 | 4
            EulerDiscreteScheduler | linear | 0.0001 | 0.02 | 0 | euler | linspace:fractional=true | 50 | 4
            EulerAncestralDiscreteScheduler | linear | 0.0001 | 0.02 | 0 | euler-ancestral | linspace:fractional=true | 50 | 4
            HeunDiscreteScheduler | linear | 0.00085 | 0.012 | 0 | heun | linspace:fractional=true | 50 | 4
            DPMSolverMultistepScheduler | linear | 0.0001 | 0.02 | 0 | dpmpp-2m | linspace:dropLast=true | 50 | 4
            UniPCMultistepScheduler | linear | 0.0001 | 0.02 | 0 | unipc | linspace:dropLast=true | 50 | 4
            LCMScheduler | scaled-linear | 0.00085 | 0.012 | 0 | lcm | consistency | 4 | 1
            TCDScheduler | scaled-linear | 0.00085 | 0.012 | 0 | tcd | consistency:end=lowest | 4 | 1
            FlowMatchEulerDiscreteScheduler | flow | 0 | 0 | 0 | flow-euler | flow:lowest=0.001 | 50 | 4
            FlowMatchHeunDiscreteScheduler | flow | 0 | 0 | 0 | flow-heun | flow:lowest=0.001 | 50 | 4
            """)
    void a_field_that_is_left_out_means_what_its_class_means_by_it(
            String className,
            String schedule,
            double start,
            double end,
            double clamp,
            String solver,
            String grid,
            int steps,
            double guidance)
            throws IOException {
        PipelineScheduler scheduler = read(className, "");
        Prediction prediction = schedule.equals("flow") ? Prediction.FLOW : Prediction.EPSILON;
        assertThat(scheduler.process()).isEqualTo(ProcessSpec.of(line(schedule, start, end), prediction, clamp));
        assertThat(scheduler.sampling())
                .isEqualTo(SamplingSpec.of(solver, steps, guidance).with(steps, OneLine.parse(GridSpec.class, grid)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            DDIMScheduler | 'steps_offset': 1, 'set_alpha_to_one': false, 'clip_sample': false | ddim | leading:offset=1,end=lowest | default
            DDIMScheduler | 'timestep_spacing': 'trailing', 'clip_sample': false | ddim:strided=true | trailing | default
            DDIMScheduler | 'thresholding': true, 'dynamic_thresholding_ratio': 0.9, 'sample_max_value': 2.0 | ddim:rawEps=true | leading | dynamic:quantile=0.9,max=2
            DDPMScheduler | 'variance_type': 'fixed_large', 'timestep_spacing': 'linspace' | ddpm:variance=fixed-large | linspace | default
            DDPMScheduler | 'variance_type': 'learned_range' | ddpm | leading | default
            PNDMScheduler | 'skip_prk_steps': true, 'steps_offset': 1 | pndm | leading:offset=1,end=lowest | default
            EulerDiscreteScheduler | 'use_karras_sigmas': true, 'timestep_spacing': 'leading', 'steps_offset': 1 | euler | karras:range=leading,offset=1 | default
            EulerDiscreteScheduler | 'use_exponential_sigmas': true, 'final_sigmas_type': 'sigma_min' | euler | exponential:end=lowest | default
            DPMSolverMultistepScheduler | 'solver_order': 3, 'use_karras_sigmas': true | dpmpp-3m | karras:wholeTimes=true | default
            DPMSolverMultistepScheduler | 'algorithm_type': 'sde-dpmsolver++', 'timestep_spacing': 'leading' | dpmpp-2m-sde | leading:dropLast=true | default
            DPMSolverMultistepScheduler | 'algorithm_type': 'dpmsolver', 'final_sigmas_type': 'sigma_min', 'solver_order': 1 | dpm:order=1 | linspace:dropLast=true,end=lowest | default
            DPMSolverMultistepScheduler | 'solver_type': 'heun', 'lower_order_final': false, 'euler_at_final': true | dpmpp-2m:rule=exact,lowerOrderFinal=false,eulerAtFinal=true | linspace:dropLast=true | default
            UniPCMultistepScheduler | 'solver_order': 3, 'solver_type': 'bh1', 'final_sigmas_type': 'sigma_min' | unipc:order=3,base=bh1 | linspace:dropLast=true,end=lowest | default
            LCMScheduler | 'original_inference_steps': 100, 'timestep_scaling': 5.0 | lcm:timeScaling=5 | consistency:original=100 | default
            FlowMatchEulerDiscreteScheduler | 'shift': 3.0, 'stochastic_sampling': true | flow-euler:stochastic=true | flow:shift=3,lowest=0.0029940119760479044 | default
            """)
    void a_field_that_is_given_is_followed(String className, String fields, String solver, String grid, String clamp)
            throws IOException {
        PipelineScheduler scheduler = read(className, fields);
        assertThat(scheduler.sampling().solver().text()).isEqualTo(solver);
        assertThat(scheduler.sampling().grid().text()).isEqualTo(grid);
        assertThat(scheduler.sampling().clamp().text()).isEqualTo(clamp);
        assertThat(scheduler.notes()).isEmpty();
    }

    @Test
    void a_foreign_model_is_sampled_at_the_times_of_its_own_program() throws IOException {
        PipelineScheduler scheduler = read("DDIMScheduler", "");
        double[] times = SamplingPlan.of(scheduler.process(), scheduler.sampling(), false)
                .times();
        assertThat(times).hasSize(50).startsWith(980, 960).endsWith(20, 0);
    }

    /** What we write as a pipeline's scheduler is read back as a plan of the same steps. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
            ddim | default | default | 50
            ddim | leading:offset=1,end=lowest | none | 20
            ddim:strided=true | trailing | none | 7
            ddim:strided=true | linspace | none | 7
            ddim:rawEps=true | leading | range:limit=2 | 10
            ddim:rawEps=true | leading | dynamic:quantile=0.9,max=2 | 10
            ddpm | trailing | none | 10
            ddpm:variance=fixed-large | leading:offset=1 | range | 10
            pndm | leading:end=lowest | none | 20
            pndm:rungeKuttaStart=true | leading:offset=1 | none | 20
            euler | linspace:fractional=true | none | 10
            euler | karras:range=leading,offset=1,end=lowest | none | 10
            euler | exponential:range=trailing | none | 10
            euler-ancestral | leading | none | 10
            heun | karras | none | 10
            dpmpp-2m | linspace:dropLast=true | none | 10
            dpmpp-3m:lowerOrderFinal=false,rule=exact | karras:wholeTimes=true,end=lowest | none | 20
            dpmpp-2m-sde | trailing | none | 20
            dpm | leading:dropLast=true,end=lowest | none | 20
            unipc:order=3 | linspace:dropLast=true | none | 20
            lcm:timeScaling=5 | consistency:original=100 | none | 4
            tcd | consistency:end=lowest | none | 4
            """)
    void what_an_exported_pipeline_says_is_what_we_do(String solver, String grid, String clamp, int steps)
            throws IOException {
        ProcessSpec process = ProcessSpec.ddpm();
        SamplingSpec spec = SamplingSpec.of(solver, steps, 1)
                .with(steps, OneLine.parse(GridSpec.class, grid))
                .with(OneLine.parse(ClampSpec.class, clamp));
        SchedulerExport export = SchedulerExport.of(process, spec).orElseThrow();
        ObjectNode written = JsonMapper.shared().createObjectNode();
        export.write(written);
        String fields = written.toString();
        PipelineScheduler back = read(export.className(), fields.substring(1, fields.length() - 1));
        Plan plan = SamplingPlan.of(back.process(), back.sampling().withSteps(steps), false);
        assertThat(plan.steps()).isEqualTo(SamplingPlan.of(process, spec, false).steps());
        assertThat(export.notes()).isEmpty();
        assertThat(back.notes()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ddim:eta=0.5 | leading | takes the options of 'ddim:eta=0.5' from its caller
            ddim | trailing | goes down by T/N from every time, which in 7 steps is not the next time
            ddim:strided=true | karras | has no grid 'karras' and calls the network at other times
            dpmpp-2m | leading | has no grid 'leading'
            foreign:near=heun,why=KDPM2DiscreteScheduler | leading | DDIMScheduler stands in for that of KDPM2DiscreteScheduler
            """)
    void what_an_exported_pipeline_cannot_say_is_noted(String solver, String grid, String note) {
        SamplingSpec spec = SamplingSpec.of(solver, 7, 1).with(7, OneLine.parse(GridSpec.class, grid));
        SchedulerExport export = SchedulerExport.of(ProcessSpec.ddpm(), spec).orElseThrow();
        export.write(JsonMapper.shared().createObjectNode());
        assertThat(export.notes()).singleElement().asString().contains(note);
    }

    @ParameterizedTest
    @EnumSource(SchedulerClass.class)
    void every_class_is_drawn_from_or_says_which_solver_comes_nearest(SchedulerClass known) throws IOException {
        PipelineScheduler scheduler = read(known.className(), "'clip_sample': false");
        assertThat(scheduler.process().clamp()).isZero();
        SolverSpec near = OneLine.parse(SolverSpec.class, known.solver());
        SamplingSpec drawn = scheduler.sampling().with(near);
        assertThat(SamplingPlan.of(scheduler.process(), drawn, false).steps()).isNotEmpty();
        if (known.knows(SchedulerClass.Knows.NO_SOLVER_OF_OURS)) {
            refused(scheduler, "solver", "the model's own solver is that of " + known.className() + ", which is not");
        }
    }

    /** Options that change what is drawn and that ours lacks: where solver or grid is named, they do not matter. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            DDPMScheduler | 'variance_type': 'learned' | solver | variance_type learned (expected fixed_small, fixed_large or learned_range)
            DDPMParallelScheduler | 'variance_type': 'fixed_large_log' | solver | variance_type fixed_large_log (expected
            EulerDiscreteScheduler | 'rescale_betas_zero_snr': true, 'prediction_type': 'v_prediction' | solver | rescale_betas_zero_snr true (expected false), which is not built here; name another, of which ddim
            EulerAncestralDiscreteScheduler | 'rescale_betas_zero_snr': true, 'prediction_type': 'v_prediction' | solver | rescale_betas_zero_snr true (expected false)
            EulerDiscreteScheduler | 'use_beta_sigmas': true, 'interpolation_type': 'log_linear' | grid | use_beta_sigmas true (expected false) and interpolation_type log_linear (expected linear), which
            HeunDiscreteScheduler | 'use_beta_sigmas': true | grid | use_beta_sigmas true (expected false)
            DPMSolverMultistepScheduler | 'use_lu_lambdas': true | grid | use_lu_lambdas true (expected false)
            DPMSolverMultistepScheduler | 'beta_schedule': 'squaredcos_cap_v2', 'lambda_min_clipped': -5.1 | grid | lambda_min_clipped -5.1 (expected -inf)
            DPMSolverMultistepScheduler | 'solver_order': 4 | solver | solver_order 4 (expected 1 to 3)
            DPMSolverMultistepScheduler | 'algorithm_type': 'sde-dpmsolver++', 'solver_order': 3 | solver | solver_order 3 (expected 1 to 2)
            DPMSolverMultistepScheduler | 'algorithm_type': 'sde-dpmsolver++', 'solver_type': 'heun' | solver | solver_type heun (expected midpoint with algorithm_type sde-dpmsolver++)
            DPMSolverMultistepScheduler | 'algorithm_type': 'dpmsolver' | solver | algorithm_type dpmsolver (expected dpmsolver++ or sde-dpmsolver++, with final_sigmas_type sigma_min also dpmsolver)
            DPMSolverMultistepScheduler | 'algorithm_type': 'sde-dpmsolver' | solver | algorithm_type sde-dpmsolver (expected
            DPMSolverMultistepScheduler | 'use_flow_sigmas': true, 'prediction_type': 'flow_prediction' | solver | use_flow_sigmas true (expected false), which is not built here; name another, of which flow-euler
            UniPCMultistepScheduler | 'solver_type': 'bh1', 'solver_order': 4 | solver | solver_type bh1 (expected bh2, or final_sigmas_type sigma_min) and solver_order 4 (expected 1 to 3)
            UniPCMultistepScheduler | 'predict_x0': false | solver | predict_x0 false (expected true)
            UniPCMultistepScheduler | 'disable_corrector': [0, 1] | solver | disable_corrector [0,1] (expected [])
            UniPCMultistepScheduler | 'solver_p': {'a': 1} | solver | solver_p
            UniPCMultistepScheduler | 'use_beta_sigmas': true | grid | use_beta_sigmas true (expected false)
            FlowMatchEulerDiscreteScheduler | 'use_dynamic_shifting': true | grid | use_dynamic_shifting true (expected false), which are not built here; name another grid, of which flow
            FlowMatchEulerDiscreteScheduler | 'use_karras_sigmas': true | grid | use_karras_sigmas true (expected false)
            FlowMatchEulerDiscreteScheduler | 'shift_terminal': 0.1 | grid | shift_terminal 0.1 (expected null)
            FlowMatchLCMScheduler | 'use_exponential_sigmas': true | grid | use_exponential_sigmas true (expected false)
            FlowMatchLCMScheduler | 'scale_factors': [0.5, 1.0] | solver | scale_factors [0.5,1.0] (expected null)
            """)
    void an_option_that_ours_lacks_is_refused_where_something_is_drawn_by_it(
            String className, String fields, String part, String sentence) throws IOException {
        PipelineScheduler scheduler = read(className, fields);
        refused(scheduler, part, className + " with ");
        refused(scheduler, part, sentence);
        assertThat(scheduler.notes()).anyMatch(note -> note.contains("drawn from only"));
        String solver = scheduler.process().schedule() instanceof ScheduleSpec.Flow ? "flow-heun" : "ddim";
        SamplingSpec named =
                new SamplingChange(solver, null, "default", null, null, null, null).of(scheduler.sampling());
        assertThat(SamplingPlan.of(scheduler.process(), named, false).steps()).isNotEmpty();
    }

    /** In a card that a conversion writes the reason stays. */
    @Test
    void a_card_keeps_what_ours_lacks() throws IOException {
        SamplingSpec sampling = read(
                        "UniPCMultistepScheduler",
                        "'solver_type': 'bh1', 'disable_corrector': [0, 1], 'use_beta_sigmas': true")
                .sampling();
        assertThat(OneLine.parse(SolverSpec.class, sampling.solver().text())).isEqualTo(sampling.solver());
        assertThat(OneLine.parse(GridSpec.class, sampling.grid().text())).isEqualTo(sampling.grid());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            DDIMScheduler | 'use_beta_sigmas': true, 'predict_x0': false, 'algorithm_type': 'sde-dpmsolver', 'lambda_min_clipped': 3.0
            DPMSolverMultistepScheduler | 'lambda_min_clipped': -5.1, 'variance_type': 'learned_range', 'use_dynamic_shifting': true, 'solver_type': 'bh2'
            DPMSolverMultistepScheduler | 'lambda_min_clipped': '-inf', 'time_shift_type': 'linear', 'flow_shift': 3.0, 'algorithm_type': 'deis'
            EulerDiscreteScheduler | 'sigma_min': 0.1, 'sigma_max': 10.0, 'use_lu_lambdas': true
            UniPCMultistepScheduler | 'disable_corrector': [], 'solver_p': null, 'solver_type': 'midpoint', 'shift_terminal': 0.1
            FlowMatchEulerDiscreteScheduler | 'base_shift': 0.1, 'max_shift': 2.0, 'shift_terminal': null, 'upscale_mode': 'area'
            FlowMatchHeunDiscreteScheduler | 'use_karras_sigmas': true, 'use_dynamic_shifting': true
            LCMScheduler | 'set_alpha_to_one': false, 'steps_offset': 1
            TCDScheduler | 'set_alpha_to_one': false, 'timestep_scaling': 5.0, 'steps_offset': 1
            """)
    void an_option_that_changes_nothing_of_a_class_changes_nothing_here(String className, String fields)
            throws IOException {
        PipelineScheduler scheduler = read(className, fields);
        assertThat(scheduler.notes()).isEmpty();
        assertThat(scheduler.sampling()).isEqualTo(read(className, "").sampling());
    }

    private static void refused(PipelineScheduler scheduler, String part, String sentence) {
        assertThatThrownBy(() -> SamplingPlan.of(scheduler.process(), scheduler.sampling(), false))
                .isInstanceOfSatisfying(RetortException.class, e -> {
                    assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT);
                    assertThat(e.field()).isEqualTo(part);
                })
                .hasMessageContaining(sentence);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            DDIMScheduler | 'trained_betas': [0.1, 0.2] | trained_betas is [0.1,0.2], expected null
            PNDMScheduler | 'beta_end': 1.5 | beta_end is 1.5, expected above 0 and below 1
            DDIMScheduler | 'beta_start': 0 | beta_start is 0, expected above 0 and below 1
            DDIMScheduler | 'beta_start': '0.1' | beta_start is 0.1, expected a number
            DDIMScheduler | 'beta_schedule': 'sigmoid' | beta_schedule is sigmoid, expected linear
            DDPMScheduler | 'num_train_timesteps': 0 | num_train_timesteps is 0, expected between 1
            DDPMScheduler | 'num_train_timesteps': 900.5 | num_train_timesteps is 900.5, expected a whole number
            DDPMScheduler | 'num_train_timesteps': 1000000, 'beta_start': 0.02 | alphaBar
            DDPMScheduler | 'clip_sample': 'yes' | clip_sample is yes, expected true or false
            DDPMScheduler | 'clip_sample_range': -1 | clip_sample_range is -1, expected a positive number
            DDPMScheduler | 'thresholding': true, 'sample_max_value': 0.5 | sample_max_value is 0.5, expected at least 1
            DDIMScheduler | 'timestep_spacing': 'even' | timestep_spacing is even, expected leading, trailing or linspace
            DDIMScheduler | 'steps_offset': -1 | steps_offset is -1, expected at least 0
            DDIMScheduler | 'prediction_type': 'score' | prediction_type is score, expected epsilon
            DDIMScheduler | 'prediction_type': 'flow_prediction' | without use_flow_sigmas
            LCMScheduler | 'timestep_scaling': 0 | timestep_scaling is 0, expected a positive number
            EulerDiscreteScheduler | 'timestep_type': 'continuous' | timestep_type is continuous, expected discrete
            FlowMatchEulerDiscreteScheduler | 'invert_sigmas': true | invert_sigmas is true, expected false
            DDIMScheduler | 'snr_shift_scale': 3.0 | snr_shift_scale is 3.0, expected no such field
            EDMEulerScheduler | 'sigma_data': 0.5 | _class_name is EDMEulerScheduler, expected one of DDIMScheduler
            FooScheduler | 'clip_sample': false | _class_name is FooScheduler, expected one of
            DDPMScheduler | 'variance_type': 'large' | variance_type is large, expected one of fixed_small
            DPMSolverMultistepScheduler | 'final_sigmas_type': 'one' | final_sigmas_type is one, expected zero or sigma_min
            DPMSolverMultistepScheduler | 'algorithm_type': 'euler' | algorithm_type is euler, expected one of dpmsolver
            UniPCMultistepScheduler | 'solver_type': 'bh3' | solver_type is bh3, expected one of midpoint
            UniPCMultistepScheduler | 'solver_order': 0 | solver_order is 0, expected at least 1
            """)
    void what_cannot_be_followed_is_refused_by_name(String className, String fields, String sentence) {
        assertThatThrownBy(() -> read(className, fields))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                .hasMessageContaining("scheduler_config.json: ")
                .hasMessageContaining(sentence);
    }

    @Test
    void a_class_ignores_fields_that_it_does_not_know_as_the_library_does() throws IOException {
        assertThat(read("PNDMScheduler", "'clip_sample': true, 'thresholding': true")
                        .process()
                        .clamp())
                .isZero();
        assertThat(read("PNDMScheduler", "'rescale_betas_zero_snr': true")
                        .process()
                        .zeroTerminalSnr())
                .isFalse();
        assertThat(read("DDIMScheduler", "'an_option_of_tomorrow': false, 'another': null, '_name_or_path': 'x'")
                        .process())
                .isEqualTo(ProcessSpec.of("linear", Prediction.EPSILON, 1));
        assertThat(read("DDIMScheduler", "'predict_epsilon': false").process().prediction())
                .isEqualTo(Prediction.X0);
    }

    @Test
    void solvers_of_flow_models_are_read_as_flows() throws IOException {
        PipelineScheduler scheduler = read(
                "UniPCMultistepScheduler",
                "'use_flow_sigmas': true, 'flow_shift': 3.0, 'prediction_type': 'flow_prediction'");
        assertThat(scheduler.process()).isEqualTo(ProcessSpec.of("flow", Prediction.FLOW, 0));
        refused(scheduler, "solver", "of which flow-euler comes nearest");
    }

    @Test
    void the_consistency_scheduler_of_flows_has_the_times_of_its_siblings() throws IOException {
        PipelineScheduler scheduler = read("FlowMatchLCMScheduler", "'shift': 3.0");
        assertThat(scheduler.sampling().solver().text()).isEqualTo("lcm");
        assertThat(scheduler.sampling().grid())
                .isEqualTo(read("FlowMatchEulerDiscreteScheduler", "'shift': 3.0")
                        .sampling()
                        .grid());
    }

    @Test
    void the_index_names_the_class_where_the_scheduler_does_not_and_a_contradiction_is_said() throws IOException {
        Files.writeString(pipeline.resolve("model_index.json"), "{\"scheduler\": [\"diffusers\", \"PNDMScheduler\"]}");
        Path file = pipeline.resolve("scheduler/scheduler_config.json");
        assertThat(read("DDIMScheduler", "").notes())
                .anyMatch(note -> note.contains("model_index.json names PNDMScheduler"));
        Files.writeString(file, "{}");
        LibraryConfig index = LibraryConfig.read(pipeline.resolve("model_index.json"), "");
        assertThat(PipelineScheduler.of(pipeline, index)
                        .orElseThrow()
                        .sampling()
                        .solver()
                        .text())
                .isEqualTo("pndm:rungeKuttaStart=true");
        assertThatThrownBy(() -> PipelineScheduler.of(pipeline, LibraryConfig.none(file)))
                .hasMessageContaining("_class_name is missing, expected one of");
    }

    @Test
    void stable_diffusion_pipelines_correct_two_fields_and_others_do_not() throws IOException {
        Path index = pipeline.resolve("model_index.json");
        Files.writeString(index, "{\"_class_name\": \"StableDiffusionPipeline\"}");
        PipelineScheduler corrected = read("DDIMScheduler", "");
        assertThat(corrected.sampling().grid().text()).isEqualTo("leading:offset=1");
        assertThat(corrected.process().clamp()).isZero();
        assertThat(corrected.notes())
                .anyMatch(note -> note.contains("steps_offset is taken as 1"))
                .anyMatch(note -> note.contains("clip_sample is taken as false"));
        assertThat(read("PNDMScheduler", "'skip_prk_steps': true, 'steps_offset': 1")
                        .notes())
                .isEmpty();
        Files.writeString(index, "{\"_class_name\": \"StableDiffusionXLPipeline\"}");
        assertThat(read("DDIMScheduler", "").sampling().grid().text()).isEqualTo("leading");
    }

    @Test
    void a_scheduler_that_the_index_names_and_that_is_not_there_is_missed() throws IOException {
        Path file = pipeline.resolve("model_index.json");
        Files.writeString(file, "{\"scheduler\": [\"diffusers\", \"DDIMScheduler\"]}");
        LibraryConfig index = LibraryConfig.read(file, "");
        assertThatThrownBy(() -> PipelineScheduler.of(pipeline, index))
                .hasMessageContaining("scheduler_config.json is missing")
                .hasMessageContaining("noise, v or sample");
    }

    private static String line(String schedule, double start, double end) {
        return schedule.endsWith("linear") ? schedule + ":betaStart=" + start + ",betaEnd=" + end : schedule;
    }
}
