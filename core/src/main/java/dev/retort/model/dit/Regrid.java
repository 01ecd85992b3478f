package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.layout.PositionTable;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Starts a network from one that was trained at another size. All weights are taken over; the position table is computed anew
 * so that the new grid covers the picture that the old one covered. Rotary positions, which are relative, stay as they are.
 */
public final class Regrid {
    private static final String POSITIONS = "pos_embed";
    private static final double TOLERANCE = 1e-3;

    private Regrid() {}

    /**
     * Copies weights.
     *
     * @param from the trained network, left as it is
     * @param to the network that is to start, of the same shape but for height and width
     * @throws RetortException of kind CHECKPOINT, naming what does not fit; nothing is copied then
     */
    public static void copy(Dit from, Dit to) {
        DitSpec old = from.spec();
        DitSpec spec = to.spec();
        if (old.heads() != spec.heads()
                || old.modern() != spec.modern()
                || old.patch() != spec.patch()
                || !old.convention().equals(spec.convention())) {
            throw refused("heads, patch, modern and convention are " + shape(old) + ", expected " + shape(spec));
        }
        try (Scope scope = Scope.open()) {
            Map<String, Tensor> state = new LinkedHashMap<>(from.state());
            state.put(POSITIONS, positions(state.get(POSITIONS), old, spec, to.device()));
            List<String> problems = to.load(state);
            if (!problems.isEmpty()) {
                throw refused(FirstFew.of(problems, 3));
            }
        }
    }

    /**
     * The position table of another grid that covers the same picture.
     *
     * @param table the known one (1, T, D)
     * @param old the network it belongs to
     * @param spec whose grid is wanted; its width does not count
     * @return (1, T', D)
     */
    public static Tensor positions(Tensor table, DitSpec old, DitSpec spec, Device device) {
        int rows = old.height() / old.patch();
        int cols = old.width() / old.patch();
        float[] known = Tensors.floats(table);
        double down = rows > 1 ? PositionTable.spacing(known, cols, old.hidden(), true) : 1;
        double across = cols > 1 ? PositionTable.spacing(known, cols, old.hidden(), false) : 1;
        double[] expected = PositionTable.sinCos(rows, cols, old.hidden(), down, across);
        for (int i = 0; i < known.length; i++) {
            if (Math.abs(known[i] - expected[i]) > TOLERANCE) {
                throw refused(
                        "its positions are not a table of sines and cosines, so they cannot be moved to another grid");
            }
        }
        int newRows = spec.height() / spec.patch();
        int newCols = spec.width() / spec.patch();
        double[] moved =
                PositionTable.sinCos(newRows, newCols, old.hidden(), down * rows / newRows, across * cols / newCols);
        return Ops.view(Tensors.of(moved, device), 1, spec.tokens(), old.hidden());
    }

    private static String shape(DitSpec spec) {
        return spec.heads() + ", " + spec.patch() + ", " + spec.modern() + " and " + spec.convention();
    }

    private static RetortException refused(String why) {
        return new RetortException(
                Kind.CHECKPOINT,
                "the network to start from does not fit: " + why + "; it may differ in height and width alone");
    }
}
