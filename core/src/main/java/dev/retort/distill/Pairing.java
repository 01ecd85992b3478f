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
 * @param teacherCard what the teacher is
 */
record Pairing(Recipe recipe, ModelCard teacherCard) {
    /** The images, each also at the teacher's size where that differs. */
    ImageSource paired(ImageSource images) {
        NetworkSpec teacher = teacherCard.network();
        String data = recipe.teacher().data();
        requireSameLatents(images);
        if (teacher.height() == images.height() && teacher.width() == images.width()) {
            if (!data.isEmpty()) {
                throw new RetortException(
                        Kind.CONFIG,
                        "teacher.data is " + data + " but the teacher works at the size of the data; leave it empty");
            }
            return images;
        }
        int fine = Math.max(teacher.height(), images.height());
        int coarse = Math.min(teacher.height(), images.height());
        if (fine % coarse != 0 || teacher.height() * images.width() != teacher.width() * images.height()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "the teacher works on " + teacher.height() + "x" + teacher.width() + ", the data are "
                            + images.height() + "x" + images.width()
                            + "; one must be the other enlarged by a whole number, so choose another size");
        }
        if (images instanceof LatentImages latents) {
            return new PairedImages(images, pairedLatents(latents, data, teacher));
        }
        if (!data.isEmpty()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "teacher.data is " + data
                            + " but the data are pictures, which are read at both sizes; leave it empty");
        }
        if (teacher.height() != teacher.width()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "the teacher works on " + teacher.height() + "x" + teacher.width()
                            + " pixels; another size than the data's must be square");
        }
        return new PairedImages(
                images, recipe.run().data().withSize(teacher.height()).open());
    }

    private LatentImages pairedLatents(LatentImages images, String data, NetworkSpec teacher) {
        LatentManifest manifest = images.manifest();
        String wanted = manifest.sourceName() + " as latents of " + teacher.height() + "x" + teacher.width();
        if (data.isEmpty()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "the data are latents of " + manifest.height() + "x" + manifest.width()
                            + ", the teacher works at another size; encode " + wanted
                            + " with 'retort encode' and give that folder as teacher.data");
        }
        LatentImages paired = LatentImages.open(Path.of(data));
        LatentManifest pairedManifest = paired.manifest();
        boolean same = pairedManifest.sourceName().equals(manifest.sourceName())
                && pairedManifest.source().path().equals(manifest.source().path())
                && pairedManifest.images() == manifest.images()
                && pairedManifest.classNames().equals(manifest.classNames());
        if (!same || paired.height() != teacher.height() || paired.width() != teacher.width()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "teacher.data " + data + " holds " + pairedManifest.images() + " pictures of "
                            + pairedManifest.sourceName()
                            + " as latents of " + paired.height() + "x" + paired.width() + ", expected the "
                            + manifest.images()
                            + " of " + wanted + "; encode the same pictures at the teacher's size");
        }
        requireSameLatents(paired);
        return paired;
    }

    private void requireSameLatents(ImageSource source) {
        AutoencoderCard ofTeacher = teacherCard.autoencoder();
        AutoencoderCard ofData = source.autoencoder().orElse(null);
        if (ofTeacher == null && ofData == null) {
            return;
        }
        if (ofTeacher == null || ofData == null) {
            throw new RetortException(
                    Kind.CONFIG,
                    ofTeacher == null
                            ? "data are latents but the teacher works on pixels; use the pictures it was trained on"
                            : "data are pictures but the teacher works on latents; encode them with its autoencoder "
                                    + ofTeacher.path() + " ('retort encode') and set data.kind=latents");
        }
        if (!ofTeacher.sameLatents(ofData)) {
            throw new RetortException(
                    Kind.CONFIG,
                    "data were encoded by " + ofData.path() + " (" + ofData.space() + "), those of the teacher by "
                            + ofTeacher.path() + " (" + ofTeacher.space() + "); encode with the teacher's autoencoder");
        }
    }
}
