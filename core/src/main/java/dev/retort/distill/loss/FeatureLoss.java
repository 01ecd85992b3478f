package dev.retort.distill.loss;

import dev.retort.card.TapPoint;
import dev.retort.model.Answer;
import dev.retort.model.LayerMap;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.nn.Taps;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.train.Loss;
import dev.retort.train.Pass;
import java.util.ArrayList;
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
public final class FeatureLoss implements Loss {
    /** Keeps a layer whose teacher says next to nothing from dividing by it. */
    private static final double TINY = 1e-6;

    private final String student;
    private final String teacher;
    private final List<Points> points = new ArrayList<>();
    private final boolean normalise;
    private final double outlierStd;
    private final Map<String, Layer> connectors = new LinkedHashMap<>();

    /** Two places that are to be alike, and the name of what connects them. */
    private record Points(String connector, TapPoint student, TapPoint teacher) {}

    /**
     * @param student name of the player that learns
     * @param teacher name of the player that is to be met
     * @param map which of the student's places is to be like which of the teacher's
     * @param ofStudent places that the student hands out
     * @param ofTeacher places that the teacher hands out
     * @param normalise divide each layer's difference by the teacher's mean square there, so that layers count alike
     * @param outlierStd leave out values further than this many standard deviations from their sample's mean, in the
     *     student's or in the teacher's features; 0 keeps all
     * @param init initial values of the connectors
     */
    public FeatureLoss(
            String student,
            String teacher,
            List<LayerMap.Pair> map,
            List<TapPoint> ofStudent,
            List<TapPoint> ofTeacher,
            boolean normalise,
            double outlierStd,
            Init init) {
        this.student = student;
        this.teacher = teacher;
        this.normalise = normalise;
        this.outlierStd = outlierStd;
        try (Scope scope = Scope.open()) {
            for (LayerMap.Pair pair : map) {
                TapPoint s = ofStudent.get(pair.student());
                TapPoint t = ofTeacher.get(pair.teacher());
                String name = "connector." + pair.student() + "-" + pair.teacher();
                points.add(new Points(name, s, t));
                if (s.channels() != t.channels()) {
                    connectors.put(
                            name, Linear.xavier(init.at("connector." + pair.student()), s.channels(), t.channels()));
                }
            }
        }
    }

    @Override
    public String name() {
        return "feature";
    }

    @Override
    public Map<String, Set<String>> taps() {
        Set<String> ofStudent = new LinkedHashSet<>();
        Set<String> ofTeacher = new LinkedHashSet<>();
        points.forEach(point -> {
            ofStudent.add(point.student.name());
            ofTeacher.add(point.teacher.name());
        });
        return Map.of(student, ofStudent, teacher, ofTeacher);
    }

    @Override
    public Map<String, Layer> parts() {
        return connectors;
    }

    @Override
    public Tensor perSample(Pass pass) {
        Answer studentAnswer = pass.ask(student);
        Answer teacherAnswer = pass.ask(teacher);
        Tensor sum = null;
        for (Points point : points) {
            Tensor s = Taps.tokens(studentAnswer.tap(point.student.name()), point.student); // (N, T, D)
            Tensor t = Taps.tokens(teacherAnswer.tap(point.teacher.name()), point.teacher); // (N, T', D')
            Tensor connected = connectors.get(point.connector) instanceof Linear connector ? connector.forward(s) : s;
            Tensor distance = distance(coarse(connected, point.student, point), coarse(t, point.teacher, point)); // (N)
            sum = sum == null ? distance : sum.add(distance);
        }
        return Ops.mul(sum, 1.0 / points.size());
    }

    /** (N, T, D) → (N, T”, D), T” being the tokens of the coarser of both grids. */
    private static Tensor coarse(Tensor x, TapPoint from, Points both) {
        long toRows = Math.min(both.student.rows(), both.teacher.rows());
        long toCols = Math.min(both.student.cols(), both.teacher.cols());
        Tensor wide = Dtype.F32.cast(x);
        if (from.rows() == toRows && from.cols() == toCols) {
            return wide;
        }
        Tensor image = wide.transpose(1, 2).reshape(x.size(0), x.size(2), from.rows(), from.cols());
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
        connectors.values().forEach(Layer::close);
    }
}
