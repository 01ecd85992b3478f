package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Child;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.run.RunFolder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is left of a run whose process was killed, whose disk was full, whose files were damaged. */
class KilledSaveTest {
    private static final int KILLS = 4;

    @TempDir
    Path temp;

    /** A checkpoint after every step: most of the run's time is spent saving. */
    private static TrainConfig config() {
        return Altered.with(TrainerTest.tiny(400, 1e-3, 8), new LogConfig(16, 0, 1, 8));
    }

    /** Trains in the folder given; prints every step, and the one sentence of a failure. */
    public static void main(String[] arguments) {
        try {
            Training.run(
                    config(),
                    Path.of(arguments[0]),
                    Map.of(),
                    note -> {},
                    (done, total, text) -> System.out.println("step " + done),
                    () -> false);
        } catch (RetortException e) {
            System.out.println(e.kind() + " " + e.getMessage());
        }
    }

    private static void train(Path run) {
        Training.run(config(), run, Map.of(), note -> {}, (d, t, s) -> {}, () -> false);
    }

    @Test
    void a_run_killed_again_and_again_ends_with_the_weights_of_one_never_stopped() throws Exception {
        Path killed = temp.resolve("killed");
        Random random = new Random();
        for (int i = 0; i < KILLS; i++) {
            try (Child child = Child.start(KilledSaveTest.class, List.of(), Map.of(), killed.toString())) {
                String line = child.line();
                while (line != null && !line.startsWith("step ")) {
                    line = child.line();
                }
                assertThat(line).isNotNull().isNotEqualTo("step 400");
                for (int steps = random.nextInt(6); steps > 0; steps--) {
                    child.line();
                }
                Thread.sleep(random.nextInt(40));
                child.kill();
            }
        }
        List<Path> saved = new RunFolder(killed).list();
        assertThat(saved).as("checkpoints to resume from").isNotEmpty();
        assertThat(killed.resolve("model")).doesNotExist();
        train(killed);
        train(temp.resolve("straight"));
        for (String file : List.of("model/model.safetensors", "checkpoints/000000000400/training.safetensors")) {
            assertThat(Files.mismatch(
                            killed.resolve(file), temp.resolve("straight").resolve(file)))
                    .as(file)
                    .isEqualTo(-1);
        }
        try (var left = Files.walk(killed)) {
            assertThat(left.map(path -> path.getFileName().toString())).noneMatch(name -> name.contains(".retort-"));
        }
    }

    @Test
    void a_full_disk_ends_the_run_with_one_sentence_and_the_old_checkpoint_is_intact() throws Exception {
        Path run = temp.resolve("run");
        assertThatThrownBy(() -> Training.run(config(), run, Map.of(), n -> {}, (d, t, s) -> {}, () -> true))
                .hasMessageContaining("the same command resumes");
        List<Path> before = new RunFolder(run).list();
        byte[] whole = Files.readAllBytes(before.get(before.size() - 1).resolve("training.safetensors"));
        // No file may exceed 64 blocks: the log still fits, the weights do not.
        try (Child child =
                Child.limited("ulimit -f 64", KilledSaveTest.class, List.of("-XX:-UsePerfData"), run.toString())) {
            List<String> lines = child.finish();
            String last = lines.get(lines.size() - 1);
            assertThat(last).startsWith("WRITE cannot write ").contains("File too large", "untouched");
        }
        assertThat(new RunFolder(run).list()).isEqualTo(before);
        assertThat(Files.readAllBytes(before.get(before.size() - 1).resolve("training.safetensors")))
                .isEqualTo(whole);
        try (var left = Files.list(run.resolve("checkpoints"))) {
            assertThat(left).hasSameSizeAs(before);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"training.safetensors", "model.safetensors", "state.json"})
    void a_truncated_checkpoint_is_refused_with_its_name(String file) throws IOException {
        Path run = temp.resolve("run");
        assertThatThrownBy(() -> Training.run(config(), run, Map.of(), n -> {}, (d, t, s) -> {}, () -> true))
                .hasMessageContaining("the same command resumes");
        Path damaged = new RunFolder(run).list().get(0).resolve(file);
        try (FileChannel channel = FileChannel.open(damaged, StandardOpenOption.WRITE)) {
            channel.truncate(Files.size(damaged) / 2);
        }
        assertThatThrownBy(() -> train(run)).isInstanceOfSatisfying(RetortException.class, e -> {
            assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT);
            assertThat(e.getMessage()).contains(damaged.toString()).doesNotContain("\n");
        });
    }
}
