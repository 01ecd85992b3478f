package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.torch.Kernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelRecordTest {
    @TempDir
    Path run;

    private Kernels before;

    @BeforeEach
    void remember() {
        before = Kernels.current();
    }

    @AfterEach
    void restore() {
        Kernels.use(before, "restored");
    }

    @Test
    void a_run_that_goes_on_takes_the_kernels_it_began_with() {
        Kernels begun = Kernels.parse("linear=shared,attention=fused");
        Kernels.use(begun, "tested");
        assertThat(KernelRecord.settle(run)).isEmpty();
        Kernels.use(Kernels.parse("linear=shared,attention=plain"), "measured otherwise since");
        assertThat(KernelRecord.settle(run)).isEmpty();
        assertThat(Kernels.current()).isEqualTo(begun);
        assertThat(Kernels.description()).contains("as this run began");
    }

    @Test
    void what_this_machine_lacks_or_has_otherwise_is_said() throws IOException {
        KernelRecord.settle(run);
        Path file = run.resolve("kernels.json");
        Files.writeString(
                file,
                Files.readString(file)
                        .replaceFirst("\"libraries\" : \"[^\"]*\"", "\"libraries\" : \"libtorch, AVX9, 128 threads\""));
        assertThat(KernelRecord.settle(run))
                .singleElement()
                .asString()
                .contains("began with libtorch, AVX9, 128 threads", "up to rounding, not to the bit");
    }

    @Test
    void a_damaged_record_names_the_remedy() throws IOException {
        Files.writeString(run.resolve("kernels.json"), "{");
        assertThatThrownBy(() -> KernelRecord.settle(run))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("kernels.json")
                .hasMessageContaining("delete it");
    }
}
