package dev.retort.card;

import dev.retort.config.OpenTypes;
import java.util.Map;

/** How cards name the record of a network. */
final class NetworkType extends OpenTypes {
    NetworkType() {
        super(
                NetworkSpec.class,
                Map.of(
                        "dit", DitSpec.class,
                        "folded-dit", FoldedDitSpec.class,
                        "text-to-image", TextToImageSpec.class,
                        "unet", UNetSpec.class));
    }
}
