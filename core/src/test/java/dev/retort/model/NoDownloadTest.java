package dev.retort.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaCodeUnitAccess;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.retort.sample.PlanExecutor;
import dev.retort.sample.Sampler;
import dev.retort.torch.Tensors;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/**
 * On a GPU, to read a value back is to wait for all that came before. The sampling loop does so nowhere: whatever its code
 * may call, as the compiler sees it, is searched for what reads.
 */
class NoDownloadTest {
    private static final Set<String> READING = Set.of("floats", "longs", "bytes", "scalar", "view");

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.retort.sample", "dev.retort.model", "dev.retort.nn", "dev.retort.torch");

    private static boolean reads(JavaCodeUnitAccess<?> call) {
        String name = call.getTarget().getName();
        JavaClass owner = call.getTargetOwner();
        return owner.isEquivalentTo(Tensors.class) && READING.contains(name)
                || owner.isAssignableTo(Tensor.class) && (name.startsWith("item") || name.startsWith("data_ptr"));
    }

    private static Stream<JavaCodeUnitAccess<?>> calls(JavaCodeUnit code) {
        return Stream.concat(code.getCallsFromSelf().stream(), code.getCodeUnitReferencesFromSelf().stream());
    }

    /** Every method that a call may end in, outside of the package whose kernels may read what lies on the CPU. */
    private static Stream<JavaCodeUnit> targets(JavaCodeUnitAccess<?> call) {
        JavaClass owner = call.getTargetOwner();
        return Stream.concat(Stream.of(owner), owner.getAllSubclasses().stream())
                .filter(type -> type.getPackageName().startsWith("dev.retort")
                        && !type.getPackageName().startsWith("dev.retort.torch"))
                .flatMap(type -> type.getAllMembers().stream())
                .filter(member -> member instanceof JavaCodeUnit
                        && member.getName().equals(call.getTarget().getName()))
                .map(JavaCodeUnit.class::cast)
                .filter(code -> code.getRawParameterTypes().size()
                        == call.getTarget().getRawParameterTypes().size());
    }

    private static Set<String> readersBehind(Collection<JavaCodeUnit> starts, Set<String> excepted) {
        Set<String> readers = new TreeSet<>();
        Set<JavaCodeUnit> seen = new LinkedHashSet<>(starts);
        Deque<JavaCodeUnit> open = new ArrayDeque<>(starts);
        while (!open.isEmpty()) {
            JavaCodeUnit code = open.poll();
            calls(code).forEach(call -> {
                if (reads(call)) {
                    readers.add(code.getOwner().getSimpleName() + "." + code.getName());
                }
                targets(call)
                        .filter(target -> !excepted.contains(target.getName()) && seen.add(target))
                        .forEach(open::add);
            });
        }
        assertThat(seen).as("what was searched").hasSizeGreaterThan(starts.size() + 20);
        return readers;
    }

    private static JavaCodeUnit method(Class<?> type, String name) {
        return CLASSES.get(type).getCodeUnits().stream()
                .filter(code -> code.getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void no_step_of_a_request_reads_anything_back_from_the_device() {
        List<JavaCodeUnit> steps = Stream.concat(
                        Stream.of(method(Denoiser.class, "open")),
                        CLASSES.get(Request.class).getAllSubclasses().stream().map(type -> type.getMethods().stream()
                                .filter(method -> method.getName().equals("call"))
                                .findFirst()
                                .orElseThrow()))
                .map(JavaCodeUnit.class::cast)
                .toList();
        assertThat(steps).hasSizeGreaterThan(1);
        // A folded network looks its rows up when a request is opened; its forward serves whoever asks outside of one,
        // and the search follows that call from the requests of other networks. A request says its times in Java's
        // numbers; AskedTime reads those of a forward that is asked in tensors.
        assertThat(readersBehind(steps, Set.of())).containsExactly("AskedTime.times", "FoldedDit.forward");
    }

    @Test
    void the_sampling_loop_reads_what_it_clamps_by_percentiles_and_nothing_else() {
        List<JavaCodeUnit> loop = List.of(method(PlanExecutor.class, "run"), method(Sampler.class, "output"));
        assertThat(readersBehind(loop, Set.of())).containsExactly("AskedTime.times", "PlanExecutor.clamp");
    }

    @Test
    void the_search_finds_what_reads_when_a_request_is_opened() {
        assertThat(readersBehind(List.of(method(Sampler.class, "sample")), Set.of("run")))
                .contains("Dit.open");
    }
}
