package dev.retort.distill.loss;

import dev.retort.card.TapPoint;
import dev.retort.model.Answer;
import dev.retort.model.LayerMap;
import dev.retort.nn.Affine;
import dev.retort.nn.Conv2d;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
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
 * Feature distillation on block outputs (Romero et al. 2015; Kim et al. 2023, BK-SDM; distillation.md §5.2): the weighted mean over
 * pairs of places of a {@link FeatureDistance}. Where a student has other channels there than its teacher, a connector leads from
 * the one's to the other's: a linear layer over tokens, a 1x1 convolution over a map, trained along and dropped at export.
 */
public final class FeatureLoss implements Loss {
    private final String student;
    private final String teacher;
    private final FeatureDistance distance;
    private final List<Points> points = new ArrayList<>();
    private final Map<String, Layer> connectors = new LinkedHashMap<>();

    /** Two places that are to be alike, what that counts, and the name of what connects them. */
    private record Points(String connector, TapPoint student, TapPoint teacher, double weight) {}

    /**
     * @param student name of the player that learns
     * @param teacher name of the player that is to be met
     * @param map which of the student's places is to be like which of the teacher's
     * @param ofStudent places that the student hands out
     * @param ofTeacher places that the teacher hands out
     * @param weights of pairs by the name of the student's place; 1 where there is none
     * @param distance between two places
     * @param init initial values of the connectors
     */
    public FeatureLoss(
            String student,
            String teacher,
            List<LayerMap.Pair> map,
            List<TapPoint> ofStudent,
            List<TapPoint> ofTeacher,
            Map<String, Double> weights,
            FeatureDistance distance,
            Init init) {
        this.student = student;
        this.teacher = teacher;
        this.distance = distance;
        try (Scope scope = Scope.open()) {
            for (LayerMap.Pair pair : map) {
                TapPoint s = ofStudent.get(pair.student());
                TapPoint t = ofTeacher.get(pair.teacher());
                String name = "connector." + pair.student() + "-" + pair.teacher();
                distance.requireFit(s, t);
                points.add(new Points(name, s, t, weights.getOrDefault(s.name(), 1.0)));
                if (s.channels() != t.channels()) {
                    connectors.put(name, connector(init.at("connector." + pair.student()), s, t.channels()));
                }
            }
        }
    }

    private static Affine connector(Init init, TapPoint from, int to) {
        return from.form() == TapPoint.Form.TOKENS
                ? Linear.xavier(init, from.channels(), to)
                : Conv2d.xavier(init, from.channels(), to, 1, 1, 0);
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
        double weights = 0;
        for (Points point : points) {
            Tensor s = studentAnswer.tap(point.student.name());
            Tensor connected = connectors.get(point.connector) instanceof Affine connector ? connector.forward(s) : s;
            Tensor t = teacherAnswer.tap(point.teacher.name());
            Tensor each = Ops.mul(distance.of(connected, point.student, t, point.teacher), point.weight); // (N)
            sum = sum == null ? each : sum.add(each);
            weights += point.weight;
        }
        return Ops.mul(sum, 1 / weights);
    }

    @Override
    public void close() {
        connectors.values().forEach(Layer::close);
    }
}
