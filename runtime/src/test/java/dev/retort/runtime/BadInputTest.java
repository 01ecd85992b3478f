package dev.retort.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.diffusion.Plan;
import dev.retort.graph.Shape;
import dev.retort.io.Dtype;
import dev.retort.onnx.OnnxBuilder;
import dev.retort.onnx.OnnxOp;
import dev.retort.onnx.OnnxWriter;
import dev.retort.runtime.StudentException.Kind;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong is said: which file or field, what it is, what was expected and what to do. */
class BadInputTest {
    private static final TestStudents NETWORK = new TestStudents(5);
    private static final Plan TWO = TestStudents.plan(2);

    @TempDir
    private Path folder;

    private static void refused(Kind kind, ThrowingCallable call, String... parts) {
        assertThatThrownBy(call).isInstanceOfSatisfying(StudentException.class, e -> {
            assertThat(e.kind()).as(e.getMessage()).isEqualTo(kind);
            assertThat(e.getMessage()).contains(parts);
        });
    }

    private Path saying(String key, String value) {
        Map<String, String> metadata = new LinkedHashMap<>(TestStudents.metadata("network", 1, TWO));
        if (value == null) {
            metadata.remove(key);
        } else {
            metadata.put(key, value);
        }
        return NETWORK.anyTime(folder.resolve("said.onnx"), metadata);
    }

    @Test
    void a_file_that_is_not_there_or_no_onnx_or_no_student_is_refused() throws IOException {
        Path none = folder.resolve("none.onnx");
        refused(Kind.BAD_FILE, () -> Student.open(none), none + " is not there", "'retort export'");
        refused(Kind.BAD_FILE, () -> Student.open(folder), folder + " is not there or cannot be read");
        Path text = Files.writeString(folder.resolve("text.onnx"), "not a model");
        refused(Kind.BAD_FILE, () -> Student.open(text), text + " cannot be opened (");
        refused(Kind.BAD_FILE, () -> Student.open(saying("retort.format", null)), "is no exported student");
    }

    @Test
    void a_file_of_another_format_is_refused_before_anything_else_is_read() {
        refused(
                Kind.UNSUPPORTED_VERSION,
                () -> Student.open(saying("retort.format", "2")),
                "is of format 2, this runtime reads format 1");
    }

    @Test
    void each_key_that_is_missing_or_makes_no_sense_is_named() {
        for (String key : List.of("form", "values", "classes", "labels", "steps", "plan.2", "guidance.2")) {
            refused(Kind.BAD_FILE, () -> Student.open(saying("retort." + key, null)), "it has no retort." + key);
        }
        refused(Kind.BAD_FILE, () -> Student.open(saying("retort.form", "folded")), "retort.form is 'folded'");
        refused(Kind.BAD_FILE, () -> Student.open(saying("retort.values", "1 8")), "retort.values is [1, 8]");
        refused(
                Kind.BAD_FILE,
                () -> Student.open(saying("retort.labels", "0 3")),
                "retort.labels has 3, expected 0 to 2");
        refused(Kind.BAD_FILE, () -> Student.open(saying("retort.plan.2", "euler")), "retort.plan.2: line 1");
        String plan = TestStudents.metadata("network", 1, TWO).get("retort.plan.2");
        refused(
                Kind.BAD_FILE,
                () -> Student.open(saying("retort.plan.2", plan.replace("noise=none", "noise=:"))),
                "noise is :, expected none");
        refused(
                Kind.BAD_FILE,
                () -> Student.open(saying("retort.guidance.2", "1.5 / 0")),
                "it has 1 scales, expected one for each of 2");
        refused(Kind.BAD_FILE, () -> Student.open(saying("retort.rows", "1 2")), "retort.rows: a line begins with '1'");
        refused(Kind.BAD_FILE, () -> Student.open(saying("retort.rows", "times 1")), "1 times, 0 ends and 0 labels");
        refused(
                Kind.BAD_FILE,
                () -> Student.open(saying("retort.rows", "times 1.0\nlabels 0 1 2")),
                "which are not those of its form");
    }

    @Test
    void a_graph_that_does_not_fit_its_metadata_is_refused_when_it_is_opened() {
        refused(Kind.BAD_FILE, () -> Student.open(saying("retort.form", "unrolled")), "it has an input time");
        refused(
                Kind.BAD_FILE,
                () -> Student.open(saying("retort.values", "1 4 16")),
                "its input x is [-1, 1, 8, 8], expected [-1, 1, 4, 16]");
        Path folded = NETWORK.folded(
                folder.resolve("folded.onnx"), TestStudents.metadata("network", 1, TWO, TestStudents.plan(4)), TWO);
        refused(Kind.BAD_FILE, () -> Student.open(folded), "its table has", "asks at time 0.75 for label 0");
    }

