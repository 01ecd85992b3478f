package dev.retort.export;

import dev.retort.card.FoldedDitSpec;
import dev.retort.card.Part;
import dev.retort.data.Prompts;
import dev.retort.diffusion.NoiseScale;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.graph.Value;
import dev.retort.model.Condition;
import dev.retort.model.Conditioner;
import dev.retort.model.Request;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;

/** An exported file beside the network it came from: both are given the same 16 inputs. */
final class OutputCheck {
    /** How many samples both are asked about. */
    static final int SAMPLES = 16;

    /** At so many of a plan's steps one call is compared. */
    private static final int MOST_STEPS = 4;

    private static final long SEED = 0;

    /**
     * What a file is given and what the network makes of it.
     *
     * @param inputs float[] or long[] by the names of the file's inputs
     * @param expected values of the output
     */
    record Case(Map<String, Object> inputs, float[] expected) {}

    private final OpenedModel model;
    private final Way way;
    private final int size;

    OutputCheck(OpenedModel model, Way way) {
        this.model = model;
        this.way = way;
        size = model.card().network().shape().values();
    }

    /** One call at some steps of the plan, each of as many samples: noise of the step's own level, labels in turn. */
    List<Case> calls() {
        List<Integer> steps = way.some(MOST_STEPS);
        List<Case> cases = new ArrayList<>();
        for (int i = 0; i < steps.size(); i++) {
            int first = SAMPLES * i / steps.size();
            cases.add(call(steps.get(i), first, SAMPLES * (i + 1) / steps.size() - first));
        }
        return cases;
    }

    private Case call(int step, int first, int count) {
        Plan.Call call = way.sampler().plan().steps().get(step).call();
        float[] x = noise(Purpose.SAMPLE_START, 0, first, count);
        double level = call.inputScale() * Math.hypot(call.alpha(), call.sigma());
        for (int i = 0; i < x.length; i++) {
            x[i] *= (float) level;
        }
        Map<String, Object> inputs = new LinkedHashMap<>();
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Condition told = told(first, count, way.asksTwice(step));
            for (Value input : model.graph().inputs()) {
                inputs.put(input.name(), input.name().equals("x") ? x : input(input.name(), step, told));
            }
            try (Request request = model.network().open(way.moments(), told)) {
                return new Case(inputs, Tensors.floats(request.call(step, tensor(x, count))));
            }
        }
    }

    /** What some samples are told, the last one nothing where guidance asks for that. */
    private Condition told(int first, int count, boolean withNone) {
        Conditioner conditioner = way.sampler().conditioner();
        Condition told = conditioner.of(prompts(first, count), Device.CPU);
        if (!withNone) {
            return told;
        }
        boolean[] dropped = new boolean[count];
        dropped[count - 1] = true;
        return told.orNone(dropped, conditioner.none(count, Device.CPU));
    }

    private Prompts prompts(int first, int count) {
        return Prompts.inTurn(model.card(), first, count);
    }

    private Object input(String name, int step, Condition told) {
        if (name.equals("row")) {
            return rows(step, Tensors.longs(told.get(Part.LABEL)));
        }
        if (!name.equals("time") && told.has(Way.part(name))) {
            return values(told.get(Way.part(name)));
        }
        float[] numbers = new float[Math.toIntExact(told.rows())];
        Arrays.fill(numbers, (float) way.told(step, name));
        return numbers;
    }

    private static Object values(Tensor part) {
        return part.is_floating_point() ? Tensors.floats(part) : Tensors.longs(part);
    }

    private long[] rows(int step, long[] labels) {
        FoldedDitSpec spec = model.folded();
        long moment = way.momentOf(step, spec);
        return Arrays.stream(labels)
                .map(label -> moment * spec.labels().size() + spec.labels().indexOf((int) label))
                .toArray();
    }

    /** All steps at once. */
    List<Case> samples() {
        Map<String, Object> inputs = new LinkedHashMap<>();
        inputs.put("noise", noise(Purpose.SAMPLE_START, 0, 0, SAMPLES));
        List<Plan.Step> steps = way.sampler().plan().steps();
        for (int k = 0; k < steps.size(); k++) {
            if (!steps.get(k).noise().equals(NoiseScale.NONE)) {
                inputs.put("noise." + k, noise(Purpose.SAMPLE_STEP, k, 0, SAMPLES));
            }
        }
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Condition told = told(0, SAMPLES, false);
            way.parts().forEach(part -> inputs.put(Way.input(part), values(told.get(part))));
            Tensor pixels = way.sampler()
                    .sample(
                            prompts(0, SAMPLES),
                            SEED,
                            LongStream.range(0, SAMPLES).toArray());
            return List.of(new Case(inputs, Tensors.floats(pixels)));
        }
    }

    private float[] noise(Purpose purpose, long step, int first, int count) {
        float[] values = new float[count * size];
        for (int i = 0; i < count; i++) {
            Rng.at(SEED, purpose, step, first + i).fillGaussian(values, i * size, size);
        }
        return values;
    }

    private Tensor tensor(float[] values, int count) {
        long[] shape = model.graph().inputs().get(0).shape().at(count);
        return Tensors.of(values, Device.CPU, shape);
    }

    /** The largest error of a file's output over all cases. */
    static double error(OnnxSession session, List<Case> cases, Tolerance tolerance) {
        double most = 0;
        for (Case one : cases) {
            float[] values = session.run(one.inputs()).values().iterator().next();
            most = Math.max(most, tolerance.error(values, one.expected()));
        }
        return most;
    }
}
