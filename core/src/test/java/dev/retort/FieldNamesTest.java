package dev.retort;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.data.DataConfig;
import dev.retort.distill.Recipe;
import dev.retort.quantize.QuantizeRecipe;
import dev.retort.train.ClassifierConfig;
import dev.retort.train.DitConfig;
import dev.retort.train.NetworkConfig;
import dev.retort.train.TrainConfig;
import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A message that names a field names one that there is. */
class FieldNamesTest {
    private static final Pattern LITERAL = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"");
    /** Names with dots between, not part of a path or of a longer name, and no beginning of tensors' names ({@code a.b.}). */
    private static final Pattern PATH =
            Pattern.compile("(?<![\\w./-])([a-z]\\w*(?:\\.(?:[a-z][a-zA-Z]*|\\d+))+)(?![\\w/-]|\\.\\w|\\.$)");

    private static final Pattern FILE = Pattern.compile(".*\\.(json|jsonl|safetensors|png|npz|yaml|pkl|pt|bin)");

    /** Paths of all fields, positions in lists as 0: {@code run.batch}, {@code stages.0.losses.0.from}. */
    private static Set<String> fields() {
        Set<String> fields = new HashSet<>();
        for (Class<?> root : List.of(TrainConfig.class, Recipe.class, QuantizeRecipe.class, ClassifierConfig.class)) {
            walk("", root, fields);
        }
        return fields;
    }

    private static void walk(String path, Type type, Set<String> into) {
        if (type instanceof ParameterizedType list) {
            boolean group = list.getRawType() == Optional.class; // one that may be left out, not one of several
            walk(group ? path : path + ".0", list.getActualTypeArguments()[0], into);
            return;
        }
        into.add(path);
        Class<?> raw = (Class<?>) type;
        if (raw.isSealed()) {
            into.add(path + "." + (raw == DataConfig.class ? DataConfig.CHOSEN_BY : "type"));
            for (Class<?> choice : raw.getPermittedSubclasses()) {
                walk(path, choice, into);
            }
        } else if (raw == NetworkConfig.class) {
            into.add(path + ".type");
            walk(path, DitConfig.class, into);
        } else if (raw.isRecord()) {
            for (RecordComponent component : raw.getRecordComponents()) {
                String name = component.getName();
                walk(path.isEmpty() ? name : path + "." + name, component.getGenericType(), into);
                into.add(path.isEmpty() ? name : path + "." + name);
            }
        }
    }

    private static List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        for (Path module : HouseTest.modules()) {
            sources.addAll(HouseTest.sources(module.resolve("src/main/java")));
        }
        return sources;
    }

    /** What a text says as if it were a field: its first word is the name of one. */
    private static List<String> named(String text, Set<String> names) {
        List<String> named = new ArrayList<>();
        Matcher literal = LITERAL.matcher(text);
        while (literal.find()) {
            Matcher path = PATH.matcher(literal.group(1));
            while (path.find()) {
                String found = path.group(1);
                if (names.contains(found.replaceFirst("\\..*", ""))
                        && !FILE.matcher(found).matches()) {
                    named.add(found);
                }
            }
        }
        return named;
    }

    @Test
    void every_field_that_a_message_names_exists() throws IOException {
        Set<String> fields = fields();
        assertThat(fields)
                .contains("run.compute.microBatch", "stages.0.losses.0.outlierStd", "objective.process.schedule");
        Set<String> names = fields.stream()
                .flatMap(field -> Stream.of(field.split("\\.")))
                .filter(name -> !name.equals("0"))
                .collect(Collectors.toSet());
        List<String> wrong = new ArrayList<>();
        Set<String> right = new HashSet<>();
        for (Path source : sources()) {
            for (String named : named(Files.readString(source), names)) {
                String field = named.replaceAll("\\.\\d+", ".0");
                if (fields.stream().anyMatch(known -> known.equals(field) || known.endsWith("." + field))) {
                    right.add(named);
                } else {
                    wrong.add(source.getFileName() + " names " + named);
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(right).contains("run.batch", "teacher.model", "run.compute.checkpointActivations");
    }
}
