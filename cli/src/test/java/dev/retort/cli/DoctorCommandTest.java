package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class DoctorCommandTest {
    @Test
    void it_looks_at_everything_and_has_a_fix_for_whatever_is_not_good() {
        JsonNode findings =
                new JsonMapper().readTree(Ran.retort("doctor", "--json").out());
        assertThat(findings.valueStream().map(finding -> finding.get("subject").asString()))
                .containsExactly(
                        "Java",
                        "System",
                        "File names",
                        "CPU",
                        "Memory",
                        "GPU",
                        "Other libtorch",
                        "Cache",
                        "Natives",
                        "BLAS",
                        "Kernels");
        assertThat(findings.valueStream())
                .allMatch(finding -> finding.get("state").asString().equals("GOOD")
                        == finding.get("fix").asString().isEmpty());
    }

    @Test
    void to_a_person_it_says_one_line_for_each_with_a_mark() {
        Ran ran = Ran.retort("doctor");
        assertThat(ran.out().lines().filter(line -> !line.startsWith("  ")))
                .hasSize(11)
                .allMatch(line -> line.matches("[✓!✗] .+"));
        assertThat(ran.out()).contains("products by ").containsPattern("GFLOP/s  block 384 x 384 x 1536 \\w+");
    }

    @Test
    void it_times_the_kernels_anew_when_asked() {
        assertThat(Ran.retort("doctor", "--probe").out()).containsPattern("Kernels +products by .*\\(measured in ");
        assertThat(Ran.retort("doctor").out()).containsPattern("Kernels +products by .*\\(measured in ");
    }

    @Test
    void libraries_that_never_finish_loading_hold_it_up_for_four_seconds_at_most() {
        long start = System.nanoTime();
        assertThat(DoctorCommand.inTime("Natives", 4, () -> {
                            Thread.sleep(60_000);
                            return "";
                        })
                        .fix())
                .contains("run it again");
        assertThat((System.nanoTime() - start) / 1e9).isBetween(3.9, 4.9);
    }
}
