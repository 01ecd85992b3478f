package dev.retort.runtime;

import dev.retort.diffusion.ArrayExecutor;
import dev.retort.diffusion.Clamp;
import dev.retort.diffusion.Combination;
import dev.retort.diffusion.FlowEuler;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.NoiseScale;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.PlanText;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.TimeGrid;
import dev.retort.graph.Shape;
import dev.retort.io.Dtype;
import dev.retort.onnx.OnnxBuilder;
import dev.retort.onnx.OnnxOp;
import dev.retort.onnx.OnnxWriter;
import dev.retort.text.ClipTokenizer;
import dev.retort.text.TokenizerText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * Files of a small student in each form, all of one network of 1 × 8 × 8 values and three classes:
 * output = tanh(x W + class + time · direction).
 */
public final class TestStudents {
    static final int SIZE = 64;
    static final List<String> CLASSES = List.of("circle", "square", "star, asterisk");
    private static final int NO_CLASS = CLASSES.size();

    private static final FlowLinear FLOW = new FlowLinear();

    private final double[] weight;
    private final double[] embedding;
    private final double[] direction;

    /** The network of a seed. */
    TestStudents(long seed) {
        Random random = new Random(seed);
        weight = numbers(random, SIZE * SIZE, 0.12);
        embedding = numbers(random, (NO_CLASS + 1) * SIZE, 0.8);
        direction = numbers(random, SIZE, 0.5);
    }

    private static double[] numbers(Random random, int count, double scale) {
        return random.doubles(count).map(x -> (float) (scale * (2 * x - 1))).toArray();
    }

    /** A plan without noise. */
    static Plan plan(int steps) {
        return new FlowEuler().plan(new Process(FLOW, Prediction.FLOW, Clamp.to(1)), TimeGrid.flow(FLOW, steps, 1));
    }

    /** A plan that adds noise after each step but the last. */
    static Plan noisyPlan(int steps) {
        return new FlowEuler(true).plan(new Process(FLOW, Prediction.FLOW), TimeGrid.flow(FLOW, steps, 1));
    }

    /** The usual file: asked at any time, in two steps or, where asked for, four. */
    public static Path usual(Path folder) {
        return new TestStudents(5).anyTime(folder.resolve("student.onnx"), metadata("network", 1, plan(2), plan(4)));
    }

    /** A file that draws what texts of circles and squares say, up to four words. */
    public static Path words(Path folder) {
        List<String> texts = List.of("a red circle", "two blue squares");
        Map<String, String> metadata = new LinkedHashMap<>(metadata("network", 2.5, plan(2)));
        metadata.put("retort.prompts", String.join("\n", texts));
        return new TestStudents(5).words(folder.resolve("words.onnx"), metadata, ClipTokenizer.learn(texts, 60, 6));
    }

    /** What the network computes, in double. */
    ArrayExecutor.Network network(int label) {
        double[] told = Arrays.copyOfRange(embedding, label * SIZE, (label + 1) * SIZE);
        return (x, call) -> output(x, call.time(), told);
    }

    private double[] output(double[] x, double time, double[] told) {
        double[] output = new double[SIZE];
        for (int i = 0; i < SIZE; i++) {
            double sum = told[i] + time * direction[i];
            for (int j = 0; j < SIZE; j++) {
                sum += x[j] * weight[j * SIZE + i];
            }
            output[i] = Math.tanh(sum);
        }
        return output;
    }

    /** The same guided: u + g (c - u). */
    ArrayExecutor.Network guided(int label, double scale) {
        return (x, call) -> {
            double[] c = network(label).output(x, call);
            double[] u = network(NO_CLASS).output(x, call);
            for (int i = 0; i < SIZE; i++) {
                u[i] += scale * (c[i] - u[i]);
            }
            return u;
        };
    }

    /** What a file says, by key, of these plans, the first of which is the usual one. */
    static Map<String, String> metadata(String form, double guidance, Plan... plans) {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("retort.format", "1");
        metadata.put("retort.form", form);
        metadata.put("retort.values", "1 8 8");
        metadata.put("retort.classes", String.join("\n", CLASSES));
        metadata.put("retort.labels", "0 1 2");
        metadata.put("retort.precision", "fp32");
        metadata.put("retort.isa", "any");
        List<String> steps = new ArrayList<>();
        for (Plan plan : plans) {
            int count = plan.steps().size();
            steps.add(Integer.toString(count));
            metadata.put("retort.plan." + count, PlanText.of(plan));
            metadata.put("retort.guidance." + count, (guidance + " ").repeat(count) + "/ 0");
        }
        metadata.put("retort.steps", String.join(" ", steps));
        return metadata;
    }

