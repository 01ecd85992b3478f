package dev.retort.card;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The twelve sizes of the paper (Table 1): S, B, L, XL, each with patch 2, 4, 8; and any other, spelt out. */
public final class DitSizes {
    /** Blocks, width, heads and patch. */
    public record Size(int depth, int hidden, int heads, int patch) {}

    private static final Map<String, int[]> LETTERS = new LinkedHashMap<>();
    private static final Pattern NAMED = Pattern.compile("(?:DiT-)?(S|B|L|XL)/([248])");
    private static final Pattern SPELT = Pattern.compile("(\\d{1,4})x(\\d{1,5})x(\\d{1,3})/(\\d{1,3})");

    static {
        LETTERS.put("S", new int[] {12, 384, 6});
        LETTERS.put("B", new int[] {12, 768, 12});
        LETTERS.put("L", new int[] {24, 1024, 16});
        LETTERS.put("XL", new int[] {28, 1152, 16});
    }

    private DitSizes() {}

    /**
     * Reads {@code DiT-XL/2}, {@code XL/2} or {@code DEPTHxHIDDENxHEADS/PATCH}.
     *
     * @throws IllegalArgumentException naming the forms that exist
     */
    public static Size parse(String size) {
        Matcher named = NAMED.matcher(size);
        if (named.matches()) {
            int[] letter = LETTERS.get(named.group(1));
            return new Size(letter[0], letter[1], letter[2], Integer.parseInt(named.group(2)));
        }
        Matcher spelt = SPELT.matcher(size);
        if (spelt.matches()) {
            return new Size(
                    Integer.parseInt(spelt.group(1)),
                    Integer.parseInt(spelt.group(2)),
                    Integer.parseInt(spelt.group(3)),
                    Integer.parseInt(spelt.group(4)));
        }
        throw new IllegalArgumentException("size is " + size
                + ", expected one of {S,B,L,XL}/{2,4,8} such as B/4, or DEPTHxHIDDENxHEADS/PATCH such as 8x256x4/4");
    }

    /**
     * A network for latents, as the paper trains it: 4 channels, 1000 classes, variance learned.
     *
     * @param name such as {@code DiT-XL/2}
     * @param side latent side: 32 for 256-pixel images
     */
    public static DitSpec paper(String name, int side) {
        Size size = parse(name);
        return new DitSpec(side, side, 4, size.patch, size.hidden, size.depth, size.heads, 4, 1000, 0.1, true, false);
    }

    /** The heads of the paper's size of this depth and width, if it is one. */
    public static Optional<Integer> headsOf(int depth, int hidden) {
        return LETTERS.values().stream()
                .filter(letter -> letter[0] == depth && letter[1] == hidden)
                .map(letter -> letter[2])
                .findFirst();
    }

    /** The paper's name where depth, width and heads are one of its sizes, else the numbers themselves. */
    static String nameOf(DitSpec spec) {
        for (Map.Entry<String, int[]> entry : LETTERS.entrySet()) {
            int[] letter = entry.getValue();
            if (letter[0] == spec.depth()
                    && letter[1] == spec.hidden()
                    && letter[2] == spec.heads()
                    && !spec.modern()) {
                return "DiT-" + entry.getKey() + "/" + spec.patch();
            }
        }
        return "DiT-" + spec.depth() + "x" + spec.hidden() + "x" + spec.heads() + "/" + spec.patch()
                + (spec.modern() ? "-modern" : "");
    }
}
