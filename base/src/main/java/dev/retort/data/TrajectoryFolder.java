package dev.retort.data;

import dev.retort.card.SamplingSpec;
import dev.retort.config.CardFile;
import dev.retort.config.Difference;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/**
 * The folder of a cache of trajectories: {@code trajectories.json} and shards {@code trajectories-00000-of-00004.safetensors}, each
 * with the tensors {@code states} (n, K+1, C, H, W) in half precision and {@code labels} (n), or of a teacher that is told texts these as
 * {@link CaptionTensors} keeps them. State 0 is the noise that the sampler
 * starts from, state K the finished sample, and a state between them what stands at the grid's point of that number; each but the
 * last is what the network is given there, in the coordinates of the process.
 *
 * @param path the folder
 */
public record TrajectoryFolder(Path path) {
    /** Name of the manifest's file. */
    public static final String MANIFEST = "trajectories.json";

    private static final int MOST_NAMED = 4;

    private static final CardFile<TrajectoryManifest> CARD_FILE = new CardFile<>(
            TrajectoryManifest.class,
            MANIFEST,
            "a cache of trajectories",
            TrajectoryManifest.FORMAT,
            Kind.DATA,
            "write one with 'retort trajectories'",
            "make them again");

    /** The manifest. */
    public TrajectoryManifest manifest() {
        return CARD_FILE.read(path, TrajectoryFolder::upgrade);
    }

    /**
     * One of format 1 says nothing of the noise's temperature: no step of a trajectory adds any; one of format 2 nothing of texts, as all
     * teachers were told classes; older ones nothing of guidance's contrast.
     */
    private static void upgrade(ObjectNode manifest) {
        if (manifest.path("format").asInt() == 1 && manifest.path("sampling") instanceof ObjectNode sampling) {
            sampling.put("temperature", 1);
            manifest.put("format", 2);
        }
        if (manifest.path("format").asInt() == 2) {
            manifest.putNull("texts");
            manifest.put("format", 3);
        }
        if (manifest.path("sampling") instanceof ObjectNode sampling) {
            SamplingSpec.upgrade(sampling);
        }
    }

    /**
     * Writes the manifest.
     *
     * @throws RetortException of kind DATA where the folder holds trajectories that this manifest does not describe, naming in what
     */
    public void write(TrajectoryManifest manifest) {
        AtomicWrite.recover(path);
        if (Files.isRegularFile(path.resolve(MANIFEST))) {
            List<Difference> differences = manifest().differences(manifest);
            if (!differences.isEmpty()) {
                throw new RetortException(
                                Kind.DATA,
                                path + " holds other trajectories: "
                                        + FirstFew.of(
                                                differences.stream()
                                                        .map(Difference::toString)
                                                        .toList(),
                                                MOST_NAMED)
                                        + "; choose another folder, or the same settings to resume")
                        .about("folder");
            }
        }
        CARD_FILE.write(path, manifest);
    }
}