    /** A file that is asked at any time. */
    Path anyTime(Path file, Map<String, String> metadata) {
        return anyTime(file, metadata, Long.MAX_VALUE);
    }

    /** The same with its weights beside it where they are larger. */
    Path anyTime(Path file, Map<String, String> metadata, long mostInside) {
        OnnxBuilder builder = new OnnxBuilder();
        String x = builder.input("x", Dtype.F32, Shape.ofSamples(1, 8, 8));
        String time = builder.input("time", Dtype.F32, Shape.ofSamples());
        String label = builder.input("label", Dtype.I64, Shape.ofSamples());
        String of = builder.add(OnnxOp.GATHER, table(builder, "embedding", embedding), label);
        String moved =
                builder.add(OnnxOp.ADD, of, moment(builder, builder.add(OnnxOp.RESHAPE, time, builder.wholes(-1, 1))));
        builder.output("output", Dtype.F32, Shape.ofSamples(1, 8, 8), output(builder, x, moved));
        return write(file, builder, metadata, mostInside);
    }

    /** A file that is told texts: the sum of what their tokens stand for takes the place of a class. */
    Path words(Path file, Map<String, String> metadata, ClipTokenizer tokenizer) {
        OnnxBuilder builder = new OnnxBuilder();
        String x = builder.input("x", Dtype.F32, Shape.ofSamples(1, 8, 8));
        String time = builder.input("time", Dtype.F32, Shape.ofSamples());
        String tokens = builder.input("tokens", Dtype.I64, Shape.ofSamples(1, tokenizer.length()));
        String of = builder.add(OnnxOp.GATHER, table(builder, "words", words(tokenizer)), tokens);
        String sum = builder.add(OnnxOp.REDUCE_SUM, Map.of("keepdims", 0L), of, builder.wholes(1, 2));
        String moved =
                builder.add(OnnxOp.ADD, sum, moment(builder, builder.add(OnnxOp.RESHAPE, time, builder.wholes(-1, 1))));
        builder.output("output", Dtype.F32, Shape.ofSamples(1, 8, 8), output(builder, x, moved));
        Map<String, String> with = new LinkedHashMap<>(metadata);
        with.keySet().removeAll(List.of("retort.classes", "retort.labels"));
        with.putIfAbsent("retort.tokenizer.0", TokenizerText.of(tokenizer));
        return write(file, builder, with, Long.MAX_VALUE);
    }

    private static double[] words(ClipTokenizer tokenizer) {
        return numbers(new Random(11), tokenizer.vocabulary() * SIZE, 0.4);
    }

    /** What the network of {@link #words} computes of a text, guided away from another. */
    ArrayExecutor.Network told(ClipTokenizer tokenizer, String text, String negative, double scale) {
        return (x, call) -> {
            double[] c = output(x, call.time(), sum(tokenizer, text));
            double[] u = output(x, call.time(), sum(tokenizer, negative));
            for (int i = 0; i < SIZE; i++) {
                u[i] += scale * (c[i] - u[i]);
            }
            return u;
        };
    }

    private static double[] sum(ClipTokenizer tokenizer, String text) {
        double[] words = words(tokenizer);
        double[] sum = new double[SIZE];
        for (int id : tokenizer.ids(text)) {
            for (int i = 0; i < SIZE; i++) {
                sum[i] += words[id * SIZE + i];
            }
        }
        return sum;
    }

    /** A file that is told nothing but the time. */
    Path untold(Path file, Map<String, String> metadata) {
        OnnxBuilder builder = new OnnxBuilder();
        String x = builder.input("x", Dtype.F32, Shape.ofSamples(1, 8, 8));
        String time = builder.input("time", Dtype.F32, Shape.ofSamples());
        String moved = moment(builder, builder.add(OnnxOp.RESHAPE, time, builder.wholes(-1, 1)));
        builder.output("output", Dtype.F32, Shape.ofSamples(1, 8, 8), output(builder, x, moved));
        Map<String, String> with = new LinkedHashMap<>(metadata);
        with.keySet().removeAll(List.of("retort.classes", "retort.labels"));
        return write(file, builder, with, Long.MAX_VALUE);
    }

