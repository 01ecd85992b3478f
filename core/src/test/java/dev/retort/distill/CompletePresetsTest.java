package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.config.Configs;
import dev.retort.config.Presets;
import dev.retort.train.ClassifierConfig;
import dev.retort.train.TrainConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** The presets beside what they were when each had to say every field, a line each in a file. */
class CompletePresetsTest {
    private static final Map<String, Class<?>> TYPES = new TreeMap<>(
            Map.of("train", TrainConfig.class, "distill", Recipe.class, "classifier", ClassifierConfig.class));

    @TempDir
    private Path temp;

    private static List<Map<String, Object>> complete() throws IOException {
        List<Map<String, Object>> complete = new ArrayList<>();
        try (InputStream lines = CompletePresetsTest.class.getResourceAsStream("/complete-presets.jsonl")) {
            new String(lines.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .forEach(line -> complete.add(
                            JsonMapper.shared().readValue(line, new TypeReference<Map<String, Object>>() {})));
        }
        return complete;
    }

    @TestFactory
    Stream<DynamicTest> a_preset_that_leaves_fields_out_means_what_the_complete_one_meant() throws IOException {
        List<Map<String, Object>> complete = complete();
        assertThat(complete)
                .extracting(line -> line.get("kind") + "/" + line.get("name"))
                .containsExactlyInAnyOrderElementsOf(TYPES.keySet().stream()
                        .flatMap(kind -> Presets.list(kind).stream())
                        .map(preset -> preset.kind() + "/" + preset.name())
                        .toList());
        return complete.stream()
                .map(line -> DynamicTest.dynamicTest(String.valueOf(line.get("name")), () -> {
                    String kind = String.valueOf(line.get("kind"));
                    Class<?> type = TYPES.get(kind);
                    Path file = Files.writeString(
                            temp.resolve(line.get("name") + ".yaml"),
                            JsonMapper.shared().writeValueAsString(line.get("config")));
                    Object now = Configs.load(type, kind, String.valueOf(line.get("name")), List.of());
                    assertThat(now).isEqualTo(Configs.load(type, kind, file.toString(), List.of()));
                    assertThat(Configs.differences(kind, file, now))
                            .as("a run begun with it goes on")
                            .isEmpty();
                    Path written = Files.writeString(temp.resolve("written.yaml"), Configs.write(kind, now));
                    assertThat(Configs.load(type, kind, written.toString(), List.of()))
                            .isEqualTo(now);
                }));
    }
}