    private Path inputs(String form, long[] x, long[] label, long[] output) {
        Path file = folder.resolve("shapes.onnx");
        OnnxBuilder builder = new OnnxBuilder();
        boolean network = form.equals("network");
        String first = builder.input(network ? "x" : "noise", Dtype.F32, shape(x));
        builder.input("label", Dtype.I64, shape(label));
        builder.output("output", Dtype.F32, shape(output), builder.add(OnnxOp.RESHAPE, first, builder.wholes(output)));
        OnnxWriter.write(file, builder.model(TestStudents.metadata(form, 1, TWO)), OnnxWriter.MOST_INSIDE);
        return file;
    }

    private static Shape shape(long... sizes) {
        return sizes.length > 0 && sizes[0] < 0
                ? Shape.ofSamples(Arrays.copyOfRange(sizes, 1, sizes.length))
                : Shape.of(sizes);
    }

    @Test
    void inputs_and_outputs_of_other_shapes_are_refused_when_the_file_is_opened() {
        long[] values = {-1, 1, 8, 8};
        long[] labels = {-1};
        Student.open(inputs("network", values, labels, values)).close();
        Student.open(inputs("unrolled", values, labels, values)).close();
        refused(
                Kind.BAD_FILE,
                () -> Student.open(inputs("network", new long[] {-1, 64}, labels, values)),
                "its input x is [-1, 64], expected [-1, 1, 8, 8]");
        refused(
                Kind.BAD_FILE,
                () -> Student.open(inputs("unrolled", new long[] {-1, 1, 4, 16}, labels, values)),
                "its input noise is [-1, 1, 4, 16], expected [-1, 1, 8, 8]");
        refused(
                Kind.BAD_FILE,
                () -> Student.open(inputs("network", new long[] {4, 1, 8, 8}, labels, values)),
                "its input x is [4, 1, 8, 8], expected [-1, 1, 8, 8] (-1: any number of samples)");
        refused(
                Kind.BAD_FILE,
                () -> Student.open(inputs("network", values, new long[] {-1, 1}, values)),
                "its input label is [-1, 1], expected [-1]");
        refused(
                Kind.BAD_FILE,
                () -> Student.open(inputs("network", values, labels, new long[] {-1, 64})),
                "its output is",
                "expected numbers (N, C, H, W)");
        refused(
                Kind.BAD_FILE,
                () -> Student.open(inputs("network", values, labels, new long[] {-1, 1, 4, 16})),
                "its output is [-1, 1, 4, 16]",
                "its plan reads 1 heads");
    }

    @Test
    void operators_and_files_newer_than_the_runtime_ask_for_a_newer_one() throws IOException {
        Path file = saying("retort.isa", "any");
        byte[] bytes = Files.readAllBytes(file);
        int opset = find(bytes, 0x42, 4, 0x0a, 0, 0x10, 21);
        bytes[opset + 5] = 99;
        Path newer = Files.write(folder.resolve("opset.onnx"), bytes);
        refused(
                Kind.UNSUPPORTED_VERSION,
                () -> Student.open(newer),
                newer + " has operators",
                "take a newer ONNX Runtime");
        bytes[opset + 5] = 21;
        bytes[find(bytes, 0x08, 10) + 1] = 99;
        Path ir = Files.write(folder.resolve("ir.onnx"), bytes);
        refused(Kind.UNSUPPORTED_VERSION, () -> Student.open(ir), ir + " has operators", "take a newer ONNX Runtime");
    }

    private static int find(byte[] bytes, int... pattern) {
        for (int at = 0; at + pattern.length <= bytes.length; at++) {
            int same = 0;
            while (same < pattern.length && bytes[at + same] == (byte) pattern[same]) {
                same++;
            }
            if (same == pattern.length) {
                return at;
            }
        }
        throw new IllegalArgumentException("the file has no such bytes");
    }

    @Test
    void weights_beside_the_file_are_found_and_when_cut_off_or_gone_the_file_is_refused() throws IOException {
        Path file = NETWORK.anyTime(folder.resolve("large.onnx"), TestStudents.metadata("network", 1, TWO), 0);
        Path weights = OnnxWriter.outside(file);
        try (Student student = Student.open(file)) {
            assertThat(student.sample(Request.of(0))).hasSize(1);
        }
        try (FileChannel channel = FileChannel.open(weights, StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() - 1);
        }
        refused(Kind.BAD_FILE, () -> Student.open(file), file + " cannot be opened (", "copy both again");
        Files.delete(weights);
        refused(Kind.BAD_FILE, () -> Student.open(file), file + " cannot be opened (", "copy both again");
    }

    @Test
    void a_cut_file_is_refused_wherever_it_ends() throws IOException {
        byte[] bytes = Files.readAllBytes(saying("retort.isa", "any"));
        for (int length = 0; length < bytes.length; length += 1 + bytes.length / 40) {
            Path cut = Files.write(folder.resolve("cut.onnx"), Arrays.copyOf(bytes, length));
            assertThatThrownBy(() -> Student.open(cut).close()).isInstanceOf(StudentException.class);
        }
    }

