package dev.retort.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.diffusion.Prediction;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.sample.Draw;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

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
    @CsvSource({
        // defaults as the library's constructors have them
        "DDIMScheduler, linear, 0.0001, 0.02, 1, ddim, 50, 4",
        "DDPMScheduler, linear, 0.0001, 0.02, 1, ddpm, 50, 4",
        "PNDMScheduler, linear, 0.0001, 0.02, 0, pndm, 50, 4",
        "EulerDiscreteScheduler, linear, 0.0001, 0.02, 0, euler, 50, 4",
        "EulerAncestralDiscreteScheduler, linear, 0.0001, 0.02, 0, euler-ancestral, 50, 4",
        "HeunDiscreteScheduler, linear, 0.00085, 0.012, 0, heun, 50, 4",
        "DPMSolverMultistepScheduler, linear, 0.0001, 0.02, 0, dpmpp-2m, 50, 4",
        "UniPCMultistepScheduler, linear, 0.0001, 0.02, 0, unipc, 50, 4",
        "LCMScheduler, scaled-linear, 0.00085, 0.012, 0, lcm, 4, 1",
        "TCDScheduler, scaled-linear, 0.00085, 0.012, 0, tcd, 4, 1",
        "FlowMatchEulerDiscreteScheduler, flow, 0, 0, 0, flow-euler, 50, 4",
        "FlowMatchHeunDiscreteScheduler, flow, 0, 0, 0, flow-heun, 50, 4"
    })
    void a_field_that_is_left_out_means_what_its_class_means_by_it(
            String className,
            String schedule,
            double start,
            double end,
            double clamp,
            String solver,
            int steps,
            double guidance)
            throws IOException {
        PipelineScheduler scheduler = read(className, "");
        Prediction prediction = schedule.equals("flow") ? Prediction.FLOW : Prediction.EPSILON;
        assertThat(scheduler.process())
                .isEqualTo(new ProcessSpec(schedule, 1000, start, end, false, prediction, clamp));
        assertThat(scheduler.sampling()).isEqualTo(SamplingSpec.of(solver, steps, guidance));
    }

    @ParameterizedTest
    @EnumSource(SchedulerClass.class)
    void every_class_that_is_followed_can_be_drawn_from(SchedulerClass known) throws IOException {
        PipelineScheduler scheduler = read(known.className(), "'clip_sample': false");
        assertThat(SamplingPlan.of(scheduler.process().process(), scheduler.sampling(), false)
                        .steps())
                .isNotEmpty();
        assertThat(scheduler.process().clamp()).isZero();
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
            DDPMScheduler | 'thresholding': true | thresholding is true, expected false
            DPMSolverMultistepScheduler | 'thresholding': true | thresholding is true, expected false
            DDIMScheduler | 'prediction_type': 'score' | prediction_type is score, expected epsilon
            DDIMScheduler | 'prediction_type': 'flow_prediction' | without use_flow_sigmas
            LCMScheduler | 'timestep_scaling': 5.0 | timestep_scaling is 5.0, expected 10
            EulerDiscreteScheduler | 'timestep_type': 'continuous' | timestep_type is continuous, expected discrete
            FlowMatchEulerDiscreteScheduler | 'invert_sigmas': true | invert_sigmas is true, expected false
            DDIMScheduler | 'snr_shift_scale': 3.0 | snr_shift_scale is 3.0, expected no such field
            EDMEulerScheduler | 'sigma_data': 0.5 | _class_name is EDMEulerScheduler, expected one of DDIMScheduler
            FooScheduler | 'clip_sample': false | _class_name is FooScheduler, expected one of
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
                .isEqualTo(new ProcessSpec("linear", 1000, 1e-4, 0.02, false, Prediction.EPSILON, 1));
        assertThat(read("DDIMScheduler", "'predict_epsilon': false").process().prediction())
                .isEqualTo(Prediction.X0);
    }

    @Test
    void solvers_of_flow_models_are_read_as_flows() throws IOException {
        PipelineScheduler scheduler = read(
                "UniPCMultistepScheduler",
                "'use_flow_sigmas': true, 'flow_shift': 3.0, 'prediction_type': 'flow_prediction'");
        assertThat(scheduler.process()).isEqualTo(new ProcessSpec("flow", 1000, 0, 0, false, Prediction.FLOW, 0));
        assertThat(scheduler.notes())
                .anyMatch(note -> note.contains("flow_shift 3.0"))
                .anyMatch(note -> note.contains("draws with flow-euler"));
    }

    @Test
    void what_is_drawn_otherwise_than_by_the_library_is_said() throws IOException {
        assertThat(read("DDIMScheduler", "'clip_sample': false, 'timestep_spacing': 'trailing'")
                        .notes())
                .isEmpty();
        assertThat(read("EulerDiscreteScheduler", "'use_karras_sigmas': true, 'timestep_spacing': 'leading'")
                        .notes())
                .singleElement()
                .asString()
                .contains("not followed of the scheduler: timestep_spacing leading, use_karras_sigmas true");
        assertThat(read("KDPM2DiscreteScheduler", "").notes())
                .anyMatch(note -> note.equals("KDPM2DiscreteScheduler is not built here; draws with heun"));
        PipelineScheduler rescaled =
                read("EulerDiscreteScheduler", "'rescale_betas_zero_snr': true, 'prediction_type': 'v_prediction'");
        assertThat(rescaled.sampling().solver().text()).isEqualTo("ddim");
        assertThat(SamplingPlan.of(rescaled.process().process(), rescaled.sampling(), false)
                        .steps())
                .isNotEmpty();
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
                .isEqualTo("pndm");
        assertThatThrownBy(() -> PipelineScheduler.of(pipeline, LibraryConfig.none(file)))
                .hasMessageContaining("_class_name is missing, expected one of");
    }
}
