package dev.retort.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class CpuTest {
    private static List<String> core(int socket, int core, String flags) {
        return List.of("processor\t: 0", "physical id\t: " + socket, "core id\t\t: " + core, "flags\t\t: fpu " + flags);
    }

    private static Cpu of(List<List<String>> processors) {
        return Cpu.parse("amd64", processors.stream().flatMap(List::stream).toList());
    }

    @Test
    void two_hardware_threads_of_a_core_count_as_one_and_cores_of_two_sockets_as_two() {
        Cpu cpu = of(List.of(core(0, 0, ""), core(0, 0, ""), core(1, 0, ""), core(1, 0, "")));
        assertThat(cpu.cores()).isEqualTo(2);
        assertThat(cpu.threads(4)).isEqualTo(2);
    }

    @Test
    void a_containers_limit_counts_where_it_is_below_the_cores_of_the_host() {
        Cpu host = of(List.of(core(0, 0, ""), core(0, 1, ""), core(0, 2, ""), core(0, 3, "")));
        assertThat(host.threads(2)).isEqualTo(2);
    }

    @Test
    void where_nothing_is_said_of_cores_the_jvm_is_believed() {
        Cpu arm = Cpu.parse("aarch64", List.of("processor : 0", "Features : fp asimd asimddp"));
        assertThat(arm.threads(8)).isEqualTo(8);
        assertThat(arm.known()).isTrue();
        assertThat(Cpu.parse("amd64", List.of()).known()).isFalse();
    }

    @Test
    void sums_of_eight_bits_are_exact_with_vnni_and_on_arm() {
        assertThat(of(List.of(core(0, 0, "avx2"))).exactEightBits()).isFalse();
        assertThat(of(List.of(core(0, 0, "avx2 avx_vnni"))).exactEightBits()).isTrue();
        assertThat(of(List.of(core(0, 0, "avx512f avx512_vnni"))).exactEightBits())
                .isTrue();
        assertThat(Cpu.parse("arm", List.of("Features : fp asimd")).exactEightBits())
                .isTrue();
        assertThat(Cpu.parse("aarch64", List.of()).exactEightBits()).isTrue();
        assertThat(Cpu.parse("amd64", List.of()).exactEightBits()).isFalse();
    }
}
