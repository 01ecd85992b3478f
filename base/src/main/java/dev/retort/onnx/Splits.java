package dev.retort.onnx;

import dev.retort.graph.Graph;
import dev.retort.graph.Node;
import dev.retort.graph.Op;
import dev.retort.graph.Size;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Slices of a graph that together cut a value into pieces, none left out and none twice: one Split is cheaper than they are. */
final class Splits {
    private record Cut(String value, long dim) {}

    private final Map<Cut, List<Node>> cuts = new HashMap<>();

    Splits(Graph graph) {
        for (Node node : graph.nodes()) {
            if (node.op() == Op.SLICE && node.whole("step") == 1 && fixed(node.size("start")) && fixed(node.size("end"))) {
                cuts.computeIfAbsent(cut(node), key -> new ArrayList<>()).add(node);
            }
        }
        cuts.values().forEach(pieces -> pieces.sort(Comparator.comparing(piece -> piece.size("start").whole())));
        cuts.values().removeIf(pieces -> pieces.size() < 2 || !whole(pieces));
    }

    /** All pieces that a slice is one of, in their order; empty where it is none of several. */
    List<Node> pieces(Node slice) {
        List<Node> pieces = cuts.getOrDefault(cut(slice), List.of());
        return pieces.contains(slice) ? pieces : List.of();
    }

    private static Cut cut(Node node) {
        return new Cut(node.in().get(0).name(), node.whole("dim"));
    }

    private static boolean fixed(Size size) {
        return size.perSample() == 0;
    }

    private static boolean whole(List<Node> pieces) {
        long at = 0;
        for (Node piece : pieces) {
            if (piece.size("start").whole() != at) {
                return false;
            }
            at = piece.size("end").whole();
        }
        Node first = pieces.get(0);
        return first.in().get(0).shape().size(Math.toIntExact(first.whole("dim"))).is(at);
    }
}