    /** What the network of {@link #untold} computes. */
    ArrayExecutor.Network untold() {
        return (x, call) -> output(x, call.time(), new double[SIZE]);
    }

    /** A file with a table of the times of its plans. */
    Path folded(Path file, Map<String, String> metadata, Plan... plans) {
        double[] times = List.of(plans).stream()
                .flatMap(plan -> plan.steps().stream().map(step -> step.call().time()))
                .distinct()
                .mapToDouble(Double::doubleValue)
                .toArray();
        double[] rows = new double[times.length * (NO_CLASS + 1) * SIZE];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = embedding[i % embedding.length] + times[i / embedding.length] * direction[i % SIZE];
        }
        OnnxBuilder builder = new OnnxBuilder();
        String x = builder.input("x", Dtype.F32, Shape.ofSamples(1, 8, 8));
        String row = builder.input("row", Dtype.I64, Shape.ofSamples());
        String of = builder.add(OnnxOp.GATHER, table(builder, "rows", rows), row);
        builder.output("output", Dtype.F32, Shape.ofSamples(1, 8, 8), output(builder, x, of));
        Map<String, String> with = new LinkedHashMap<>(metadata);
        String moments = Arrays.stream(times).mapToObj(Double::toString).collect(Collectors.joining(" "));
        with.put("retort.rows", "times " + moments + "\nlabels 0 1 2 3\n");
        return write(file, builder, with, Long.MAX_VALUE);
    }

    /** A file of all steps of a plan that looks back no further than its current step. */
    Path unrolled(Path file, Map<String, String> metadata, Plan plan) {
        OnnxBuilder builder = new OnnxBuilder();
        String noise = builder.input("noise", Dtype.F32, Shape.ofSamples(1, 8, 8));
        String label = builder.input("label", Dtype.I64, Shape.ofSamples());
        String of = builder.add(OnnxOp.GATHER, table(builder, "embedding", embedding), label);
        String x = times(builder, noise, plan.startScale());
        for (int k = 0; k < plan.steps().size(); k++) {
            Plan.Step step = plan.steps().get(k);
            Plan.Call call = step.call();
            String moved = builder.add(OnnxOp.ADD, of, moment(builder, builder.number(call.time())));
            String output = output(builder, times(builder, x, call.inputScale()), moved);
            String x0 = builder.add(
                    OnnxOp.ADD, times(builder, x, call.x0FromState()), times(builder, output, call.x0FromOutput()));
            String next = builder.number(0);
            for (Combination.Term term : step.next().terms()) {
                String value = List.of(x, output, x0).get(term.source().ordinal());
                next = builder.add(OnnxOp.ADD, next, times(builder, value, term.coefficient()));
            }
            if (step.noise() instanceof NoiseScale.Fixed fixed) {
                String fresh = builder.input("noise." + k, Dtype.F32, Shape.ofSamples(1, 8, 8));
                next = builder.add(OnnxOp.ADD, next, times(builder, fresh, fixed.scale()));
            }
            x = next;
        }
        builder.output("pixels", Dtype.F32, Shape.ofSamples(1, 8, 8), x);
        return write(file, builder, metadata, Long.MAX_VALUE);
    }

    private static String table(OnnxBuilder builder, String name, double[] values) {
        return builder.constant(name, Dtype.F32, values, values.length / SIZE, SIZE);
    }

    private String moment(OnnxBuilder builder, String time) {
        return builder.add(OnnxOp.MUL, time, builder.constant("direction", Dtype.F32, direction, SIZE));
    }

    private static String times(OnnxBuilder builder, String value, double factor) {
        return builder.add(OnnxOp.MUL, value, builder.number(factor));
    }

    private String output(OnnxBuilder builder, String x, String shift) {
        String flat = builder.add(OnnxOp.RESHAPE, x, builder.wholes(-1, SIZE));
        String product = builder.add(OnnxOp.MATMUL, flat, builder.constant("weight", Dtype.F32, weight, SIZE, SIZE));
        String sum = builder.add(OnnxOp.ADD, product, shift);
        return builder.add(OnnxOp.RESHAPE, builder.add(OnnxOp.TANH, sum), builder.wholes(-1, 1, 8, 8));
    }

    private static Path write(Path file, OnnxBuilder builder, Map<String, String> metadata, long mostInside) {
        OnnxWriter.write(file, builder.model(metadata), Math.min(mostInside, OnnxWriter.MOST_INSIDE));
        return file;
    }
}
