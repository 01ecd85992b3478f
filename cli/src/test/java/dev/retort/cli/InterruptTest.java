package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class InterruptTest {
    /** A command in a process of its own: works until it is told to stop, then saves. */
    static final class Work {
        private Work() {}

        public static void main(String[] args) throws InterruptedException {
            Interrupt interrupt = Interrupt.listen(Terminal.ofProcess());
            System.out.println("working");
            while (!interrupt.getAsBoolean()) {
                Thread.sleep(5);
            }
            Thread.sleep(300);
            System.out.println("saved");
            Interrupt.finished();
            System.exit(0);
        }
    }

    @Test
    void a_process_asked_to_stop_saves_before_it_goes() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = new ProcessBuilder(java, "-cp", System.getProperty("java.class.path"), Work.class.getName())
                .redirectError(ProcessBuilder.Redirect.PIPE)
                .start();
        try (BufferedReader out = process.inputReader()) {
            assertThat(out.readLine()).isEqualTo("working");
            process.toHandle().destroy(); // Process.destroy closes the streams too
            assertThat(out.readLine()).isEqualTo("saved");
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as("128 + SIGTERM").isEqualTo(143);
            assertThat(new String(process.getErrorStream().readAllBytes())).contains("Stopping after this step");
        } finally {
            process.destroyForcibly();
        }
    }
}
