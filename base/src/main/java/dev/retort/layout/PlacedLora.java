package dev.retort.layout;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An adapter in the network that it is for.
 *
 * @param own the layer's path in the network
 * @param firstRow where in the layer's weight the rows begin that it adds to
 * @param pair A, B and the scale
 */
public record PlacedLora(String own, long firstRow, LoraPair pair) {
    /** Whether it adds to this row of the weight. */
    boolean reaches(long row) {
        return row >= firstRow && row < firstRow + pair.outputs();
    }

    /** The same with another weight: its scale multiplied. */
    public PlacedLora weighted(double weight) {
        return new PlacedLora(own, firstRow, pair.scaled(pair.scale() * weight));
    }

    /**
     * One for each layer, under its path in the network, of what adds to parts of its weight: their A below each other, and each B in
     * its own rows and columns, so that the sum is the same exactly.
     *
     * @param rowsOf rows of each layer's weight, by its path
     */
    static List<LoraPair> joined(List<PlacedLora> placed, Map<String, Long> rowsOf) {
        Map<String, List<PlacedLora>> byLayer = new LinkedHashMap<>();
        placed.forEach(one ->
                byLayer.computeIfAbsent(one.own(), own -> new ArrayList<>()).add(one));
        List<LoraPair> joined = new ArrayList<>();
        byLayer.forEach((own, parts) -> joined.add(joined(own, Math.toIntExact(rowsOf.get(own)), parts)));
        return joined;
    }

    private static LoraPair joined(String own, int rows, List<PlacedLora> parts) {
        LoraPair first = parts.get(0).pair();
        if (parts.size() == 1 && first.outputs() == rows) {
            return first.at(first.component(), own);
        }
        int rank = parts.stream().mapToInt(part -> part.pair().rank()).sum();
        long[] downShape = first.downShape().clone();
        downShape[0] = rank;
        long[] upShape = first.upShape().clone();
        upShape[0] = rows;
        upShape[1] = rank;
        return new LoraPair(
                own,
                first.component(),
                own,
                false,
                downShape,
                upShape,
                1,
                () -> down(rank, parts),
                () -> up(rows, rank, parts));
    }

    private static float[] down(int rank, List<PlacedLora> parts) {
        float[] all = new float[rank * parts.get(0).pair().inputs()];
        int at = 0;
        for (PlacedLora part : parts) {
            float[] a = part.pair().down().get();
            System.arraycopy(a, 0, all, at, a.length);
            at += a.length;
        }
        return all;
    }

    private static float[] up(int rows, int rank, List<PlacedLora> parts) {
        float[] all = new float[rows * rank];
        int column = 0;
        for (PlacedLora part : parts) {
            float[] b = part.pair().scaledUp();
            int own = part.pair().rank();
            for (int i = 0; i < part.pair().outputs(); i++) {
                System.arraycopy(b, i * own, all, ((int) part.firstRow() + i) * rank + column, own);
            }
            column += own;
        }
        return all;
    }
}
