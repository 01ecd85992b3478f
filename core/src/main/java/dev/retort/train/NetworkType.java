package dev.retort.train;

import dev.retort.config.OpenTypes;
import java.util.Map;

/** How configurations name the record of a network. */
final class NetworkType extends OpenTypes {
    NetworkType() {
        super(
                NetworkConfig.class,
                Map.of(
                        "dit", DitConfig.class,
                        "text-to-image", TextToImageConfig.class,
                        "cut", CutConfig.class,
                        "like", LikeConfig.class));
    }
}
