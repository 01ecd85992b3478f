package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class AtomicWriteKillTest {
    @TempDir
    Path folder;

    @Test
    void a_process_killed_at_any_moment_leaves_a_whole_checkpoint() throws IOException, InterruptedException {
        SplittableRandom random = new SplittableRandom(1);
        Path checkpoint = folder.resolve("last");
        for (int round = 0; round < 6; round++) {
            Process writer = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-cp",
                            System.getProperty("java.class.path"),
                            Endless.class.getName(),
                            checkpoint.toString())
                    .redirectErrorStream(true)
                    .start();
            assertThat(writer.getInputStream().read()).as("first save done").isEqualTo('!');
            TimeUnit.MICROSECONDS.sleep(random.nextInt(60_000));
            writer.destroyForcibly().waitFor();
            AtomicWrite.recover(folder);
            byte[] weights = Files.readAllBytes(checkpoint.resolve("weights"));
            assertThat(weights).hasSize(Endless.BYTES);
            assertThat(Files.readString(checkpoint.resolve("number"))).isEqualTo(Integer.toString(weights[0]));
            assertThat(weights[Endless.BYTES - 1]).isEqualTo(weights[0]);
            assertThat(folder.toFile().list()).containsExactly("last");
        }
    }

    /** Replaces one folder of two files that belong together, again and again. */
    static final class Endless {
        static final int BYTES = 1 << 20;
        private static final OwnFiles FILES = new OwnFiles("a pair", "number", Pattern.compile("weights|number"));

        private Endless() {}

        public static void main(String[] args) {
            for (int number = 0; ; number = (number + 1) % 100) {
                byte[] weights = new byte[BYTES];
                Arrays.fill(weights, (byte) number);
                String text = Integer.toString(number);
                AtomicWrite.folder(Path.of(args[0]), FILES, into -> {
                    Files.write(into.resolve("weights"), weights);
                    Files.writeString(into.resolve("number"), text);
                });
                System.out.print('!');
                System.out.flush();
            }
        }
    }
}
