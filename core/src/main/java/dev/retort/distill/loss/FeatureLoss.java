package dev.retort.distill.loss;

import dev.retort.card.DitSpec;
import dev.retort.model.LayerMap;
import dev.retort.nn.Init;
import dev.retort.nn.Linear;
import dev.retort.nn.Taps;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.train.LossTerm;
import dev.retort.train.NoisyBatch;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * Feature distillation on block outputs (distillation.md §5.2): the mean over mapped layers of a masked, normalised mean
 * squared difference. A connector (linear, trained along, dropped at export) leads from the student's width to the
 * teacher's; different token grids are pooled to the coarser one.
 */
public final class FeatureLoss implements LossTerm {
    private static final double TINY = 1e-6;
    private final Teacher teacher;
    private final DitSpec student;
    private final DitSpec taught;
    private final List<LayerMap.Pair> map;
    private final boolean normalise;
    private final double outlierStd;
    private final Map<LayerMap.Pair, Linear> connectors = new LinkedHashMap<>();

    /**
     * @param normalise divide each layer's difference by the teacher's mean square there, so that layers count alike
     * @param outlierStd leave out values further than this many standard deviations from their sample's mean, in the
     *     student's or in the teacher's features; 0 keeps all
     * @param init initial values of the connectors
     */
    public FeatureLoss(
            Teacher teacher,
            DitSpec student,
            List<LayerMap.Pair> map,
            boolean normalise,
            double outlierStd,
            Init init) {
        this.teacher = teacher;
        this.student = student;
        this.map = map;
        this.normalise = normalise;
        this.outlierStd = outlierStd;
        taught = (DitSpec) teacher.network().spec();
        try (Scope scope = Scope.open()) {
            for (LayerMap.Pair pair : map) {
                teacher.want("blocks." + pair.teacher());
                if (student.hidden() != taught.hidden()) {
                    connectors.put(
                            pair,
                            Linear.xavier(init.at("connector." + pair.student()), student.hidden(), taught.hidden()));
                }
            }
        }
    }

    @Override
    public String name() {
        return "feature";
    }

    @Override
    public Set<String> taps() {
        Set<String> taps = new LinkedHashSet<>();
        map.forEach(pair -> taps.add("blocks." + pair.student()));
        return taps;
    }

    @Override
    public Map<String, Tensor> parameters() {
        Map<String, Tensor> parameters = new LinkedHashMap<>();
        connectors.forEach((pair, connector) -> connector
                .parameters()
                .forEach((name, tensor) ->
                        parameters.put("connector." + pair.student() + "-" + pair.teacher() + "." + name, tensor)));
        return parameters;
    }

    @Override
    public Tensor perSample(Tensor output, Taps taps, NoisyBatch batch) {
        Map<String, Tensor> told = teacher.answer(batch).taps();
        Tensor sum = null;
        for (LayerMap.Pair pair : map) {
            Tensor s = taps.get("blocks." + pair.student()); // (N, T, D)
            Tensor t = told.get("blocks." + pair.teacher()); // (N, T', D')
            Linear connector = connectors.get(pair);
            Tensor distance =
                    distance(coarse(connector == null ? s : connector.forward(s), student), coarse(t, taught)); // (N)
            sum = sum == null ? distance : sum.add(distance);
        }
        return Ops.mul(sum, 1.0 / map.size());
    }

    /** (N, T, D) → (N, T”, D), T” being the tokens of the coarser of both grids. */
    private Tensor coarse(Tensor x, DitSpec spec) {
        long rows = spec.height() / spec.patch();
        long cols = spec.width() / spec.patch();
        long toRows = Math.min(student.height() / student.patch(), taught.height() / taught.patch());
        long toCols = Math.min(student.width() / student.patch(), taught.width() / taught.patch());
        Tensor wide = Dtype.F32.cast(x);
        if (rows == toRows && cols == toCols) {
            return wide;
        }
        Tensor image = wide.transpose(1, 2).reshape(x.size(0), x.size(2), rows, cols);
        return Ops.adaptiveAveragePool(image, toRows, toCols).flatten(2, -1).transpose(1, 2);
    }

    private Tensor distance(Tensor s, Tensor t) {
        Tensor squared = s.sub(t).square();
        Tensor scale = t.square();
        if (outlierStd > 0) {
            Tensor mask = inliers(s.detach()).mul(inliers(t));
            squared = squared.mul(mask);
            scale = scale.mul(mask);
        }
        Tensor mean = Ops.meanPerSample(squared);
        return normalise ? mean.div(Ops.add(Ops.meanPerSample(scale), TINY)) : mean;
    }

    /** 1 where a value is within {@code outlierStd} standard deviations of its sample's mean, else 0. */
    private Tensor inliers(Tensor x) {
        Tensor flat = x.reshape(x.size(0), -1);
        Tensor centred = flat.sub(Ops.mean(flat, 1, true));
        Tensor variance = Ops.mean(centred.square(), 1, true);
        Tensor inside = Ops.mul(variance, outlierStd * outlierStd).sub(centred.square());
        return Dtype.F32.cast(Ops.greater(inside, 0)).view_as(x);
    }

    @Override
    public void close() {
        connectors.values().forEach(Linear::close);
    }
}
