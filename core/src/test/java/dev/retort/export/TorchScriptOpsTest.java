package dev.retort.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Plain;
import dev.retort.graph.Graph;
import dev.retort.graph.Node;
import dev.retort.graph.Op;
import dev.retort.graph.Shape;
import dev.retort.graph.Value;
import dev.retort.graph.Weight;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.GraphReplay;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Recorder;
import dev.retort.torch.Scope;
import dev.retort.torch.ScriptModule;
import dev.retort.torch.Tensors;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BinaryOperator;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each op of graphs, written as TorchScript, opened again and compared with its replay for another batch. */
class TorchScriptOpsTest {
    @TempDir
    Path folder;

    /** What an op is tried on: x (N, 4, 6, 12) and a weight (12, 12). */
    private record Case(Op op, BinaryOperator<Tensor> forward) {}

    static Stream<Named<Case>> cases() {
        return Stream.of(
                        new Case(Op.LINEAR, (x, w) -> Ops.linear(x, w, row(w))),
                        new Case(Op.LINEAR, (x, w) -> Ops.linear(x, w, null)),
                        new Case(Op.LINEAR_GELU_TANH, (x, w) -> Ops.linearGeluTanh(x, w, row(w))),
                        new Case(Op.CONV2D, (x, w) -> Ops.conv2d(x, Ops.reshape(w, 4, 4, 3, 3), null, 2, 1)),
                        new Case(Op.CONV2D, (x, w) -> Ops.conv2d(x, Ops.reshape(w, 36, 4, 1, 1), part(w, 36), 1, 0)),
                        new Case(Op.MATMUL, (x, w) -> Ops.matmul(x, w)),
                        new Case(Op.EMBEDDING, (x, w) -> Ops.embedding(w, indices(x))),
                        new Case(Op.ATTENTION, (x, w) -> Ops.attention(x, x, Ops.mul(x, 2), null, 0.3)),
                        new Case(Op.ATTENTION, (x, w) -> Ops.attention(x, x, x, mask(), 0.3)),
                        new Case(Op.SELF_ATTENTION, (x, w) -> Ops.attention(rows(x), 2, 0.5)),
                        new Case(Op.LAYER_NORM, (x, w) -> Ops.layerNorm(x, 1e-6)),
                        new Case(Op.RMS_NORM, (x, w) -> Ops.rmsNorm(x, row(w), 1e-6)),
                        new Case(Op.MODULATED_NORM, (x, w) -> modulated(x, null)),
                        new Case(Op.MODULATED_NORM, (x, w) -> modulated(x, row(w))),
                        new Case(Op.GROUP_NORM, (x, w) -> Ops.groupNorm(x, 2, part(w, 4), part(w, 4), 1e-5)),
                        new Case(Op.BATCH_NORM, (x, w) -> batchNorm(x, part(w, 4))),
                        new Case(Op.SILU, (x, w) -> Ops.silu(x)),
                        new Case(Op.RELU, (x, w) -> Ops.relu(x)),
                        new Case(Op.GELU, (x, w) -> Ops.gelu(x)),
                        new Case(Op.GELU_TANH, (x, w) -> Ops.geluTanh(x)),
                        new Case(Op.TANH, (x, w) -> Ops.tanh(x)),
                        new Case(Op.EXP, (x, w) -> Ops.exp(x)),
                        new Case(Op.COS, (x, w) -> Ops.cos(x)),
                        new Case(Op.SIN, (x, w) -> Ops.sin(x)),
                        new Case(Op.SQUARE, (x, w) -> Ops.square(x)),
                        new Case(Op.SOFTMAX, (x, w) -> Ops.softmax(x)),
                        new Case(Op.LOG_SOFTMAX, (x, w) -> Ops.logSoftmax(x)),
                        new Case(Op.ADD, (x, w) -> Ops.add(x, row(w))),
                        new Case(Op.SUB, (x, w) -> Ops.sub(x, row(w))),
                        new Case(Op.MUL, (x, w) -> Ops.mul(x, row(w))),
                        new Case(Op.DIV, (x, w) -> Ops.div(x, Ops.add(Ops.square(x), 0.1))),
                        new Case(Op.ADD_SCALED, (x, w) -> Ops.addScaled(x, row(w), -0.7)),
                        new Case(Op.ADDCMUL, (x, w) -> Ops.addcmul(x, row(w), x)),
                        new Case(Op.WHERE, (x, w) -> Ops.where(Ops.greater(x, 0.1), x, row(w))),
                        new Case(Op.ADD_NUMBER, (x, w) -> Ops.add(x, 1e-20)),
                        new Case(Op.ADD_NUMBER, (x, w) -> Ops.embedding(w, Ops.addInteger(indices(x), 3))),
                        new Case(Op.MUL_NUMBER, (x, w) -> Ops.mul(x, -1 / 3.0)),
                        new Case(Op.CLAMP, (x, w) -> Ops.clamp(x, Double.NEGATIVE_INFINITY, 0.25)),
                        new Case(Op.GREATER, (x, w) -> Dtype.F32.cast(Ops.greater(x, -0.1))),
                        new Case(Op.CAST, (x, w) -> Dtype.F32.cast(Dtype.BF16.cast(x))),
                        new Case(Op.RESHAPE, (x, w) -> Ops.reshape(x, x.size(0) * 2, 2, 72)),
                        new Case(Op.PERMUTE, (x, w) -> Ops.permute(x, 2, 0, 3, 1)),
                        new Case(Op.SLICE, (x, w) -> Ops.slice(x, 3, 1, 11, 3)),
                        new Case(Op.SLICE, (x, w) -> Ops.chunk(Ops.cat(0, x, Ops.square(x)), 2, 0)[1]),
                        new Case(Op.SELECT, (x, w) -> Ops.select(x, 1, 2)),
                        new Case(
                                Op.INDEX_SELECT,
                                (x, w) -> Ops.indexSelect(x, 3, Tensors.of(new int[] {5, 0}, Device.CPU))),
                        new Case(Op.PICK_ROWS, (x, w) -> Ops.pickRows(Ops.select(x, 1, 0), last(x))),
                        new Case(Op.ARG_MAX, (x, w) -> Ops.embedding(w, last(x))),
                        new Case(Op.CONCAT, (x, w) -> Ops.cat(-1, x, Ops.square(x), x)),
                        new Case(Op.PAD, (x, w) -> Ops.padZeros(x, 0, 1, 2, 0)),
                        new Case(Op.MAX_POOL, (x, w) -> Ops.maxPool(x, 2, 2)),
                        new Case(Op.AVERAGE_POOL, (x, w) -> Ops.adaptiveAveragePool(x, 2, 5)),
                        new Case(Op.DOUBLE_SIZE, (x, w) -> Ops.doubleSize(x)),
                        new Case(Op.MEAN, (x, w) -> Ops.mean(x, 2, false)),
                        new Case(Op.SUM, (x, w) -> Ops.sum(x, -1, true)))
                .map(one -> Named.of(one.op().toString(), one));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void an_op_in_an_archive_computes_what_its_replay_does(Case one) {
        Path file = folder.resolve("op.pt");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Map<String, Tensor> weights = Map.of("block.0.weight", wave(3, 12, 12));
            Graph graph = Graph.over(2, recorded(one, weights, 2), 3, recorded(one, weights, 3));
            assertThat(graph.nodes()).extracting(Node::op).contains(one.op());
            TorchScriptFile.write(file, graph, weights, Optional.empty(), Map.of());
            Tensor x = wave(1, 7, 4, 6, 12);
            double[] expected = Plain.values(new GraphReplay(graph, weights, Device.CPU).run(x)[0]);
            try (ScriptModule module = ScriptModule.load(file)) {
                double[] found = Plain.values(module.call("forward", x)[0]);
                assertThat(Plain.error(found, expected)).isLessThan(1e-5);
            }
        }
    }

