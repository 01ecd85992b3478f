package dev.retort.card;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.config.Configs;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.Prediction;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProcessSpecTest {
    @TempDir
    Path temp;

    private ProcessSpec read(String fields) throws Exception {
        Path file = Files.writeString(temp.resolve("process.yaml"), "process: {" + fields + "}");
        return Configs.part(ProcessSpec.class, file, "process").orElseThrow();
    }

    /** As files and cards of formats 1 and 2 say it: every field for every schedule. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            flow           | 1000 | 0       | 0     | false | flow
            flow           | 1    | 0       | 0     | false | flow:steps=1
            linear         | 1000 | 0.0001  | 0.02  | false | linear
            linear         | 500  | 1.0E-4  | 0.03  | true  | linear:steps=500,betaEnd=0.03,zeroTerminalSnr=true
            scaled-linear  | 1000 | 0.00085 | 0.012 | false | scaled-linear
            cosine         | 1000 | 0.0001  | 0.02  | true  | cosine:zeroTerminalSnr=true
            karras         | 1    | 0       | 0     | false | karras
            cosine-log-snr | 1    | 0       | 0     | false | cosine-log-snr
            trig-flow      | 1    | 0       | 0     | false | trig-flow
            """)
    void settings_that_stood_beside_the_name_become_its_options(
            String schedule, int steps, String start, String end, boolean rescaled, String line) throws Exception {
        ProcessSpec once = read("schedule: " + schedule + ", steps: " + steps + ", betaStart: " + start + ", betaEnd: "
                + end + ", zeroTerminalSnr: " + rescaled + ", prediction: epsilon, clamp: 1");
        assertThat(once.schedule().text()).isEqualTo(line);
        assertThat(once).isEqualTo(ProcessSpec.of(line, Prediction.EPSILON, 1));
        assertThat(read("schedule: '" + line + "', prediction: epsilon, clamp: 1"))
                .isEqualTo(once);
        assertThat(once.zeroTerminalSnr()).isEqualTo(rescaled);
    }

    @Test
    void a_schedule_has_the_values_that_its_options_say() {
        assertThat(ProcessSpec.of("linear:steps=10,betaStart=0.1,betaEnd=0.3", Prediction.V, 0)
                        .noiseSchedule()
                        .hash())
                .isEqualTo(DiscreteSchedule.linear(10, 0.1, 0.3).hash());
        assertThat(ProcessSpec.of("cosine:zeroTerminalSnr=true", Prediction.V, 0)
                        .noiseSchedule()
                        .hash())
                .isEqualTo(DiscreteSchedule.cosine(1000).withZeroTerminalSnr().hash());
    }

    @Test
    void a_setting_that_a_schedule_has_not_and_one_out_of_range_are_refused() {
        assertThatThrownBy(() -> read("schedule: 'flow:betaEnd=0.1', prediction: flow, clamp: 1"))
                .hasMessageContaining("flow has no option 'betaEnd'");
        assertThatThrownBy(() -> read("schedule: linear, betaEnd: 2, prediction: flow, clamp: 1"))
                .hasMessageContaining("betaEnd is 2, expected above 0 and below 1");
        assertThatThrownBy(() -> read("betaEnd: 0.3, prediction: flow, clamp: 1"))
                .hasMessageContaining("schedule is missing, expected one line that opens with one of");
    }
}
