package dev.retort.evaluate;

import dev.retort.error.RetortException;
import dev.retort.io.SafetensorsFile;
import dev.retort.io.SafetensorsWriter;
import dev.retort.torch.Kernels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Features of real images kept on disk, under a name made of the extractor's space, the kernels that compute it and the
 * images' own bytes: what changes one of them is another file, so nothing is ever stale, and what a kernel computed wrongly
 * goes with it. A cache that cannot be read or written only costs time.
 *
 * @param folder where the files lie; created when needed
 */
public record FeatureCache(Path folder) {
    /** Features and logits of a set: from the disk, or extracted and then kept. */
    FeatureExtractor.Extraction of(FeatureExtractor extractor, ImageSet images) {
        Path file = folder.resolve(key(extractor.space(), images) + ".safetensors");
        if (Files.exists(file)) {
            try (SafetensorsFile kept = SafetensorsFile.open(file)) {
                return new FeatureExtractor.Extraction(rows(kept, "features"), rows(kept, "logits"));
            } catch (RetortException e) {
                // Damaged: made anew below, in its place.
            }
        }
        FeatureExtractor.Extraction extraction = extractor.extract(images);
        try {
            Files.createDirectories(folder);
            SafetensorsWriter writer = new SafetensorsWriter().metadata("dataset", images.name());
            add(writer, "features", extraction.features());
            add(writer, "logits", extraction.logits());
            writer.write(file);
        } catch (IOException | RetortException e) {
            // No room or no permission: the next evaluation extracts again.
        }
        return extraction;
    }

    private static void add(SafetensorsWriter writer, String name, float[][] rows) {
        int width = rows.length == 0 ? 0 : rows[0].length;
        float[] flat = new float[rows.length * width];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows[i], 0, flat, i * width, width);
        }
        writer.add(name, new long[] {rows.length, width}, flat);
    }

    private static float[][] rows(SafetensorsFile file, String name) {
        long[] shape = file.entry(name).shape();
        float[] flat = file.floats(name);
        int width = (int) shape[1];
        float[][] rows = new float[(int) shape[0]][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = Arrays.copyOfRange(flat, i * width, (i + 1) * width);
        }
        return rows;
    }

    private static String key(FeatureSpace space, ImageSet images) {
        MessageDigest digest = sha256();
        String what = space + " " + Kernels.current() + " " + images.size() + "x" + images.shape();
        digest.update(what.getBytes(StandardCharsets.UTF_8));
        digest.update(images.hashes());
        return HexFormat.of().formatHex(digest.digest(), 0, 16);
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has SHA-256
        }
    }
}
