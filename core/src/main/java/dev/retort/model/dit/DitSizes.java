package dev.retort.model.dit;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.LinkedHashMap;
import java.util.Map;

/** The twelve sizes of the paper (Table 1): S, B, L, XL, each with patch 2, 4, 8. */
public final class DitSizes {
    /** Blocks, width and heads of a letter size. */
    public record Size(int depth, int hidden, int heads) {}

    private static final Map<String, Size> SIZES = new LinkedHashMap<>();

    static {
        SIZES.put("S", new Size(12, 384, 6));
        SIZES.put("B", new Size(12, 768, 12));
        SIZES.put("L", new Size(24, 1024, 16));
        SIZES.put("XL", new Size(28, 1152, 16));
    }

    private DitSizes() {}

    /**
     * A named network for latents, as the paper trains it: 4 channels, 1000 classes, variance learned.
     *
     * @param name such as {@code DiT-XL/2}
     * @param side latent side: 32 for 256-pixel images
     */
    public static DitSpec paper(String name, int side) {
        String[] parts = name.replaceFirst("^DiT-", "").split("/");
        Size size = SIZES.get(parts[0]);
        if (size == null || parts.length != 2 || !parts[1].matches("[248]")) {
            throw new RetortException(
                    Kind.CONFIG,
                    "network " + name + " is unknown; the named sizes are DiT-{S,B,L,XL}/{2,4,8}, such as DiT-B/4");
        }
        int patch = Integer.parseInt(parts[1]);
        return new DitSpec(side, side, 4, patch, size.hidden, size.depth, size.heads, 4, 1000, 0.1, true, false);
    }

    /** The paper's name where depth, width and heads are one of its sizes, else the numbers themselves. */
    static String nameOf(DitSpec spec) {
        Size size = new Size(spec.depth(), spec.hidden(), spec.heads());
        for (Map.Entry<String, Size> entry : SIZES.entrySet()) {
            if (entry.getValue().equals(size) && !spec.modern()) {
                return "DiT-" + entry.getKey() + "/" + spec.patch();
            }
        }
        return "DiT-" + spec.depth() + "x" + spec.hidden() + "/" + spec.patch() + (spec.modern() ? "-modern" : "");
    }
}
