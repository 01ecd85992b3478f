package dev.retort.io;

import dev.retort.error.RetortException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Chooses what of a folder to open: the one file of weights, or the index of its shards. Of the same weights in several
 * files the safer format and the plain variant are taken; where different weights lie side by side the reader must choose.
 */
final class WeightsFolder {
    /** The only name that the diffusers library reads, whatever lies beside it. */
    private static final String LIBRARY_NAME = "diffusion_pytorch_model";

    private record Candidate(Path path, WeightsName name) {
        boolean isVariantOf(Candidate other) {
            return !name.variant().isEmpty()
                    && other.name.variant().isEmpty()
                    && other.name.name().equals(name.name());
        }
    }

    private WeightsFolder() {}

    /**
     * The file or index to open.
     *
     * @throws RetortException of kind CHECKPOINT where the folder holds no weights, or several of which none is the obvious one
     */
    static Path choose(Path folder) {
        List<Candidate> all = list(folder);
        List<Candidate> left = all.stream()
                .filter(candidate -> candidate.name().role() != WeightsName.Role.SHARD)
                .toList();
        if (left.isEmpty()) {
            throw TensorFiles.refused(folder, nothing(all));
        }
        left = preferring(left, candidate -> candidate.name().name().equals(LIBRARY_NAME));
        List<Candidate> named = left;
        left = preferring(left, candidate -> named.stream().noneMatch(candidate::isVariantOf));
        left = preferring(left, candidate -> candidate.name().safe());
        left = preferring(left, candidate -> candidate.name().role() == WeightsName.Role.INDEX);
        left = onceEach(left);
        if (left.size() > 1) {
            throw TensorFiles.refused(
                    folder,
                    "it holds " + left.size() + " files of weights, "
                            + left.get(0).path().getFileName() + " and "
                            + left.get(1).path().getFileName() + " among them; name the one to read");
        }
        return left.get(0).path();
    }

    private static List<Candidate> list(Path folder) {
        List<Candidate> all = new ArrayList<>();
        try (Stream<Path> children = Files.list(folder)) {
            children.filter(child -> !Files.isDirectory(child)).sorted().forEach(child -> WeightsName.of(
                            child.getFileName().toString())
                    .ifPresent(name -> all.add(new Candidate(child, name))));
        } catch (IOException e) {
            throw TensorFiles.refused(folder, "it cannot be listed (" + AtomicWrite.reason(e) + ")");
        }
        return all;
    }

    private static String nothing(List<Candidate> shards) {
        if (shards.isEmpty()) {
            return "it holds no weights; give a file, or a folder with one";
        }
        String shard = shards.get(0).path().getFileName().toString();
        return "it holds parts such as " + shard + " but " + WeightsName.indexOf(shard) + " is missing; fetch it again";
    }

    private static List<Candidate> preferring(List<Candidate> all, Predicate<Candidate> better) {
        List<Candidate> preferred = all.stream().filter(better).toList();
        return preferred.isEmpty() ? all : preferred;
    }

    /** One of several links to the same file. */
    private static List<Candidate> onceEach(List<Candidate> all) {
        List<Candidate> once = new ArrayList<>();
        for (Candidate candidate : all) {
            if (once.stream().noneMatch(other -> same(other.path(), candidate.path()))) {
                once.add(candidate);
            }
        }
        return once;
    }

    private static boolean same(Path a, Path b) {
        try {
            return Files.isSameFile(a, b);
        } catch (IOException e) {
            return false; // a link that leads nowhere is another file, and refused where it is opened
        }
    }
}
