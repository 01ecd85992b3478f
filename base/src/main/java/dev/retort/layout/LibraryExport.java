package dev.retort.layout;

import dev.retort.card.ModelCard;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What every folder of the diffusers library is written with: configurations, weights, a scheduler. */
final class LibraryExport {
    /** Of the files of weights. */
    static final String WEIGHTS = "diffusion_pytorch_model";

    private static final String LIBRARY_VERSION = "0.40.0";
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private LibraryExport() {}

    /** A configuration that names its class and nothing else yet. */
    static ObjectNode config(String className) {
        ObjectNode config = JSON.createObjectNode();
        config.put(DiffusersFolder.CLASS, className);
        config.put("_diffusers_version", LIBRARY_VERSION);
        return config;
    }

    /** A number, a list, or null. */
    static JsonNode value(Object value) {
        return JSON.valueToTree(value);
    }

    /** Writes a configuration, its keys sorted as the library sorts them. */
    static void write(Path file, ObjectNode config) throws IOException {
        Files.createDirectories(file.getParent());
        Map<String, JsonNode> sorted = new TreeMap<>();
        config.properties().forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
        Files.writeString(file, JSON.writeValueAsString(sorted) + "\n");
    }

    /** The weights of a layout. */
    static SafetensorsWriter weights(List<WeightLayout.Part> parts, TensorFile parameters, Storage how) {
        return ConvertedWeights.writer(new RowsView(parameters, parts, parameters), how.dtype());
    }

    /** Says in a pipeline's index of which class one of its parts is. */
    static void part(ObjectNode index, String name, String library, String className) {
        index.putArray(name).add(library).add(className);
    }

    /** Says that it has no such part. */
    static void noPart(ObjectNode index, String name) {
        index.putArray(name).addNull().addNull();
    }

    /**
     * Writes the scheduler of a pipeline, and its line of the index.
     *
     * @return in what the library will sample otherwise than we do, a sentence each
     */
    static List<String> scheduler(Path pipeline, ObjectNode index, ModelCard card) throws IOException {
        Optional<SchedulerExport> scheduler = SchedulerExport.of(card.process(), card.sampling());
        if (scheduler.isEmpty()) {
            noPart(index, "scheduler");
            return List.of("the library's pipelines of such networks know no process like '"
                    + card.process().schedule().name() + "', so no scheduler was written");
        }
        part(index, "scheduler", "diffusers", scheduler.get().className());
        ObjectNode config = config(scheduler.get().className());
        scheduler.get().write(config);
        write(pipeline.resolve("scheduler").resolve("scheduler_config.json"), config);
        return scheduler.get().notes();
    }
}
