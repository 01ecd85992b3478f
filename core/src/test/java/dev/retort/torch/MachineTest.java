package dev.retort.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MachineTest {
    /** Two sockets of two cores of two hardware threads, processors numbered as Linux does: second threads last. */
    private static List<String> twoSockets() {
        List<String> lines = new ArrayList<>();
        for (int processor = 0; processor < 8; processor++) {
            lines.add("processor\t: " + processor);
            lines.add("model name\t: Some CPU @ 2.00GHz");
            lines.add("physical id\t: " + processor / 2 % 2);
            lines.add("core id\t\t: " + processor % 2);
            lines.add("flags\t\t: fpu avx2  fma       avx2 bmi2");
            lines.add("");
        }
        return lines;
    }

    private static int cores(String allowed, int processors) {
        return Machine.of(twoSockets(), List.of(), List.of("Name:\tjava", "Cpus_allowed_list:\t" + allowed), processors)
                .cores();
    }

    @Test
    void flags_may_be_far_apart_or_twice_there() {
        Machine machine = Machine.of(twoSockets(), List.of("MemTotal:       24 kB"), List.of(), 8);
        assertThat(machine.flags()).containsExactlyInAnyOrder("fpu", "avx2", "fma", "bmi2");
        assertThat(machine.cpu()).isEqualTo("Some CPU @ 2.00GHz");
        assertThat(machine.memoryBytes()).isEqualTo(24 * 1024);
    }

    @Test
    void what_onednn_may_not_use_counts_as_missing() {
        Machine machine = new Machine("", Set.of("avx2", "avx512f", "avx512_bf16", "amx_bf16"), 2, 0);
        assertThat(machine.cappedTo("AVX2").flags()).containsExactly("avx2");
        assertThat(machine.cappedTo("avx2_vnni").flags()).containsExactly("avx2");
        assertThat(machine.cappedTo("AVX512_CORE")).isEqualTo(machine);
        assertThat(machine.cappedTo(null)).isEqualTo(machine);
    }

    @Test
    void a_core_counts_once_however_many_threads_it_has() {
        assertThat(cores("0-7", 8)).isEqualTo(4);
        assertThat(cores("0,4", 2)).isEqualTo(1); // both threads of one core
        assertThat(cores("0-1", 2)).isEqualTo(2);
    }

    @Test
    void one_allowed_processor_and_a_containers_quota_are_respected() {
        assertThat(cores("3", 1)).isEqualTo(1);
        assertThat(cores("0-7", 2)).isEqualTo(2);
    }

    @Test
    void where_the_kernel_tells_no_topology_the_jvm_counts() {
        assertThat(Machine.of(List.of("processor : 0", "processor : 1"), List.of(), List.of(), 2)
                        .cores())
                .isEqualTo(2);
        assertThat(Machine.of(List.of(), List.of(), List.of(), 3).cores()).isEqualTo(3);
    }
}
