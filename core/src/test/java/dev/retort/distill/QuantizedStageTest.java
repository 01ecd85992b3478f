package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.retort.card.ModelCard;
import dev.retort.card.QuantizationSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.SolverSpec;
import dev.retort.data.DataConfig;
import dev.retort.data.Prompts;
import dev.retort.error.RetortException;
import dev.retort.io.SafetensorsFile;
import dev.retort.model.Denoiser;
import dev.retort.model.Network;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.quantize.FakeQuantization;
import dev.retort.run.RunFolder;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.IntegerProduct;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.ComputeConfig;
import dev.retort.train.DitConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.Objective;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.RunConfig;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stages in which a student learns to be quantised. */
class QuantizedStageTest {
    private static final Objective FLOW = new Objective.Flow(0, 1, 1);
    private static final DitConfig SIZE = new DitConfig("2x32x2/4", 2, 0.1, true);
    private static final SamplingSpec TWO_STEPS = SamplingSpec.of("flow-euler", 2, 1);
    private static final QuantizeConfig SEVEN_BITS = new QuantizeConfig(7);
    private static final Optional<OptimizerConfig> GENTLE = Optional.of(optimizer(5e-4));

    @TempDir
    static Path temp;

    static Path teacher;

    private static OptimizerConfig optimizer(double rate) {
        return new OptimizerConfig(rate, "cosine", 0, 0.9, 0.99, 1e-8, 0, 1);
    }

    private static RunConfig run(double decay, long sampleImages) {
        return new RunConfig(
                3,
                8,
                new DataConfig.Shapes("train", 16, true),
                optimizer(3e-3),
                new EmaConfig(List.of(decay)),
                new ComputeConfig("cpu", "fp32", false, 8, 0, 1),
                new LogConfig(80, sampleImages, 1, 16),
                TWO_STEPS);
    }

    @BeforeAll
    static void a_teacher() {
        TrainConfig config = new TrainConfig(2400, SIZE, FLOW, run(0.9, 0));
        teacher = Training.run(config, temp.resolve("teacher"), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    private static LossConfig progressive(int ratio) {
        return new StepLoss.Progressive(
                LossWeight.ONE, 2, ratio, new SolverSpec.Ddim(), StepLoss.ErrorWeight.TRUNCATED_SNR);
    }

    private static StageConfig stage(
            String name, long images, LossConfig loss, String taught, double rate, QuantizeConfig quantize) {
        return new StageConfig(
                name,
                images,
                List.of(loss),
                taught,
                Optional.of(optimizer(rate)),
                List.of(),
                Optional.empty(),
                Optional.ofNullable(quantize));
    }

    private static Recipe recipe(RunConfig run, StageConfig... stages) {
        return new Recipe(
                new TeacherConfig(teacher.toString(), "", 1), SIZE, new StudentStart.Cut(), FLOW, List.of(stages), run);
    }

    private static Path distil(String name, Recipe recipe, int stopAt) {
        AtomicInteger steps = new AtomicInteger();
        return Distillation.run(
                recipe,
                temp.resolve(name),
                Map.of(),
                n -> {},
                (d, t, s) -> {},
                () -> steps.incrementAndGet() == stopAt);
    }

    /** What a model makes in two steps of 32 noises that no calibration has seen. */
    private static float[] pictures(Denoiser network, ModelCard card) {
        int[] labels =
                IntStream.range(0, 32).map(i -> i % card.classes().size()).toArray();
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            return Tensors.floats(Sampling.sampler(network, card, TWO_STEPS, Precision.FP32)
                    .sample(
                            new Prompts.Labels(labels),
                            99,
                            LongStream.range(0, 32).toArray()));
        }
    }

    private static float[] pictures(Path model) {
        try (Pipeline<Denoiser> opened = Models.open(model, Device.CPU, Precision.FP32)) {
            return pictures(opened.network(), opened.card());
        }
    }

    private static double error(float[] found, float[] expected) {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < found.length; i++) {
            difference += Math.pow(found[i] - expected[i], 2);
            norm += Math.pow(expected[i], 2);
        }
        return Math.sqrt(difference / norm);
    }

