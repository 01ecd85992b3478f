package dev.retort.model;

import dev.retort.card.TapPoint;
import dev.retort.config.Suggestion;
import java.util.ArrayList;
import java.util.List;

/** Which student block is to be like which teacher block. */
public final class LayerMap {
    /** Blocks are paired by their place in order. */
    public static final String UNIFORM = "uniform";

    /** Blocks are paired that have one name in both networks. */
    public static final String NAMES = "names";

    private LayerMap() {}

    /**
     * A pair of blocks, counted from 0.
     *
     * @param student block of the student
     * @param teacher block of the teacher
     */
    public record Pair(int student, int teacher) {}

    /** Student block i beside teacher block ⌊(i+1)·T/S⌋-1 (distillation.md §5.3): the last ones always meet. */
    public static List<Pair> uniform(int studentDepth, int teacherDepth) {
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < studentDepth; i++) {
            pairs.add(new Pair(i, Math.max(0, (i + 1) * teacherDepth / studentDepth - 1)));
        }
        return pairs;
    }

    /**
     * The pairs that a text means: {@link #UNIFORM}, {@link #NAMES}, or pairs student-teacher with commas between, each side a name
     * of a tap or a number from 0.
     *
     * @throws IllegalArgumentException that opens with {@code map}, where a block does not exist, or where the pairs that follow
     *     by themselves would not be those of blocks that do the same
     */
    public static List<Pair> of(String map, List<TapPoint> student, List<TapPoint> teacher) {
        if (map.equals(UNIFORM)) {
            if (student.size() != teacher.size() && (isPyramid(student) || isPyramid(teacher))) {
                throw new IllegalArgumentException("map is " + UNIFORM + ", which pairs blocks by their order, but "
                        + student.size() + " blocks of the student and " + teacher.size()
                        + " of the teacher lie on grids of several sizes; let it be " + NAMES + ", or name the pairs");
            }
            return uniform(student.size(), teacher.size());
        }
        if (map.equals(NAMES)) {
            return sameNames(student, teacher);
        }
        List<Pair> pairs = new ArrayList<>();
        for (String pair : map.split(",")) {
            String[] ends = pair.split("-");
            pairs.add(new Pair(block("student", ends[0], student), block("teacher", ends[1], teacher)));
        }
        return pairs;
    }

    /** A block of the same name may do something else where blocks are missing before it: then its grid is another. */
    private static List<Pair> sameNames(List<TapPoint> student, List<TapPoint> teacher) {
        List<String> names = names(teacher);
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < student.size(); i++) {
            int j = names.indexOf(student.get(i).name());
            if (j >= 0) {
                pairs.add(new Pair(i, j));
            }
        }
        if (pairs.isEmpty()) {
            throw new IllegalArgumentException("map is " + NAMES + ", but the student's " + names(student)
                    + " and the teacher's " + names + " have none in common; name the pairs");
        }
        TapPoint s = student.get(pairs.get(0).student);
        TapPoint t = teacher.get(pairs.get(0).teacher);
        for (Pair pair : pairs) {
            TapPoint ofStudent = student.get(pair.student);
            TapPoint ofTeacher = teacher.get(pair.teacher);
            if (ofStudent.rows() * t.rows() != ofTeacher.rows() * s.rows()
                    || ofStudent.cols() * t.cols() != ofTeacher.cols() * s.cols()) {
                throw new IllegalArgumentException("map is " + NAMES + ", but " + ofStudent.name() + " is "
                        + grid(ofStudent) + " in the student and " + grid(ofTeacher) + " in the teacher, where "
                        + s.name() + " is " + grid(s) + " and " + grid(t)
                        + ": these are not the same blocks; name the pairs, as in {" + s.name() + ": " + t.name()
                        + "}");
            }
        }
        return pairs;
    }

    private static boolean isPyramid(List<TapPoint> points) {
        return points.stream()
                .anyMatch(point -> point.rows() != points.get(0).rows()
                        || point.cols() != points.get(0).cols());
    }

    private static String grid(TapPoint point) {
        return point.rows() + "x" + point.cols();
    }

    private static List<String> names(List<TapPoint> points) {
        return points.stream().map(TapPoint::name).toList();
    }

    private static int block(String whose, String block, List<TapPoint> points) {
        boolean number = block.matches("\\d{1,6}");
        int index = number ? Integer.parseInt(block) : names(points).indexOf(block);
        if (number && index >= points.size()) {
            throw new IllegalArgumentException(
                    "map has " + whose + " block " + block + ", expected 0.." + (points.size() - 1));
        }
        if (index < 0) {
            throw new IllegalArgumentException("map names '" + block + "', which is no block of the " + whose
                    + Suggestion.among(block, names(points)));
        }
        return index;
    }
}
