package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * All files of a repository at one commit.
 *
 * @param commit 40 hexadecimal digits
 * @param files each path once, no path below another
 */
public record Listing(String commit, List<RemoteFile> files) {
    private static final int TREE_FORMAT = 1;
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    public Listing {
        requireCommit(commit);
        files = List.copyOf(files);
        Set<String> paths = new HashSet<>();
        for (RemoteFile file : files) {
            if (!paths.add(file.path())) {
                throw contradicts(file);
            }
        }
        for (RemoteFile file : files) {
            for (String at = parent(file.path()); !at.isEmpty(); at = parent(at)) {
                if (paths.contains(at)) {
                    throw contradicts(file);
                }
            }
        }
    }

    /** Asks the hub for the size and the hash of one file. */
    @FunctionalInterface
    interface Details {
        /** The file of that path at that commit. */
        RemoteFile of(String commit, String path);
    }

    private static String requireCommit(String commit) {
        if (!isCommit(commit)) {
            throw new RetortException(
                    Kind.NETWORK, "the hub names no commit for the revision; see whether HF_ENDPOINT is a hub");
        }
        return commit;
    }

    static boolean isCommit(String text) {
        return text.matches("[0-9a-f]{40}");
    }

    /**
     * Reads the answer to {@code api/models/OWNER/NAME/revision/REVISION?blobs=true}.
     *
     * @param details asked for the files that are listed by name alone, as some mirrors do
     * @throws RetortException of kind NETWORK where it is none, CHECKPOINT where it lists what must not be
     */
    static Listing ofAnswer(byte[] json, String source, Details details) {
        try {
            JsonNode answer = JSON.readTree(json);
            String commit = requireCommit(answer.path("sha").asString(""));
            List<RemoteFile> files = new ArrayList<>();
            for (JsonNode file : answer.path("siblings")) {
                String path = RemoteFile.requireInside(file.path("rfilename").asString(""));
                JsonNode lfs = file.path("lfs");
                files.add(
                        file.hasNonNull("blobId")
                                ? new RemoteFile(
                                        path,
                                        lfs.has("size") ? size(lfs) : size(file),
                                        file.path("blobId").asString(""),
                                        lfs.path("sha256").asString(""))
                                : details.of(commit, path));
            }
            return new Listing(commit, files);
        } catch (JacksonException e) {
            throw new RetortException(
                    Kind.NETWORK,
                    source + " answered with something other than a list of files; see whether HF_ENDPOINT is a hub and"
                            + " whether a proxy or a login page is in between",
                    e);
        }
    }

    /** Reads {@code trees/COMMIT.json} of the cache, as Python tools write it. */
    static Listing ofTree(String commit, String json) {
        JsonNode tree = JSON.readTree(json);
        if (tree.path("format_version").asInt(0) != TREE_FORMAT) {
            throw new IllegalArgumentException("another format");
        }
        List<RemoteFile> files = new ArrayList<>();
        tree.path("files")
                .properties()
                .forEach(file -> files.add(new RemoteFile(
                        file.getKey(),
                        size(file.getValue()),
                        file.getValue().path("blob_id").asString(""),
                        file.getValue().path("lfs_sha256").asString(""))));
        return new Listing(commit, files);
    }

    /** The same for {@code trees/COMMIT.json}. */
    String toTree() {
        ObjectNode tree = JSON.createObjectNode();
        tree.put("format_version", TREE_FORMAT);
        ObjectNode all = tree.putObject("files");
        for (RemoteFile file : files) {
            ObjectNode entry = all.putObject(file.path());
            entry.put("size", file.size()).put("blob_id", file.blobId());
            if (!file.sha256().isEmpty()) {
                entry.put("lfs_sha256", file.sha256()).put("lfs_size", file.size());
            }
        }
        return JSON.writeValueAsString(tree) + "\n";
    }

    private static long size(JsonNode of) {
        return of.path("size").asLong(-1);
    }

    private static String parent(String path) {
        return path.substring(0, Math.max(0, path.lastIndexOf('/')));
    }

    private static RetortException contradicts(RemoteFile file) {
        return new RetortException(
                Kind.CHECKPOINT,
                "the hub lists " + file.path()
                        + " twice, or as a file in a file; nothing was fetched, do not use this repository");
    }
}
