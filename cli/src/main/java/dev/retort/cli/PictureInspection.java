package dev.retort.cli;

import dev.retort.card.PictureCard;
import dev.retort.error.Printable;
import java.nio.file.Path;

/** What {@code inspect} says of a picture that was drawn here. */
final class PictureInspection {
    private PictureInspection() {}

    static void tell(Path file, Output output) {
        PictureCard picture = PictureCard.read(file);
        if (output.json()) {
            output.terminal().json(picture);
            return;
        }
        picture.texts()
                .forEach((keyword, text) -> output.terminal().out().println(Printable.lines(keyword + ": " + text)));
        output.next("retort sample --like " + file);
    }
}
