package dev.retort.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.SineModel;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TrainedFor;
import dev.retort.data.Prompts;
import dev.retort.data.Trajectories;
import dev.retort.data.TrajectoryFolder;
import dev.retort.data.TrajectoryManifest;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Denoiser;
import dev.retort.model.Weights;
import dev.retort.model.dit.Dit;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrajectoryRecordingTest {
    private static final int SIZE = 4 * 8 * 8;
    private static final ProcessSpec FLOW = ProcessSpec.of("flow", Prediction.FLOW, 0);
    private static final ProcessSpec NOISE = ProcessSpec.of("linear", Prediction.EPSILON, 0);
    private static final SamplingSpec HEUN = SamplingSpec.of("flow-heun", 4, 2);

    @TempDir
    private Path temp;

    private Path teacher(String name, ProcessSpec process) {
        return teacher(name, process, TrainedFor.ANY);
    }

    private Path teacher(String name, ProcessSpec process, TrainedFor trained) {
        Path folder = temp.resolve(name);
        List<String> classes = IntStream.range(0, 10).mapToObj(i -> "c" + i).toList();
        try (Scope scope = Scope.open();
                Dit dit = SineModel.create()) {
            ModelCard card = ModelCard.of(dit.spec(), process, HEUN, classes, "shapes", 0, 1, "", Map.of())
                    .withTrainedFor(trained);
            Map<String, Tensor> weights = dit.state();
            ModelFiles.save(folder, card, Weights.writer(weights, Dtype.F32));
        }
        return folder;
    }

    private static TrajectoryRecording recording(Path teacher, SamplingSpec sampling, long seed, int count) {
        return new TrajectoryRecording(teacher, "a teacher", sampling, seed, count, 5, 3, Device.CPU);
    }

    private Trajectories record(Path teacher, SamplingSpec sampling, long seed, int count, String name) {
        recording(teacher, sampling, seed, count)
                .run(temp.resolve(name), Map.of("by", "a test"), note -> {}, (d, t, s) -> {}, () -> false);
        return Trajectories.open(temp.resolve(name));
    }

    private static float[] read(Trajectories trajectories, int trajectory, int state) {
        float[] values = new float[SIZE + 1];
        trajectories.read(trajectory, state, values, 1);
        return Arrays.copyOfRange(values, 1, SIZE + 1);
    }

    @Test
    void it_goes_from_the_noise_of_its_address_to_the_picture_that_sampling_draws_there() {
        Path teacher = teacher("teacher", FLOW);
        Trajectories trajectories = record(teacher, HEUN, 7, 13, "cache");
        assertThat(trajectories.size()).isEqualTo(13);
        assertThat(trajectories.states()).isEqualTo(5);
        int[] labels = IntStream.range(0, 13).map(trajectories::label).toArray();
        assertThat(labels).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2);
        float[] drawn = new float[13 * SIZE];
        try (Pipeline<Denoiser> model = Models.open(teacher, Device.CPU, Precision.FP32)) {
            Sampler sampler = Sampling.sampler(model.network(), model.card(), HEUN, Precision.FP32);
            new SampleJob(sampler, 7, 8)
                    .sample(
                            new Prompts.Labels(labels),
                            (d, t, s) -> {},
                            (first, pixels, n) -> System.arraycopy(pixels, 0, drawn, first * SIZE, n * SIZE));
        }
        for (int i = 0; i < 13; i++) {
            float[] noise = new float[SIZE];
            Rng.at(7, Purpose.SAMPLE_START, 0, i).fillGaussian(noise);
            assertThat(read(trajectories, i, 0)).containsExactly(noise, within(2e-3f));
            float[] picture = Arrays.copyOfRange(drawn, i * SIZE, (i + 1) * SIZE);
            assertThat(read(trajectories, i, 4)).containsExactly(picture, within(2e-3f));
            assertThat(read(trajectories, i, 0)).isNotEqualTo(picture);
        }
    }

    @Test
    void of_a_solver_with_several_calls_a_step_only_the_states_at_the_grids_points_are_kept() {
        Path teacher = teacher("teacher", FLOW);
        Trajectories heun = record(teacher, SamplingSpec.of("flow-heun", 2, 2), 7, 2, "heun");
        Trajectories euler = record(teacher, SamplingSpec.of("flow-euler", 2, 2), 7, 2, "euler");
        assertThat(heun.manifest().times()).containsExactly(1000.0, 500.0, 0.0);
        float[] noise = read(heun, 1, 0);
        float[] trial = read(euler, 1, 1); // what Heun's second call is asked about
        float[] tried = read(euler, 1, 2); // trial - u/2, u the answer to that call
        float[] middle = read(heun, 1, 1); // the step with the mean of both answers: (noise + tried) / 2
        float[] expected = new float[SIZE];
        for (int i = 0; i < SIZE; i++) {
            expected[i] = (noise[i] + tried[i]) / 2;
        }
        assertThat(middle).containsExactly(expected, within(4e-3f)).isNotEqualTo(trial);
    }

    /** Both are the first-order rule on the same ODE, in different coordinates, with all but the same start. */
    @Test
    void states_are_in_the_coordinates_of_the_process_whatever_the_solver_works_in() {
        Path teacher = teacher("teacher", NOISE);
        Trajectories ddim = record(teacher, SamplingSpec.of("ddim", 4, 2), 3, 2, "ddim");
        Trajectories euler = record(teacher, SamplingSpec.of("euler", 4, 2), 3, 2, "euler");
        for (int state = 0; state < 5; state++) {
            float[] expected = read(ddim, 1, state);
            float largest = 0;
            for (float value : expected) {
                largest = Math.max(largest, Math.abs(value));
            }
            assertThat(read(euler, 1, state)).containsExactly(expected, within(2e-3f * largest));
        }
        assertThat(ddim.manifest().times()).containsExactly(999.0, 749.0, 499.0, 249.0, -1.0);
    }

    @Test
    void a_stopped_recording_goes_on_and_ends_as_one_never_stopped() throws Exception {
        Path teacher = teacher("teacher", FLOW);
        record(teacher, HEUN, 1, 12, "straight");
        AtomicInteger polls = new AtomicInteger();
        refused(
                () -> recording(teacher, HEUN, 1, 12)
                        .run(
                                temp.resolve("stopped"),
                                Map.of(),
                                note -> {},
                                (d, t, s) -> {},
                                () -> polls.incrementAndGet() == 4),
                Kind.INTERRUPTED,
                "1 of 3 files are written");
        refused(
                () -> Trajectories.open(temp.resolve("stopped")),
                Kind.DATA,
                "trajectories-00001-of-00003.safetensors is missing",
                "retort trajectories");
        List<String> notes = new ArrayList<>();
        Path moved = Files.move(teacher, temp.resolve("moved"));
        recording(moved, HEUN, 1, 12).run(temp.resolve("stopped"), Map.of(), notes::add, (d, t, s) -> {}, () -> false);
        assertThat(notes).anyMatch(note -> note.contains("14 network calls"));
        assertThat(notes).contains("resuming: 1 of 3 files are there");
        for (int i = 0; i < 3; i++) {
            String name = "trajectories-0000" + i + "-of-00003.safetensors";
            assertThat(Files.mismatch(
                            temp.resolve("straight").resolve(name),
                            temp.resolve("stopped").resolve(name)))
                    .as(name)
                    .isEqualTo(-1);
        }
    }

    @Test
    void a_manifest_is_read_as_it_was_written() {
        Path teacher = teacher("teacher", FLOW);
        TrajectoryManifest written = recording(teacher, HEUN, -3, 2)
                .run(temp.resolve("cache"), Map.of("by", "a test"), note -> {}, (d, t, s) -> {}, () -> false);
        TrajectoryManifest read = new TrajectoryFolder(temp.resolve("cache")).manifest();
        assertThat(read).isEqualTo(written);
        assertThat(read.teacherSha256()).isEqualTo(ModelFiles.sha256(teacher));
        assertThat(read.teacher()).isEqualTo("a teacher");
        assertThat(read.sampling()).isEqualTo(HEUN);
        assertThat(read.process()).isEqualTo(FLOW);
        assertThat(read.times()).containsExactly(1000.0, 750.0, 500.0, 250.0, 0.0);
        assertThat(List.of(read.channels(), read.height(), read.width())).containsExactly(4, 8, 8);
    }

    @Test
    void trajectories_of_other_settings_are_not_mixed_and_the_fields_that_differ_are_named() {
        Path teacher = teacher("teacher", FLOW);
        record(teacher, HEUN, 1, 6, "cache");
        refused(
                () -> record(teacher, HEUN, 2, 6, "cache"),
                Kind.DATA,
                "seed is 1 there, 2 here",
                "choose another folder");
        refused(() -> record(teacher, HEUN, 1, 7, "cache"), Kind.DATA, "count is 6 there, 7 here");
        refused(
                () -> record(teacher, SamplingSpec.of("flow-euler", 4, 3), 1, 6, "cache"),
                Kind.DATA,
                "sampling.solver is \"flow-heun\" there, \"flow-euler\" here",
                "sampling.guidanceScale is 2.0 there, 3.0 here");
        Path other = teacher("other", NOISE);
        assertThat(ModelFiles.sha256(other)).isEqualTo(ModelFiles.sha256(teacher));
        refused(
                () -> record(other, SamplingSpec.of("ddim", 4, 2), 1, 6, "cache"),
                Kind.DATA,
                "process.prediction is \"flow\" there");
        record(teacher, HEUN, 1, 6, "cache");
    }

    @Test
    void a_damaged_or_foreign_file_is_named() throws Exception {
        Path teacher = teacher("teacher", FLOW);
        record(teacher, HEUN, 1, 12, "cache");
        Path shard = temp.resolve("cache/trajectories-00001-of-00003.safetensors");
        byte[] bytes = Files.readAllBytes(shard);
        Files.write(shard, Arrays.copyOf(bytes, bytes.length - 7));
        refused(() -> Trajectories.open(temp.resolve("cache")), Kind.CHECKPOINT, "trajectories-00001-of-00003");
        Files.copy(
                temp.resolve("cache/trajectories-00002-of-00003.safetensors"),
                shard,
                StandardCopyOption.REPLACE_EXISTING);
        refused(
                () -> Trajectories.open(temp.resolve("cache")),
                Kind.DATA,
                "trajectories-00001-of-00003.safetensors does not belong",
                "'states' as F16 of [5, 5, 4, 8, 8]");
        refused(() -> Trajectories.open(teacher), Kind.DATA, "is not a cache of trajectories");
    }

    @Test
    void what_has_no_trajectory_is_refused_before_anything_is_written() {
        Path noise = teacher("noise", NOISE);
        refused(
                () -> record(noise, SamplingSpec.of("ddpm", 4, 2), 1, 2, "never"),
                Kind.USAGE,
                "the solver ddpm adds noise");
        refused(() -> record(noise, SamplingSpec.of("flow-heun", 4, 2), 1, 2, "never"), Kind.CHECKPOINT, "flow");
        refused(
                () -> new TrajectoryRecording(
                                noise, "", SamplingSpec.of("ddim", 4, 2), 0, 2_000_000, 1_000_000, 1, Device.CPU)
                        .run(temp.resolve("never"), Map.of(), note -> {}, (d, t, s) -> {}, () -> false),
                Kind.CONFIG,
                "shardTrajectories is 1000000, expected between 1 and 838860");
        assertThat(temp.resolve("never")).doesNotExist();
    }

    @Test
    void a_teacher_that_was_itself_distilled_is_walked_in_its_own_steps_alone() {
        Path few = teacher("few", FLOW, TrainedFor.steps(4, HEUN, 1));
        refused(
                () -> record(few, HEUN.withSteps(16), 1, 2, "never"),
                Kind.USAGE,
                "steps is 16, but the model was trained for 4 steps alone");
        assertThat(record(few, HEUN, 1, 2, "own").states()).isEqualTo(5);
        SamplingSpec once = SamplingSpec.of("lcm", 1, 1);
        Path jumps = teacher("jumps", FLOW, TrainedFor.jumps(once, 1));
        refused(
                () -> record(jumps, once, 1, 2, "never"),
                Kind.USAGE,
                "a teacher was itself distilled, to any number of steps of lcm, and has no ODE that could be walked");
        assertThat(temp.resolve("never/trajectories.json")).doesNotExist();
    }

    /** As a cache was described before: nothing of texts, and at first nothing of the noise's temperature. */
    @Test
    void manifests_of_formats_1_and_2_go_on() throws Exception {
        Path teacher = teacher("teacher", FLOW);
        Path file = temp.resolve("cache/trajectories.json");
        for (int format : new int[] {2, 1}) {
            record(teacher, HEUN, 1, 6, "cache");
            String text = Files.readString(file)
                    .replace("\"format\" : 3", "\"format\" : " + format)
                    .replaceAll("\\s*\"texts\" : null,", "");
            Files.writeString(file, format == 1 ? text.replaceAll(",\\s*\"temperature\" : 1.0", "") : text);
            assertThat(Files.readString(file)).doesNotContain("texts").contains("\"format\" : " + format);
            record(teacher, HEUN, 1, 6, "cache");
            TrajectoryManifest read = new TrajectoryFolder(temp.resolve("cache")).manifest();
            assertThat(read.sampling()).isEqualTo(HEUN);
            assertThat(read.texts()).isEmpty();
            assertThat(Files.readString(file)).contains("\"format\" : 3");
        }
    }

    private static void refused(Runnable action, Kind kind, String... words) {
        assertThatThrownBy(action::run)
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(kind))
                .message()
                .contains(words);
    }
}
