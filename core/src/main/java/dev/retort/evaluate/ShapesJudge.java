package dev.retort.evaluate;

import dev.retort.data.ShapeAttributes;
import dev.retort.data.ShapeReader;
import dev.retort.data.ShapeReader.Reading;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads kind, colour, size and place of a shape, without learned weights ({@link ShapeReader}). */
final class ShapesJudge implements PromptJudge {
    private final List<ShapeAttributes> asked;
    private final ShapeReader reader;

    /** @param size rows and columns of the pictures */
    ShapesJudge(List<ShapeAttributes> asked, int size) {
        this.asked = asked;
        reader = new ShapeReader(size);
    }

    @Override
    public List<String> prompts() {
        return asked.stream().map(ShapeAttributes::caption).toList();
    }

    @Override
    public Map<String, Boolean> verdicts(int prompt, float[] pixels) {
        ShapeAttributes wanted = asked.get(prompt);
        Optional<ShapeAttributes> seen = reader.read(pixels, 0).map(Reading::attributes);
        Map<String, Boolean> verdicts = new LinkedHashMap<>();
        verdicts.put("kind", seen.filter(it -> it.kind().equals(wanted.kind())).isPresent());
        verdicts.put(
                "colour", seen.filter(it -> it.colour().equals(wanted.colour())).isPresent());
        verdicts.put("size", seen.filter(it -> it.size().equals(wanted.size())).isPresent());
        verdicts.put(
                "place", seen.filter(it -> it.place().equals(wanted.place())).isPresent());
        return verdicts;
    }
}
