package dev.retort.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Solvers;
import dev.retort.diffusion.TimeGrid;
import dev.retort.evaluate.Candidate;
import dev.retort.evaluate.Evaluation;
import dev.retort.evaluate.FeatureCache;
import dev.retort.export.OnnxExport;
import dev.retort.graph.Graph;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Condition;
import dev.retort.model.Denoiser;
import dev.retort.model.Network;
import dev.retort.model.NetworkGraph;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.onnx.OnnxFile;
import dev.retort.onnx.OnnxWriter;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.runtime.Image;
import dev.retort.runtime.Request;
import dev.retort.runtime.Student;
import dev.retort.sample.PlanExecutor;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.GraphReplay;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.assertj.core.data.Offset;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OpenPublishedUNetTest {
    private static final int PIXELS = UNet28.SIDE * UNet28.SIDE;

    @TempDir
    Path temp;

    /** Golden values of the published networks in PyTorch, float32: the first two outputs, their mean and norm over two samples. */
    @ParameterizedTest
    @CsvSource({
        "mnist, 0, 0.966832, -0.289092, 0.0183196, 37.5098",
        "mnist, 20, 0.882872, -0.319614, 0.0237098, 39.3337",
        "mnist, 500, 0.855396, -0.282984, 0.0202445, 39.3838",
        "mnist, 999, 0.810704, -0.320424, 0.0192861, 39.8506",
        "fashion, 0, 1.74667, 0.295842, -0.00474774, 13.2029",
        "fashion, 20, 1.5229, 0.195066, 0.0401439, 27.1982",
        "fashion, 500, 0.989824, -0.223317, 0.0205062, 39.9578",
        "fashion, 999, 0.904695, -0.294051, 0.0174602, 40.1188"
    })
    void the_noise_it_predicts_is_that_of_the_original(
            String name, int step, float first, float second, double mean, double norm) {
        try (Pipeline<Network> opened = Models.load(published(name), Device.CPU);
                Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor x = Tensors.of(gaussian(2 * PIXELS, 999), Device.CPU, 2, 1, 28, 28);
            Tensor steps = Tensors.of(new long[] {step, step}, Device.CPU);
            float[] out = Tensors.floats(((UNet28) opened.network()).said(x, steps, Taps.none()));
            assertThat(out[0]).isCloseTo(first, Offset.offset(2e-5f));
            assertThat(out[1]).isCloseTo(second, Offset.offset(2e-5f));
            assertThat(IntStream.range(0, out.length)
                            .mapToDouble(i -> out[i])
                            .average()
                            .orElseThrow())
                    .isCloseTo(mean, Offset.offset(1e-6));
            assertThat(Math.sqrt(IntStream.range(0, out.length)
                            .mapToDouble(i -> out[i] * (double) out[i])
                            .sum()))
                    .isCloseTo(norm, Offset.offset(2e-4));
        }
    }

    @Test
    void what_it_says_as_a_model_is_v_of_a_picture_within_its_bounds() {
        float[] noise = gaussian(2 * PIXELS, 7);
        float[] velocity = answer(model(new UNet28Spec(true)), noise, 700);
        double alpha = OpenPublishedUNet.PROCESS.noiseSchedule().alpha(700);
        double sigma = OpenPublishedUNet.PROCESS.noiseSchedule().sigma(700);
        for (int i = 0; i < noise.length; i++) {
            assertThat(alpha * noise[i] - sigma * velocity[i]).isBetween(-1.0001, 1.0001);
        }
    }

    private static float[] answer(Path model, float[] x, double time) {
        try (Pipeline<Denoiser> opened = Models.open(model, Device.CPU, Precision.FP32);
                Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor in = Tensors.of(x, Device.CPU, x.length / PIXELS, 1, 28, 28);
            int n = x.length / PIXELS;
            return Tensors.floats(opened.network()
                    .forward(in, Tensors.full(time, Device.CPU, n), Condition.empty(n, Device.CPU), Taps.none()));
        }
    }

    @Test
    void its_graph_computes_what_it_does_and_its_spec_counts_what_is_there() {
        for (boolean ofNoise : new boolean[] {true, false}) {
            UNet28Spec spec = new UNet28Spec(ofNoise);
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on();
                    UNet28 network = new UNet28(spec, Init.of(1, Device.CPU))) {
                Graph graph = NetworkGraph.of(network, List.of("b_mid"));
                assertThat(network.parameterCount()).isEqualTo(spec.parameters());
                assertThat(graph.macs(1)).isEqualTo(spec.macs());
                Tensor x = Tensors.of(gaussian(3 * PIXELS, 5), Device.CPU, 3, 1, 28, 28);
                Tensor time = Tensors.full(300, Device.CPU, 3);
                Tensor forward = network.forward(x, time, Condition.empty(3, Device.CPU), Taps.none());
                Tensor[] replayed = new GraphReplay(graph, network.state(), Device.CPU).run(x, time);
                assertThat(Tensors.floats(replayed[0])).isEqualTo(Tensors.floats(forward));
            }
        }
    }

    @Test
    void a_network_that_is_told_nothing_is_distilled_drawn_from_and_judged_by_pictures_of_many_classes()
            throws Exception {
        Path teacher = model(new UNet28Spec(true));
        DataConfig data = pictures();
        Path student = OpenPublishedUNet.distil(teacher, data, temp.resolve("student"), 256);
        ModelCard card = ModelFiles.card(student);
        assertThat(card.classes()).isEmpty();
        assertThat(card.trainedFor().text()).isEqualTo("4 steps of ddim on the grid default");
        OpenPublishedUNet.draw(student, card.sampling(), temp.resolve("student.png"));
        assertThat(Files.size(temp.resolve("student.png"))).isGreaterThan(1000);
        List<Evaluation> judged = OpenPublishedUNet.judge(
                List.of(new Candidate("student", student, card.sampling())),
                data,
                new FeatureCache(temp.resolve("features")),
                70);
        assertThat(judged.get(0).quality().frechet().value()).isPositive();
        assertThat(judged.get(0).classAccuracy()).isEmpty();
    }

    @Test
    void a_network_that_is_told_nothing_is_exported_and_drawn_from_by_the_runtime() {
        Path model = model(new UNet28Spec(false));
        Path file = temp.resolve("digits.onnx");
        new OnnxExport(OnnxExport.ways(ModelFiles.card(model)), false, dev.retort.io.Dtype.F32, OnnxWriter.MOST_INSIDE)
                .write(model, file);
        assertThat(OnnxFile.read(file).inputs())
                .extracting(OnnxFile.Signature::name)
                .containsExactly("x", "time");
        try (Student student = Student.open(file)) {
            List<Image> drawn = student.sample(Request.of().seed(3).count(2));
            assertThat(drawn).hasSize(2);
            assertThat(drawn.get(0).bytes())
                    .hasSize(28 * 28)
                    .isNotEqualTo(drawn.get(1).bytes());
        }
    }

    /** Random weights, as where the published ones are not at hand. */
    private Path model(UNet28Spec spec) {
        Path folder = temp.resolve("model");
        try (Scope scope = Scope.open();
                UNet28 network = new UNet28(spec, Init.of(1, Device.CPU))) {
            ModelCard card = ModelCard.of(
                    spec, OpenPublishedUNet.PROCESS, SamplingSpec.of("ddim", 4, 1), List.of(), "", 0, 0, "", Map.of());
            ModelFiles.save(folder, card, Weights.writer(network.state(), Dtype.F32));
        }
        return folder;
    }

    /** Squares of two classes in the files of MNIST. */
    private DataConfig pictures() throws Exception {
        int count = 160;
        for (String split : List.of("train", "t10k")) {
            ByteBuffer images = ByteBuffer.allocate(16 + count * PIXELS)
                    .putInt(2051)
                    .putInt(count)
                    .putInt(UNet28.SIDE)
                    .putInt(UNet28.SIDE);
            ByteBuffer labels = ByteBuffer.allocate(8 + count).putInt(2049).putInt(count);
            for (int i = 0; i < count; i++) {
                labels.put((byte) (i % 2));
                for (int p = 0; p < PIXELS; p++) {
                    boolean light = (p / 28 + i) % 28 < 14 && (p % 28 + i / 2) % 28 < 14;
                    images.put((byte) (light == (i % 2 == 0) ? 255 : 0));
                }
            }
            write(split + "-images-idx3-ubyte.gz", images);
            write(split + "-labels-idx1-ubyte.gz", labels);
        }
        return new DataConfig.Idx(temp.toString(), "train", 0, false);
    }

    private void write(String name, ByteBuffer bytes) throws Exception {
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(temp.resolve(name)))) {
            out.write(bytes.array());
        }
    }

    /** Golden values of PyTorch: from noise of the seed 7, by DDIM with the picture cut at every step, the middle of row 14. */
    @ParameterizedTest
    @CsvSource({
        "fashion, '0.595, 0.637, 0.637, 0.724, 0.616, 0.728, 0.916, 0.92, 1.0, 1.0, 1.0, 1.0'",
        "mnist, '-0.807, -0.768, -0.795, -0.652, -0.928, -0.806, -0.437, 0.351, 1.0, 0.964, 1.0, 1.0'"
    })
    void fifty_steps_of_ddim_draw_what_they_draw_in_pytorch(String name, String row) {
        try (Pipeline<Network> opened = Models.load(published(name), Device.CPU);
                Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            UNet28 network = (UNet28) opened.network();
            double[] times =
                    IntStream.range(0, 50).mapToDouble(k -> 980 - 20 * k).toArray();
            Plan plan = Solvers.named("ddim")
                    .plan(
                            ProcessSpec.of("linear", Prediction.EPSILON, 1).process(),
                            TimeGrid.of("even", OpenPublishedUNet.PROCESS.noiseSchedule(), times));
            float[] drawn = Tensors.floats(PlanExecutor.run(
                    plan,
                    Tensors.of(gaussian(PIXELS, 7), Device.CPU, 1, 1, 28, 28),
                    (step, x) -> network.said(x, Tensors.of(new long[] {(long) times[step]}, Device.CPU), Taps.none()),
                    step -> Tensors.zeros(Device.CPU, 1, 1, 28, 28),
                    (step, x0, next) -> {}));
            String[] wanted = row.split(", ");
            for (int i = 0; i < wanted.length; i++) {
                assertThat(drawn[14 * 28 + 8 + i]).isCloseTo(Float.parseFloat(wanted[i]), Offset.offset(1e-3f));
            }
        }
    }

    /** Box-Muller on the pairs of a linear congruential generator. */
    private static float[] gaussian(int count, long seed) {
        float[] values = new float[count];
        long state = seed;
        for (int i = 0; i < count; i++) {
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFFL;
            double radius = Math.sqrt(-2 * Math.log(Math.max(state / 4294967296.0, 1e-12)));
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFFL;
            values[i] = (float) (radius * Math.cos(2 * Math.PI * state / 4294967296.0));
        }
        return values;
    }

    private Path published(String name) {
        Path file = Path.of("../../shared/weights/ddpm-unet-28/ddpm_" + name + ".pt");
        assumeTrue(Files.exists(file), "skipped: " + file + " is not here");
        return OpenPublishedUNet.open(file, temp.resolve(name));
    }
}