    @Test
    void what_is_published_computes_in_whole_numbers_what_training_computed() {
        assumeThat(IntegerProduct.possible()).isTrue();
        Path model = distil(
                "published",
                recipe(
                        run(0.5, 80),
                        stage("steps", 80, progressive(2), "", 1e-3, null),
                        stage("int8", 160, progressive(1), "steps", 1e-3, SEVEN_BITS)),
                -1);
        ModelCard card = Models.card(model);
        QuantizationSpec spec = card.quantization();
        assertThat(spec.times()).containsExactly(1000.0, 500.0);
        assertThat(spec.layers())
                .containsExactlyInAnyOrder(
                        "blocks.0.attn.qkv",
                        "blocks.0.attn.proj",
                        "blocks.0.mlp.w12",
                        "blocks.0.mlp.w3",
                        "blocks.1.attn.qkv",
                        "blocks.1.attn.proj",
                        "blocks.1.mlp.w12",
                        "blocks.1.mlp.w3");
        assertThat(card.trainedFor().steps()).containsExactly(2);
        Path checkpoint = new RunFolder(temp.resolve("published")).newest().orElseThrow();
        assertThat(Models.card(checkpoint).quantization()).isNull(); // floats until the end
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Network trained = Architectures.build(card.network(), Init.blank(Device.CPU))) {
            new FakeQuantization(spec, 1, () -> {}).attach(trained);
            Map<String, Tensor> average =
                    new LinkedHashMap<>(Weights.read(checkpoint.resolve("model.safetensors"), Device.CPU));
            Weights.read(checkpoint.resolve(RunFolder.TRAINING), Device.CPU).forEach((name, tensor) -> {
                if (name.startsWith("ema-0.5.")) {
                    average.put(name.substring("ema-0.5.".length()), tensor);
                }
            });
            assertThat(trained.load(average)).isEmpty();
            float[] rounded = pictures(trained, card);
            assertThat(error(pictures(model), rounded)).isLessThan(2e-3);
            assertThat(error(pictures(checkpoint), rounded)).isGreaterThan(5e-3);
        }
    }

    @Test
    void a_run_that_is_stopped_amid_the_stage_goes_on_as_if_it_had_not_been() throws Exception {
        Recipe recipe = recipe(
                run(0.9, 24),
                stage("steps", 24, progressive(2), "", 1e-3, null),
                stage("int8", 24, progressive(1), "steps", 1e-3, SEVEN_BITS),
                stage(
                        "more",
                        24,
                        new LossConfig.Output(LossWeight.ONE, FLOW.process().prediction()),
                        "",
                        1e-3,
                        SEVEN_BITS));
        Path whole = distil("whole", recipe, -1);
        for (int stopAt : new int[] {4, 2, 3}) { // after 4, 6 and 9 steps of 9
            assertThatThrownBy(() -> distil("resumed", recipe, stopAt)).isInstanceOf(RetortException.class);
        }
        Path resumed = distil("resumed", recipe, -1);
        assertThat(bytes(resumed, "model.safetensors")).isEqualTo(bytes(whole, "model.safetensors"));
        assertThat(bytes(last("resumed"), RunFolder.TRAINING)).isEqualTo(bytes(last("whole"), RunFolder.TRAINING));
        try (SafetensorsFile training = SafetensorsFile.open(last("whole").resolve(RunFolder.TRAINING))) {
            Map<String, float[]> learned = new HashMap<>();
            for (String tensor : List.of("weight_power", "input_power")) {
                String name = "blocks.1.mlp.w3.fake_quant." + tensor;
                learned.put(tensor, training.floats("model." + name));
                assertThat(training.entries()).containsKeys("ema-0.9." + name, "optimizer.mean." + name);
            }
            assertThat(learned.get("weight_power")).hasSize(32).doesNotContain(0f);
            assertThat(learned.get("input_power")).hasSize(2).doesNotContain(0f);
        }
    }

    private static Path last(String name) {
        return new RunFolder(temp.resolve(name)).newest().orElseThrow();
    }

    private static byte[] bytes(Path folder, String file) throws Exception {
        return Files.readAllBytes(folder.resolve(file));
    }

    @Test
    void in_bf16_it_trains_too_and_its_scales_move() {
        RunConfig fp32 = run(0, 0);
        RunConfig bf16 = new RunConfig(
                fp32.seed(),
                fp32.batch(),
                fp32.data(),
                fp32.optimizer(),
                fp32.ema(),
                new ComputeConfig("cpu", "bf16", true, 0, 1, 1), // measures the micro-batch, computes blocks again
                fp32.log(),
                fp32.sampling());
        distil("bf16", recipe(bf16, stage("int8", 16, progressive(1), "", 1e-3, SEVEN_BITS)), -1);
        try (SafetensorsFile training = SafetensorsFile.open(last("bf16").resolve(RunFolder.TRAINING))) {
            assertThat(training.floats("model.blocks.0.attn.qkv.fake_quant.weight_power"))
                    .doesNotContain(Float.NaN)
                    .doesNotContain(0f);
        }
    }

    @Test
    void what_cannot_be_trained_so_is_refused_with_its_field() {
        LossConfig loss = progressive(1);
        assertThatThrownBy(() -> new QuantizeConfig(4)).hasMessageContaining("bits is 4, expected 8");
        assertThatThrownBy(() -> new StageConfig(
                        "both",
                        8,
                        List.of(loss),
                        "",
                        GENTLE,
                        List.of(),
                        Optional.of(new LoraConfig(2, 2, List.of())),
                        Optional.of(SEVEN_BITS)))
                .hasMessageContaining("lora is given beside quantize");
        StageConfig int8 = stage("int8", 8, loss, "", 1e-3, SEVEN_BITS);
        assertThatThrownBy(() -> recipe(run(0, 0), int8, stage("floats", 8, loss, "", 1e-3, null)))
                .hasMessageContaining("stages.1.quantize is left out, expected what the stage before says");
        assertThatThrownBy(() -> recipe(run(0, 0), int8, stage("again", 8, loss, "int8", 1e-3, SEVEN_BITS)))
                .hasMessageContaining("stages.1.teacher is int8, expected a stage whose student is not quantised");
        for (LossConfig derived : List.of(
                new MapLoss.MeanFlow(LossWeight.ONE, 0.5, -0.4, 1, 0, 1, 1e-3),
                new MapLoss.FlowMap(LossWeight.ONE, false, 0.5, 0.2, 0.005, 0.03),
                new ContinuousConsistency(LossWeight.ONE, true, -1, 1.4, 0.5, 0.1, 0))) {
            assertThatThrownBy(() -> recipe(run(0, 0), stage("int8", 8, derived, "", 1e-3, SEVEN_BITS)))
                    .hasMessageContaining("stages.0.losses asks for " + derived.type())
                    .hasMessageContaining("which takes a derivative");
        }
        QuantizeConfig unknown = new QuantizeConfig(7, 8, 0.7, 32, List.of("blocks.0.atn.qkv"));
        assertThatThrownBy(() -> distil("none", recipe(run(0, 0), stage("int8", 8, loss, "", 1e-3, unknown)), -1))
                .hasMessageContaining("stages.0.quantize.keep.0 is 'blocks.0.atn.qkv'")
                .hasMessageContaining("blocks.0.attn.qkv");
        assertThat(temp.resolve("none")).doesNotExist();
        QuantizeConfig everything = new QuantizeConfig(7, 8, 0.7, 32, List.of());
        assertThatThrownBy(() -> distil("all", recipe(run(0, 0), stage("int8", 8, loss, "", 1e-3, everything)), -1))
                .hasMessageContaining("keep does not name t_embedder");
    }
}
