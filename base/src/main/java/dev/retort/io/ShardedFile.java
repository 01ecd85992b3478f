package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Tensors spread over several files, with an index {@code NAME.index.json} that says which tensor lies in which file. A
 * file that is not there is named; what a file holds beyond the index is not seen.
 */
final class ShardedFile implements TensorFile {
    private static final long LONGEST_INDEX = 100_000_000;
    private static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .build();

    private final Path index;
    private final Map<String, TensorFile> shards;
    private final Map<String, TensorFile> shardOf;
    private final Map<String, TensorEntry> entries = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    private ShardedFile(Path index, Map<String, TensorFile> shards, Map<String, TensorFile> shardOf) {
        this.index = index;
        this.shards = shards;
        this.shardOf = shardOf;
        shardOf.forEach((name, shard) -> entries.put(name, shard.entry(name)));
        shards.values().forEach(shard -> metadata.putAll(shard.metadata()));
    }

    /** Opens the index and every file it names. */
    static ShardedFile open(Path index) {
        Map<String, String> fileOf = fileOf(index);
        Map<String, TensorFile> shards = new TreeMap<>();
        Map<String, TensorFile> shardOf = new LinkedHashMap<>();
        try {
            fileOf.forEach((name, file) -> {
                TensorFile shard = shards.computeIfAbsent(file, f -> shard(index, f));
                if (!shard.entries().containsKey(name)) {
                    throw refused(index, "it says that '" + name + "' is in " + file + ", which does not hold it");
                }
                shardOf.put(name, shard);
            });
            return new ShardedFile(index, shards, shardOf);
        } catch (RetortException e) {
            shards.values().forEach(TensorFile::close);
            throw e;
        }
    }

    private static TensorFile shard(Path index, String file) {
        if (!file.matches("[^/\\\\:\\x00]+") || file.equals("..")) {
            throw refused(
                    index, "its file name '" + file + "' leaves the folder or is not a file name; fetch it again");
        }
        Path path = index.resolveSibling(file);
        if (!Files.exists(path)) {
            throw refused(index, "the file " + file + " that it names is missing; fetch it again");
        }
        // an index may not lead to another: two that name each other would be opened without end
        if (WeightsName.isIndex(file) || !Files.isRegularFile(path)) {
            throw refused(index, "it names " + file + ", which is not a file of weights; fetch it again");
        }
        return TensorFiles.open(path);
    }

    private static Map<String, String> fileOf(Path index) {
        Map<String, String> fileOf = new LinkedHashMap<>();
        try {
            if (Files.size(index) > LONGEST_INDEX) {
                throw refused(index, "it is too long for an index");
            }
            JsonNode map = JSON.readTree(Files.readString(index, StandardCharsets.UTF_8))
                    .path("weight_map");
            if (!map.isObject() || map.isEmpty()) {
                throw refused(index, "it has no 'weight_map'");
            }
            for (Map.Entry<String, JsonNode> entry : map.properties()) {
                if (!entry.getValue().isString()) {
                    throw refused(index, "the file of '" + entry.getKey() + "' is not a name");
                }
                fileOf.put(entry.getKey(), entry.getValue().asString());
            }
            return fileOf;
        } catch (JacksonException e) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "cannot read " + index + ": it is not a JSON index (" + JsonFault.of(e) + "); fetch it again",
                    e);
        } catch (IOException e) {
            throw new RetortException(Kind.CHECKPOINT, "cannot read " + index + ": " + Malformed.sentence(e), e);
        }
    }

    @Override
    public Path path() {
        return index;
    }

    @Override
    public List<Path> files() {
        return shards.values().stream().map(TensorFile::path).toList();
    }

    @Override
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    @Override
    public Map<String, TensorEntry> entries() {
        return Collections.unmodifiableMap(entries);
    }

    @Override
    public void read(String name, long from, ByteBuffer target) {
        entry(name);
        shardOf.get(name).read(name, from, target);
    }

    @Override
    public void verify() {
        shards.values().forEach(TensorFile::verify);
    }

    @Override
    public void close() {
        shards.values().forEach(TensorFile::close);
    }

    private static RetortException refused(Path index, String why) {
        return new RetortException(Kind.CHECKPOINT, "cannot read " + index + ": " + why);
    }
}