    @Test
    void a_request_of_ten_gigabytes_is_refused_before_anything_is_made_for_it() {
        try (Student student = Student.open(TestStudents.usual(folder))) {
            refused(
                    Kind.TOO_LARGE,
                    () -> student.submit(Request.of(0).count(160_000_000)),
                    "for 160000000 pictures (1 classes, 160000000 of each), maxImages allows 256");
            refused(Kind.TOO_LARGE, () -> student.submit(Request.of(0, 1, 2).count(Integer.MAX_VALUE)), "6442450941");
            assertThat(student.metrics().failures()).isEqualTo(2);
            assertThat(student.metrics().requests()).isZero();
        }
    }

    @Test
    void seeds_counts_steps_and_classes_that_do_not_exist_are_refused() {
        refused(Kind.BAD_REQUEST, () -> Request.of(0).seed(-1), "seed is -1; expected a number of at least 0");
        refused(Kind.BAD_REQUEST, () -> Request.of(0).count(0), "count is 0");
        refused(Kind.BAD_REQUEST, () -> Request.of(0).steps(-2), "steps is -2");
        refused(
                Kind.BAD_REQUEST,
                () -> new Request(List.of(1), List.of("circle"), List.of(), "", 0, 1, 0),
                "classes is [1] and [circle]; expected numbers or names, not both");
        try (Student student = Student.open(TestStudents.usual(folder))) {
            refused(Kind.BAD_REQUEST, () -> student.sample(Request.of(3)), "class 3 is none that the student draws");
            refused(
                    Kind.BAD_REQUEST,
                    () -> student.sample(Request.of(0).steps(3)),
                    "steps is 3, the file is for [2, 4]");
            refused(Kind.BAD_REQUEST, () -> student.sample(Request.ofClasses("squares")), "did you mean 'square'?");
        }
    }

    @Test
    void options_that_make_no_sense_are_refused() {
        StudentOptions usual = StudentOptions.latency();
        assertThatThrownBy(() -> usual.threads(-1)).hasMessage("threads is -1; expected 0 for all, or more");
        assertThatThrownBy(() -> usual.queueCapacity(0)).hasMessageStartingWith("queueCapacity is 0");
        assertThatThrownBy(() -> usual.maxImages(0)).hasMessageStartingWith("maxImages is 0");
        assertThatThrownBy(() -> usual.batchSizes(new int[0])).hasMessageStartingWith("batchSizes is []");
        assertThatThrownBy(() -> usual.batchSizes(4, 4))
                .hasMessage("batchSizes is [4, 4]; expected rising numbers of at least 1");
    }

    @Test
    void values_that_are_no_numbers_are_no_picture() throws IOException {
        Path file = NETWORK.anyTime(
                folder.resolve("nan.onnx"),
                TestStudents.metadata("network", Double.MAX_VALUE, TestStudents.noisyPlan(2)));
        try (Student student = Student.open(file)) {
            refused(Kind.RUNTIME, () -> student.sample(Request.of(0)), "picture 0 has values that are no numbers");
        }
    }

    @Test
    void weights_for_other_cpus_are_refused_on_this_one_and_where_it_is_not_known_unless_allowed() {
        Cpu old = Cpu.parse("amd64", List.of("flags : fpu avx2"));
        Cpu unknown = Cpu.parse("amd64", List.of());
        List<Cpu> right = List.of(Cpu.parse("amd64", List.of("flags : avx512_vnni")), Cpu.parse("aarch64", List.of()));
        List<String> warnings = new ArrayList<>();
        StudentListener listener = new StudentListener() {
            @Override
            public void onWarning(String message) {
                warnings.add(message);
            }
        };
        Meter meter = new Meter(listener);
        StudentOptions options = StudentOptions.latency();
        LoadedModel model = LoadedModel.open(saying("retort.isa", "vnni"), 1, false);
        refused(
                Kind.UNSUPPORTED_CPU,
                () -> EightBitCheck.of(model, old, options, meter),
                "which this one lacks; take the file that was exported for any CPU");
        refused(
                Kind.UNSUPPORTED_CPU,
                () -> EightBitCheck.of(model, unknown, options, meter),
                "which this one (amd64) is not known to have",
                "take the file that was exported for any CPU, or allow it by anyCpu");
        right.forEach(cpu -> EightBitCheck.of(model, cpu, options, meter));
        assertThat(warnings).isEmpty();
        EightBitCheck.of(model, unknown, options.anyCpu(true), meter);
        EightBitCheck.of(model, old, options.anyCpu(true), meter);
        assertThat(warnings).hasSize(2).allMatch(warning -> warning.contains("sums may saturate"));
        model.release();
    }
}
