package dev.retort.card;

import dev.retort.config.OneLine;
import dev.retort.config.Suggestion;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What somebody asks for otherwise than a card says, each part in one line; null for what stays as it is.
 *
 * @param solver such as {@code ddim:eta=0.5}
 * @param steps points of the time grid
 * @param grid such as {@code leading:offset=1}
 * @param guidance {@code SCALE}, or such as {@code 4:from=0.2,to=0.8,channels=3}
 * @param guidanceRescale share of guidance's contrast that is taken back
 * @param clamp such as {@code dynamic:quantile=0.995}
 * @param temperature of the noise that the solver adds
 */
public record SamplingChange(
        String solver,
        Integer steps,
        String grid,
        String guidance,
        Double guidanceRescale,
        String clamp,
        Double temperature) {
    private static final String SCALES = "a number from -1000 to 1000";
    private static final List<String> GUIDANCE = List.of("from", "to", "channels");

    /**
     * The card's way of sampling with what is changed in it. A grid that says how many steps it has need not be given their number too.
     *
     * @throws RetortException of kind USAGE, its message beginning with the name of the part
     */
    public SamplingSpec of(SamplingSpec usual) {
        try {
            SamplingSpec asked = solver == null ? usual : usual.with(parsed("solver", SolverSpec.class, solver));
            GridSpec points = grid == null ? usual.grid() : parsed("grid", GridSpec.class, grid);
            int told = grid == null ? usual.steps() : points.steps().orElse(usual.steps());
            asked = asked.with(steps == null ? told : steps, points);
            asked = clamp == null ? asked : asked.with(parsed("clamp", ClampSpec.class, clamp));
            asked = temperature == null ? asked : asked.withTemperature(temperature);
            asked = guidanceRescale == null ? asked : asked.withGuidanceRescale(guidanceRescale);
            return guidance == null ? asked : guided(asked);
        } catch (RetortException e) {
            throw new RetortException(Kind.USAGE, e.getMessage(), e);
        }
    }

    private static <T extends OneLine> T parsed(String part, Class<T> choice, String line) {
        try {
            return OneLine.parse(choice, line);
        } catch (RetortException e) {
            throw new RetortException(e.kind(), part + " " + e.getMessage(), e);
        }
    }

    private SamplingSpec guided(SamplingSpec usual) {
        int colon = guidance.indexOf(':');
        Map<String, Double> options = new LinkedHashMap<>();
        options.put("from", usual.guidanceFrom());
        options.put("to", usual.guidanceTo());
        options.put("channels", (double) usual.guidanceChannels());
        for (String part :
                colon < 0 ? new String[0] : guidance.substring(colon + 1).split(",", -1)) {
            String[] pair = part.split("=", 2);
            if (pair.length < 2 || !GUIDANCE.contains(pair[0].strip())) {
                throw refused(", which has no option '" + pair[0].strip() + "'"
                        + Suggestion.among(pair[0].strip(), GUIDANCE));
            }
            options.put(pair[0].strip(), number(pair[1], "numbers behind '='"));
        }
        double scale = number(colon < 0 ? guidance : guidance.substring(0, colon), SCALES);
        if (!(Math.abs(scale) <= SamplingSpec.MOST_GUIDANCE)) { // true for NaN
            throw refused(", expected " + SCALES);
        }
        double channels = options.get("channels");
        if (channels != Math.rint(channels)) {
            throw refused(", expected a whole number of channels");
        }
        try {
            return usual.withGuidance(scale, options.get("from"), options.get("to"), (int) channels);
        } catch (RetortException e) {
            throw refused(": " + e.getMessage());
        }
    }

    private double number(String text, String expected) {
        try {
            return Double.parseDouble(text.strip());
        } catch (NumberFormatException e) {
            throw refused(", expected " + expected);
        }
    }

    private RetortException refused(String why) {
        return new RetortException(Kind.USAGE, "guidance is " + guidance + why);
    }
}