    @Test
    void every_op_is_tried() {
        assertThat(cases().map(one -> one.getPayload().op())).containsAll(Arrays.asList(Op.values()));
    }

    @Test
    void what_cannot_be_written_is_named() {
        Value x = new Value("x", dev.retort.io.Dtype.F32, Shape.ofSamples(3));
        Value y = new Value("y", dev.retort.io.Dtype.F8_E4M3, Shape.ofSamples(3));
        Node cast = new Node(Op.CAST, List.of(x), y, Map.of("type", y.type()));
        assertThatThrownBy(() -> write(new Graph(List.of(x), List.of(), List.of(), List.of(cast), List.of(y))))
                .hasMessage(
                        "CAST makes F8_E4M3, which cannot be written as TorchScript: libtorch does not compute with it");
        Value odd = new Value("x-1", x.type(), x.shape());
        assertThatThrownBy(() -> write(new Graph(List.of(odd), List.of(), List.of(), List.of(), List.of(odd))))
                .hasMessageContaining("an input of the graph is named \"x-1\"");
        Weight weight = new Weight(new Value("fc.weight", x.type(), x.shape()), true);
        assertThatThrownBy(() ->
                        write(new Graph(List.of(x), List.of(weight), List.of(), List.of(), List.of(weight.value()))))
                .hasMessageContaining("the graph uses Value[name=fc.weight");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void a_module_says_what_does_not_compile_and_where_it_cannot_be_saved() {
        assertThatThrownBy(() ->
                        ScriptModule.of("Odd", Map.of(), Map.of(), "def forward(self):\n    return torch.nothing()\n"))
                .hasMessage("TorchScript does not compile: Unknown builtin op: aten::nothing.");
        try (ScriptModule module =
                ScriptModule.of("Plain", Map.of(), Map.of(), "def forward(self, x):\n    return x\n")) {
            assertThatThrownBy(() -> module.save(folder.resolve("nowhere/module.pt"), Map.of()))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("nowhere");
        }
    }

    private void write(Graph graph) {
        TorchScriptFile.write(folder.resolve("no.pt"), graph, Map.of(), Optional.empty(), Map.of());
    }

    private static Graph recorded(Case one, Map<String, Tensor> weights, int samples) {
        Tensor x = wave(samples, samples, 4, 6, 12);
        try (Recorder recorder = Recorder.on(weights, Set.of("block.0.weight"), new TreeMap<>(Map.of("x", x)))) {
            return recorder.graph(one.forward.apply(x, weights.get("block.0.weight")));
        }
    }

    private static Tensor row(Tensor weight) {
        return Ops.select(weight, 0, 0);
    }

    private static Tensor part(Tensor weight, int length) {
        return Ops.narrow(Ops.reshape(weight, -1), 0, 0, length);
    }

    private static Tensor rows(Tensor x) {
        return Ops.reshape(x, x.size(0), 24, 12);
    }

    /** A place below 6 for each sample. */
    private static Tensor last(Tensor x) {
        return Ops.argMax(Ops.select(Ops.select(x, 3, 11), 1, 3), 1);
    }

    private static Tensor indices(Tensor x) {
        return Dtype.I64.cast(Ops.clamp(Ops.mul(Ops.square(x), 5), 0, 5));
    }

    private static Tensor mask() {
        return Tensors.of(new float[] {0, Float.NEGATIVE_INFINITY, 1, 0, 0, 2}, Device.CPU, 1, 1, 1, 6);
    }

    private static Tensor modulated(Tensor x, Tensor weight) {
        Tensor row = Ops.mean(rows(x), 1, true);
        return Ops.modulatedNorm(rows(x), weight, row, Ops.mul(row, 3), 1e-6);
    }

    private static Tensor batchNorm(Tensor x, Tensor each) {
        return Ops.batchNorm(x, each, each, each, Ops.add(Ops.square(each), 0.1), false, 0, 1e-5);
    }

    private static Tensor wave(int phase, long... shape) {
        int count = 1;
        for (long size : shape) {
            count *= (int) size;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) Math.sin(0.37 * i + phase);
        }
        return Tensors.of(values, Device.CPU, shape);
    }
}
