package dev.retort.distill;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.data.ImageSource;
import dev.retort.data.LatentImages;
import dev.retort.data.LatentManifest;
import dev.retort.data.PairedImages;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.nio.file.Path;

/**
 * The images that student and teacher see.
 *
 * @param recipe whose data they are
 * @param taught what the teacher is
 */
record Pairing(Recipe recipe, ModelCard taught) {
    /** The images, each with a twin at the teacher's size where that is another. */
    ImageSource paired(ImageSource images) {
        NetworkSpec taught = this.taught.network();
        String data = recipe.teacher().data();
        requireSameLatents(images);
        if (taught.height() == images.height() && taught.width() == images.width()) {
            if (!data.isEmpty()) {
                throw new RetortException(
                        Kind.CONFIG,
                        "teacher.data is " + data + " but the teacher works at the size of the data; leave it empty");
            }
            return images;
        }
        int fine = Math.max(taught.height(), images.height());
        int coarse = Math.min(taught.height(), images.height());
        if (fine % coarse != 0 || taught.height() * images.width() != taught.width() * images.height()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "the teacher works on " + taught.height() + "x" + taught.width() + ", the data are "
                            + images.height() + "x" + images.width()
                            + "; one must be the other enlarged by a whole number, so choose another size");
        }
        if (images instanceof LatentImages latents) {
            return new PairedImages(images, latentTwin(latents, data, taught));
        }
        if (!data.isEmpty()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "teacher.data is " + data
                            + " but the data are pictures, which are read at both sizes; leave it empty");
        }
        if (taught.height() != taught.width()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "the teacher works on " + taught.height() + "x" + taught.width()
                            + " pixels; another size than the data's must be square");
        }
        return new PairedImages(
                images, recipe.run().data().withSize(taught.height()).open());
    }

    private LatentImages latentTwin(LatentImages images, String data, NetworkSpec taught) {
        LatentManifest ours = images.manifest();
        String wanted = ours.sourceName() + " as latents of " + taught.height() + "x" + taught.width();
        if (data.isEmpty()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "the data are latents of " + ours.height() + "x" + ours.width()
                            + ", the teacher works at another size; encode " + wanted
                            + " with 'retort encode' and give that folder as teacher.data");
        }
        LatentImages twin = LatentImages.open(Path.of(data));
        LatentManifest theirs = twin.manifest();
        boolean same = theirs.sourceName().equals(ours.sourceName())
                && theirs.source().path().equals(ours.source().path())
                && theirs.images() == ours.images()
                && theirs.classNames().equals(ours.classNames());
        if (!same || twin.height() != taught.height() || twin.width() != taught.width()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "teacher.data " + data + " holds " + theirs.images() + " pictures of " + theirs.sourceName()
                            + " as latents of " + twin.height() + "x" + twin.width() + ", expected the " + ours.images()
                            + " of " + wanted + "; encode the same pictures at the teacher's size");
        }
        requireSameLatents(twin);
        return twin;
    }

    private void requireSameLatents(ImageSource source) {
        AutoencoderCard theirs = taught.autoencoder();
        AutoencoderCard ours = source.autoencoder().orElse(null);
        if (theirs == null && ours == null) {
            return;
        }
        if (theirs == null || ours == null) {
            throw new RetortException(
                    Kind.CONFIG,
                    theirs == null
                            ? "data are latents but the teacher works on pixels; use the pictures it was trained on"
                            : "data are pictures but the teacher works on latents; encode them with its autoencoder "
                                    + theirs.path() + " ('retort encode') and set data.kind=latents");
        }
        if (!theirs.sameLatents(ours)) {
            throw new RetortException(
                    Kind.CONFIG,
                    "data were encoded by " + ours.path() + " (" + ours.space() + "), those of the teacher by "
                            + theirs.path() + " (" + theirs.space() + "); encode with the teacher's autoencoder");
        }
    }
}
